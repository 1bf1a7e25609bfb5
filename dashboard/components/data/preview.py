"""What was understood of a dataset, before anything long is started."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard.components.data.targets import targets_view
from dashboard.components.shared.encoder_mark import draw_marks
from dashboard.components.shared.gallery import Card, gallery_html, pool_picture
from dashboard.components.shared.text_cards import TextCard, text_cards_html
from dashboard.components.shared.theme import escape, fmt_int, fmt_number, notes
from skmm_core.data import LEFT_OUT, spread_notes

if TYPE_CHECKING:
    from skmm_core.data import Dataset, ReadLine

_THUMBNAILS, _TEXTS = 32, 12


def data_preview(dataset: "Dataset", *, scale: Callable[[], None] | None = None) -> None:
    """Draw size, task, balance of targets, notes of the reader, and a few of the pictures or texts.

    Args:
        dataset: to draw.
        scale: what asks for scaled columns, where a visitor may.
    """
    with st.container(horizontal=True, key="understood"):
        for label, value, help_ in facts(dataset):
            st.metric(label, value, help=help_, width="content")
    how_read(dataset.reading)
    warned = spread_notes(dataset.notes)
    notes([note for note in dataset.notes if note not in warned and not (dataset.reading and LEFT_OUT in note)])
    draw_marks(warned)
    if warned and scale is not None:
        st.button("Scale columns", key="data:scale", icon=":material/straighten:", on_click=scale)
    targets = dataset.targets
    targets_view(
        None if targets is None else targets[dataset.split.train].cpu().numpy(),
        dataset.class_names,
        heading="Targets of the pool",
        without=f"A part of the pool is labelled: {dataset.partly_labelled}. Methods without labels pick from all rows."
        if dataset.partly_labelled
        else "No targets: methods without labels can pick from this pool, but nothing can be scored. "
        "Name the target column to compare methods.",
    )
    picture = pool_picture(dataset)
    if picture is not None:
        st.markdown("##### A few of them")
        cards = [
            Card(picture(position), caption, f"{dataset.ids[row]}, {caption}", chosen=False)
            for position, row, caption in _sample(dataset, _THUMBNAILS)
        ]
        st.html(gallery_html(cards))
    else:
        _few_texts(dataset)


def _few_texts(dataset: "Dataset") -> None:
    """Draw a few of the texts of the pool; nothing where there are none."""
    texts = dataset.texts
    if texts is None:
        return
    st.markdown("##### A few of them")
    cards = [
        TextCard(
            texts.text(row), " · ".join(dict.fromkeys((caption, dataset.ids[row]))), dataset.ids[row], chosen=False
        )
        for _, row, caption in _sample(dataset, _TEXTS)
    ]
    st.html(text_cards_html(cards))


def how_read(lines: "Sequence[ReadLine]") -> None:
    """Draw how the file was read, line by line; nothing for data that are no file."""
    if not lines:
        return
    st.markdown("##### How your file was read")
    st.table(
        {
            "Part": [line.part for line in lines],
            "Taken": [escape(line.taken) for line in lines],
            "Why": [escape(line.why) for line in lines],
        }
    )


def facts(dataset: "Dataset") -> list[tuple[str, str, str]]:
    """Label, value and explanation of each number of a dataset."""
    split = dataset.split
    held_out, width = len(split.validation) + len(split.test), dataset.features.shape[1]
    found = [
        ("Pool", fmt_int(dataset.whole_size), "Rows that a method may pick from."),
        *([] if dataset.whole is None else [("Held", fmt_int(dataset.pool_size), "Rows that fit in memory.")]),
        *([("Features", fmt_int(width), "Numbers a row.")] if width else []),
        ("Task", str(dataset.task).capitalize(), "What the targets ask for."),
    ]
    if dataset.class_names:
        found.append(("Classes", fmt_int(dataset.n_classes), "Distinct targets."))
    where = f"{fmt_int(len(split.validation))} for validation, {fmt_int(len(split.test))} for the final test."
    found.append(("Held out", fmt_int(held_out), f"Rows that are never picked: {where}"))
    return found


def _sample(dataset: "Dataset", count: int) -> list[tuple[int, int, str]]:
    """Position, row and caption of evenly spaced pool points, ordered by class."""
    rows = dataset.split.train.cpu().numpy()
    positions = np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)
    targets = dataset.targets
    if targets is None:
        return [(int(position), int(rows[position]), dataset.ids[rows[position]]) for position in positions]
    values = targets.cpu().numpy()[rows]
    by_class = np.argsort(values, kind="stable")[positions]
    name = (lambda value: dataset.class_names[int(value)]) if dataset.class_names else (lambda v: fmt_number(float(v)))
    return [(int(position), int(rows[position]), name(values[position])) for position in by_class]
