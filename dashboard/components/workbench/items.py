"""Points of a pool as what the gallery, the table and a detail draw of them."""

import base64
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from dashboard.components.shared.points import has_classes, has_values
from dashboard.components.shared.text_cards import harmless, start_of
from dashboard.components.shared.theme import fmt_number
from dashboard.components.workbench.bench import Bench
from dashboard.components.workbench.point_grid import PICTURES, TABLE, TEXTS, Item, Layout
from dashboard.services.pool_columns import Words

_PIXELS, _TINY = 256, 72
_MOST_FEATURES = 40  # columns of the table
_MOST_CELL = 120  # characters
_MEASURES = {"weight": "Weight", "score": "Score", "leverage": "Leverage", "distance": "Distance"}


def layouts(bench: Bench) -> list[Layout]:
    """How the points of a pool can be shown, the usual way first."""
    found: list[Layout] = []
    if bench.dataset is not None and bench.dataset.images is not None:
        found.append(PICTURES)
    if bench.columns.texts is not None:
        found.append(TEXTS)
    return [*found, TABLE]


def items_of(bench: Bench, positions: Sequence[int], layout: Layout, *, query: str = "") -> list[Item]:
    """Points to draw, in this order.

    Args:
        bench: everything of the pool.
        positions: of the points.
        layout: as what they are drawn.
        query: words that are looked for; a long text is shown from the first of them on.
    """
    picture = _pictures(bench) if layout == PICTURES else None
    cells = _cells(bench, positions) if layout == TABLE else [()] * len(positions)
    texts, found = bench.columns.texts, []
    for position, row in zip(positions, cells, strict=True):
        head, name = words_of(bench, position)
        src, tiny = picture(position) if picture else (None, False)
        text = start_of(harmless(texts.text(position)), query) if layout == TEXTS and texts is not None else None
        chosen = bool(bench.where.states["chosen"][position])
        found.append(Item(position, head, name, chosen, src, tiny, text, row))
    return found


def words_of(bench: Bench, position: int) -> tuple[str, str]:
    """A point in a short line ("#3 · cat"), and in all words that say which it is."""
    id_, rank = str(bench.columns.ids[position]), int(bench.rank[position])
    target = target_text(bench, position)
    order = f"#{rank + 1}" if rank >= 0 else ""
    stands = bench.where.words(position)
    tags = [name for name, mask in bench.where.tags.items() if mask[position]]
    head = " · ".join(filter(None, (order, target, id_)))
    name = ", ".join(filter(None, (id_, target, *(word.lower() for word in stands), *(f"tag {name}" for name in tags))))
    return head, name


def target_text(bench: Bench, position: int) -> str:
    """The label or target of a point in words; empty where it has none."""
    label = bench.where.labels[position]
    if label is not None:
        return str(label)
    if not has_classes(bench.points) and has_values(bench.points, "target"):
        value = float(bench.points["target"].to_numpy()[position])
        return "" if np.isnan(value) else fmt_number(value)
    return ""


def heads(bench: Bench) -> list[str]:
    """Heads of the table."""
    texts = ["Text"] if bench.columns.texts is not None else []
    features = list(bench.columns.features)[:_MOST_FEATURES]
    return ["Pick", "Id", "Label", "State", *texts, *bench.columns.beside, *_measured(bench), *features]


def _cells(bench: Bench, positions: Sequence[int]) -> list[tuple[str, ...]]:
    """Rows of the table, a text a cell."""
    columns, texts = bench.columns, bench.columns.texts
    measured = {name: bench.points[name].to_numpy() for name in _measured_columns(bench)}
    rows = []
    for position in positions:
        rank = int(bench.rank[position])
        row = [f"{rank + 1}" if rank >= 0 else "", str(columns.ids[position]), target_text(bench, position)]
        row.append(", ".join(bench.where.words(position)))
        row += [_cut(texts.text(position))] if texts is not None else []
        row += [_cell(column, position) for column in columns.beside.values()]
        row += ["" if pd.isna(values[position]) else fmt_number(values[position]) for values in measured.values()]
        row += [_cell(column, position) for column in list(columns.features.values())[:_MOST_FEATURES]]
        rows.append(tuple(row))
    return rows


def _cell(column: object, position: int) -> str:
    if isinstance(column, Words):
        value = column.values[position].as_py()
        return "" if value is None else _cut(str(value))
    number = float(column.values[position])  # type: ignore[attr-defined]
    return "" if np.isnan(number) else f"{number:.6g}"


def _cut(text: str) -> str:
    text = " ".join(harmless(text).split())
    return text if len(text) <= _MOST_CELL else f"{text[: _MOST_CELL - 1]}…"


def _measured_columns(bench: Bench) -> list[str]:
    return [name for name in _MEASURES if has_values(bench.points, name)]


def _measured(bench: Bench) -> list[str]:
    return [_MEASURES[name] for name in _measured_columns(bench)]


def _pictures(bench: Bench) -> Callable[[int], tuple[str | None, bool]] | None:
    """Function that gives the address of a position's picture, and whether it keeps hard pixel edges."""
    if bench.dataset is None or bench.dataset.images is None:
        return None
    images, rows = bench.dataset.images, bench.dataset.split.train
    size = min(_PIXELS, images.longest)

    def draw(position: int) -> tuple[str, bool]:
        png = images.png(int(rows[position]), size=size)
        return f"data:image/png;base64,{base64.b64encode(png).decode()}", size < _TINY

    return draw
