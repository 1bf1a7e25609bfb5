"""What was understood of pictures, before they are encoded."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from dashboard.components.data.preview import how_read
from dashboard.components.data.targets import targets_view
from dashboard.components.shared.gallery import Card, gallery_html
from dashboard.components.shared.theme import fmt_int, fmt_number, notes, plural

if TYPE_CHECKING:
    from skmm_core.data import ImageIndex

_THUMBNAILS, _PIXELS = 32, 128
_MOST_SKIPPED = 200


def image_preview(index: "ImageIndex") -> None:
    """Draw counts, skipped files with their reasons, balance of targets, and thumbnails."""
    with st.container(horizontal=True, key="understood"):
        for label, value, help_ in image_facts(index):
            st.metric(label, value, help=help_, width="content")
    how_read(index.reading)
    notes(index.notes)
    skipped_files([(each.path, each.reason) for each in index.skipped], len(index.skipped))
    targets = index.targets
    targets_view(
        None if targets is None else targets[np.array(index.parts) == "train"],
        index.class_names,
        heading="Targets",
        without="A part of the pictures is labelled: methods without labels pick from all of them."
        if index.labels is not None
        else "No targets: methods without labels can pick from these pictures, but nothing can be scored. "
        "Put them into a folder a class, or add a metadata.csv, to compare methods.",
    )
    st.markdown("##### A few of them")
    st.html(gallery_html(sample_cards(index)))


def image_facts(index: "ImageIndex") -> list[tuple[str, str, str]]:
    """Label, value and explanation of each number of a set of pictures."""
    pool = index.parts.count("train")
    found = [("Pictures", fmt_int(pool), "Pictures that a method may pick from.")]
    if index.class_names:
        found.append(("Classes", fmt_int(len(index.class_names)), "Distinct targets."))
    else:
        task = "Unlabelled" if index.targets is None else "Regression"
        found.append(("Task", task, "What the targets ask for."))
    held = {part: index.parts.count(part) for part in ("validation", "test")}
    where = f"{fmt_int(held['validation'])} for validation, {fmt_int(held['test'])} for the final test."
    found.append(("Held out", fmt_int(sum(held.values())), f"Pictures that are never picked: {where}"))
    found.append(("Skipped", fmt_int(len(index.skipped)), "Files that are not used; the reasons are listed."))
    return found


def skipped_files(entries: Sequence[tuple[str, str]], count: int) -> None:
    """Say which files are not used, and why.

    Args:
        entries: path and reason; may be only the first ones.
        count: of all.
    """
    if not count:
        return
    with st.expander(f"{plural(count, 'file')} skipped", icon=":material/block:", expanded=count <= 3):
        rows: list[dict[str, Any]] = [{"File": path, "Reason": reason} for path, reason in entries[:_MOST_SKIPPED]]
        st.dataframe(rows, hide_index=True, alt=f"Table of skipped files, {len(rows)} of {count}.")
        if count > len(rows):
            st.caption(f"The first {fmt_int(len(rows))} of {fmt_int(count)}.")


def sample_cards(index: "ImageIndex") -> list[Card]:
    """Cards of evenly spaced pictures of the pool, ordered by target."""
    rows = np.flatnonzero(np.array(index.parts) == "train")
    if index.targets is not None:
        rows = rows[np.argsort(index.targets[rows], kind="stable")]
    rows = rows[np.linspace(0, len(rows) - 1, min(_THUMBNAILS, len(rows))).astype(int)]
    cards = []
    for row in rows.tolist():
        caption = _caption(index, row)
        cards.append(Card(index.images.png(row, size=_PIXELS), caption, f"{index.ids[row]}, {caption}", chosen=False))
    return cards


def _caption(index: "ImageIndex", row: int) -> str:
    if index.labels is not None:
        label = str(index.labels[row])
        return "no label" if label in ("", "nan") else label
    if index.targets is None:
        return index.ids[row]
    value = index.targets[row]
    return index.class_names[int(value)] if index.class_names else fmt_number(float(value))
