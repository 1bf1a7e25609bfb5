"""What stands in the legend of a map: classes, or chosen and pool, each with its points, colours and counts."""

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from dashboard.components.shared.points import NO_LABEL, class_order, has_classes
from dashboard.components.shared.theme import CHOSEN_COLOUR, POOL_COLOUR, SEQUENTIAL, class_style

MAX_LEGEND = 12
_LEVELS = 64
MEASURES = {
    "target": "Target",
    "weight": "Weight",
    "score": "Method score",
    "leverage": "Leverage",
    "distance": "Distance to nearest chosen",
}


@dataclass(frozen=True)
class Group:
    """One entry of the legend.

    Attributes:
        name: of the entry, distinct on the map.
        text: what the legend says, with counts.
        members: (drawn,) bool, its points.
        colour: of all its points, or (drawn,) colours of all points drawn.
        symbol: of its points; None leaves the shape to tell chosen from not.
        single: the class that all its points have, or None.
        key_symbol: shape in the legend.
        key_colour: colour in the legend.
    """

    name: str
    text: str
    members: np.ndarray
    colour: str | np.ndarray
    symbol: str | None
    single: str | None
    key_symbol: str
    key_colour: str

    def colours(self, members: np.ndarray) -> str | np.ndarray:
        """One colour for all these points, or one each."""
        return self.colour if isinstance(self.colour, str) else self.colour[members]

    def key(self) -> go.Scatter:
        """An empty trace that carries the entry in the legend."""
        marker = {"color": self.key_colour, "symbol": self.key_symbol, "size": 9}
        return go.Scatter(
            x=[None], y=[None], mode="markers", name=escape(self.text),
            legendgroup=self.name, marker=marker, showlegend=True,
        )  # fmt: skip


def groups_of(drawn: pd.DataFrame, points: pd.DataFrame, chosen: np.ndarray, colour: str) -> list[Group]:
    """Sort the points drawn into legend entries; counts are those of the whole pool.

    Args:
        drawn: points on the map.
        points: the pool.
        chosen: (N,) bool, which of the pool are chosen.
        colour: "label", "chosen", or a numeric column of the points.
    """
    if colour == "label" and has_classes(points):
        return _class_groups(drawn, points, chosen)
    picked = chosen[drawn["position"].to_numpy()]
    colours: tuple[str | np.ndarray, str | np.ndarray] = (POOL_COLOUR, CHOSEN_COLOUR)
    if colour != "chosen":
        scale = value_colours(drawn[colour])
        colours = (scale, scale)
    plain = colour != "chosen"
    count = int(chosen.sum())
    return [
        Group("pool", f"Pool {len(points) - count:,}", ~picked, colours[0], None, None, "circle", POOL_COLOUR),
        Group(
            "chosen", f"Chosen {count:,} / {len(points):,}", picked, colours[1], None, None, "diamond",
            POOL_COLOUR if plain else CHOSEN_COLOUR,
        ),
    ]  # fmt: skip


def _class_groups(drawn: pd.DataFrame, points: pd.DataFrame, chosen: np.ndarray) -> list[Group]:
    names = class_order(points)
    whole = pd.Categorical(points["label"], categories=names).codes
    codes = whole[drawn["position"].to_numpy()]
    sizes = np.bincount(whole[whole >= 0], minlength=len(names))
    picked = np.bincount(whole[chosen & (whole >= 0)], minlength=len(names))
    largest = np.argsort(-sizes, kind="stable")
    own = np.sort(largest if len(names) <= MAX_LEGEND else largest[: MAX_LEGEND - 1])
    styles = [class_style(index) for index in range(len(names))]
    groups = [
        Group(
            f"class {index}", f"{names[index]} · {picked[index]:,} / {sizes[index]:,}", codes == index,
            styles[index][0], styles[index][1], names[index], styles[index][1], styles[index][0],
        )
        for index in own.tolist()
    ]  # fmt: skip
    others, unlabelled = ~np.isin(codes, own) & (codes >= 0), codes < 0
    if others.any():
        outside = ~np.isin(whole, own) & (whole >= 0)
        table = np.array([style[0] for style in styles])
        text = f"{len(names) - len(own):,} other classes · {int((chosen & outside).sum()):,} / {int(outside.sum()):,}"
        colours = np.where(others, table[codes], POOL_COLOUR)
        groups.append(Group("others", text, others, colours, None, None, "circle", POOL_COLOUR))
    if unlabelled.any():  # plotly leaves points without a value out of coloured groups
        text = f"{NO_LABEL} · {int((chosen & (whole < 0)).sum()):,} / {int((whole < 0).sum()):,}"
        groups.append(Group("unlabelled", text, unlabelled, POOL_COLOUR, None, None, "circle", POOL_COLOUR))
    return groups


def value_colours(values: pd.Series) -> np.ndarray:
    """Colours of numbers between their 1st and 99th percentile; what is missing has the colour of the pool."""
    numbers = values.to_numpy(dtype=np.float64)
    low, high = limits(values)
    scaled = np.clip((numbers - low) / ((high - low) or 1.0), 0, 1)
    table = np.array(sample_colorscale(SEQUENTIAL, _LEVELS))
    level = np.nan_to_num(scaled * (_LEVELS - 1), nan=0.0, posinf=_LEVELS - 1).astype(int)
    return np.where(np.isfinite(numbers), table[level], POOL_COLOUR)


def limits(values: pd.Series) -> tuple[float, float]:
    """1st and 99th percentile of the finite numbers."""
    numbers = values.to_numpy(dtype=np.float64)
    finite = numbers[np.isfinite(numbers)]
    low, high = np.percentile(finite, (1, 99)) if len(finite) else (0.0, 1.0)
    return float(low), float(high)


def colour_bar(title: str, values: pd.Series) -> go.Scatter:
    """An empty trace that carries the colour bar."""
    low, high = limits(values)
    return go.Scatter(
        x=[None],
        y=[None],
        mode="markers",
        showlegend=False,
        hoverinfo="skip",
        marker={
            "color": [low],
            "cmin": low,
            "cmax": high if high > low else low + 1,
            "colorscale": SEQUENTIAL,
            "showscale": True,
            "colorbar": {"title": {"text": escape(title), "side": "right"}, "thickness": 12, "outlinewidth": 0},
        },
    )
