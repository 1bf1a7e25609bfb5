"""Which points two to four selections of one pool share: every combination counted, and drawn.

The chart follows UpSet (Lex et al., 2014): a row a combination, dots for the selections that it holds, a bar for the
points that exactly those selections chose.
"""

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from dashboard.components.shared.answered_chart import Answer, Panel
from dashboard.components.shared.theme import POOL_COLOUR, escape, figure_layout, fmt_int, fmt_number, plural
from skmm_core.report import run_style

LETTERS = "ABCD"
_ROW_PIXELS = 30


@dataclass(frozen=True)
class Region:
    """The points that exactly these selections chose.

    Attributes:
        members: numbers of the selections, ascending.
        positions: places in the pool, ascending.
    """

    members: tuple[int, ...]
    positions: tuple[int, ...]


def regions(selections: Sequence[Collection[int]]) -> tuple[Region, ...]:
    """Sort every chosen point into the one combination of selections that chose it.

    Args:
        selections: positions in one pool, one collection a selection.

    Returns:
        All 2^k - 1 combinations of k selections, also those without a point: most points first, then fewest members.
    """
    members: dict[int, tuple[int, ...]] = {}
    for number, chosen in enumerate(selections):
        for position in set(chosen):
            members[position] = (*members.get(position, ()), number)
    found: dict[tuple[int, ...], list[int]] = {combination: [] for combination in _combinations(len(selections))}
    for position in sorted(members):
        found[members[position]].append(position)
    made = (Region(combination, tuple(positions)) for combination, positions in found.items())
    return tuple(sorted(made, key=lambda region: (-len(region.positions), len(region.members), region.members)))


def shared(found: Sequence[Region], wanted: Collection[int]) -> int:
    """Number of points that all these selections chose, whoever else did."""
    return sum(len(region.positions) for region in found if set(wanted) <= set(region.members))


def chance_overlap(sizes: tuple[int, int], pool_size: int) -> float:
    """Points that two independent uniform picks of these sizes share on average: n1 · n2 / N."""
    return sizes[0] * sizes[1] / pool_size


def region_name(region: Region, count: int) -> str:
    """(0,) → "Only A"; (0, 1) of two → "A and B"; (0, 1) of three → "A and B, not C"."""
    letters = [LETTERS[number] for number in region.members]
    if len(letters) == 1:
        return f"Only {letters[0]}"
    others = [LETTERS[number] for number in range(count) if number not in region.members]
    return _and(letters) + (f", not {_and(others, 'or')}" if others else "")


def region_points(points: pd.DataFrame, region: Region) -> pd.DataFrame:
    """Rows of a region in the pick order of the selection that the table belongs to.

    Args:
        points: of :func:`~dashboard.components.shared.points.merge_points`, of a member of the region.
        region: which points.
    """
    rows = points[points["position"].isin(region.positions)].sort_values("rank", kind="stable", ignore_index=True)
    return rows.assign(chosen=True)


def overlap_answer(found: Sequence[Region], labels: Sequence[str], pool_size: int) -> Answer:
    """Draw the count of every combination, and say what each two share beside what chance would give.

    Args:
        found: of :func:`regions`.
        labels: name of each selection.
        pool_size: N.
    """
    count = len(labels)
    parts = []
    for pair in itertools.combinations(range(count), 2):
        sizes = (shared(found, pair[:1]), shared(found, pair[1:]))
        by_chance = fmt_number(chance_overlap(sizes, pool_size), 2)
        names = _and([f"**{LETTERS[number]}**" for number in pair])
        parts.append(f"{names} share **{fmt_int(shared(found, pair))}** of {_sizes(sizes)} points ({by_chance})")
    everyone = fmt_int(shared(found, range(count)))
    start = f"All {count} share **{everyone}**. " if count > 2 else ""
    sentence = f"{start}{'; '.join(parts)}. In brackets: what random picks of these sizes share on average."
    names = ", ".join(f"{LETTERS[number]} {escape(label)}" for number, label in enumerate(labels))
    counts = "; ".join(f"{region_name(region, count)} {len(region.positions)}" for region in found)
    alt = f"Points by the selections that chose them. {names}. {counts}."
    return Answer(
        "Do they choose the same points?",
        sentence,
        (Panel("", _figure(found, count), alt),),
        "A row for every combination: the dots say which selections, the bar how many points exactly those chose.",
    )


def _figure(found: Sequence[Region], count: int) -> go.Figure:
    rows = [str(number) for number in range(len(found))]
    names = [region_name(region, count) for region in found]
    figure = go.Figure()
    for number in range(count):
        style, inside = run_style(number), [number in region.members for region in found]
        figure.add_scatter(
            x=[LETTERS[number]] * len(found), y=rows, mode="markers", xaxis="x2", hoverinfo="skip",
            marker={
                "size": [13 if is_in else 5 for is_in in inside],
                "color": [style.colour if is_in else POOL_COLOUR for is_in in inside],
                "symbol": [style.symbol if is_in else "circle" for is_in in inside],
            },
        )  # fmt: skip
    counts = [len(region.positions) for region in found]
    alone = [run_style(region.members[0]).colour if len(region.members) == 1 else POOL_COLOUR for region in found]
    figure.add_bar(
        x=counts, y=rows, orientation="h", text=[fmt_int(size) for size in counts], textposition="outside",
        marker={"color": alone}, customdata=names, cliponaxis=False,
        hovertemplate="%{customdata}: %{x:,} points<extra></extra>",
    )  # fmt: skip
    figure_layout(figure, height=90 + _ROW_PIXELS * len(found), legend=False)
    dots = 0.06 * count + 0.04
    figure.update_layout(
        xaxis={"title": "points", "domain": [dots + 0.02, 1], "range": [0, 1.12 * max(*counts, 1)]},
        xaxis2={"domain": [0, dots], "side": "top", "anchor": "y", "showgrid": False, "fixedrange": True},
        yaxis={"autorange": "reversed", "showticklabels": False, "showgrid": False, "type": "category"},
        margin={"t": 28},
        bargap=0.35,
    )
    return figure


def _combinations(count: int) -> list[tuple[int, ...]]:
    sizes = range(1, count + 1)
    return [members for size in sizes for members in itertools.combinations(range(count), size)]


def _sizes(sizes: tuple[int, int]) -> str:
    return fmt_int(sizes[0]) if sizes[0] == sizes[1] else f"{fmt_int(sizes[0])} and {fmt_int(sizes[1])}"


def _and(words: Sequence[str], last: str = "and") -> str:
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def region_title(region: Region, count: int) -> str:
    """Name and size of a region: "Only A · 26 points"."""
    return f"{region_name(region, count)} · {plural(len(region.positions), 'point')}"
