"""Thumbnails of points, linked to the map."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from dashboard.components.points import has_classes, has_values
from dashboard.components.theme import CHOSEN_COLOUR, fmt_number

if TYPE_CHECKING:
    from skmm_core.data.dataset import Dataset

PER_PAGE = 36
_THUMB = 72
_STYLE = """
<style>
  .skmm-gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(76px, 1fr)); gap: 8px; }
  .skmm-gallery figure { margin: 0; padding: 4px; border-radius: 8px; text-align: center;
    border: 1px solid rgba(128, 140, 152, 0.28); }
  .skmm-gallery figure.chosen { border: 2px solid COLOUR; padding: 3px; }
  .skmm-gallery img { width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: 4px; display: block;
    image-rendering: pixelated; background: rgba(128, 140, 152, 0.12); }
  .skmm-gallery figcaption { font-size: 0.75rem; line-height: 1.3; margin-top: 3px; white-space: nowrap;
    overflow: hidden; text-overflow: ellipsis; font-variant-numeric: tabular-nums; }
</style>
""".replace("COLOUR", CHOSEN_COLOUR)


@dataclass(frozen=True)
class Card:
    """One thumbnail.

    Attributes:
        png: the picture.
        caption: short line under it.
        alt: what it is, for people who cannot see it.
        chosen: whether it is framed as a chosen point.
    """

    png: bytes
    caption: str
    alt: str
    chosen: bool


def gallery_html(cards: Sequence[Card]) -> str:
    """A grid of thumbnails that fills the width it gets; every text from a file is escaped.

    Chosen points are framed where others stand beside them.
    """
    mixed = any(not card.chosen for card in cards)
    figures = "".join(
        f'<figure class="{"chosen" if card.chosen and mixed else "plain"}" title="{escape(card.alt)}">'
        f'<img src="data:image/png;base64,{base64.b64encode(card.png).decode()}" alt="{escape(card.alt)}" '
        f'width="{_THUMB}" height="{_THUMB}" loading="lazy"><figcaption>{escape(card.caption)}</figcaption></figure>'
        for card in cards
    )
    return f'{_STYLE}<div class="skmm-gallery">{figures}</div>'


def point_cards(shown: pd.DataFrame, png: Callable[[int], bytes]) -> list[Card]:
    """Cards of points.

    Args:
        shown: rows of :func:`~dashboard.components.points.linked_points`.
        png: picture of a position in the pool.
    """
    cards = []
    for point in shown.itertuples():
        what = _what(point, shown)
        pick = f"chosen as number {point.rank + 1}" if point.chosen else "not chosen"
        cards.append(
            Card(
                png=png(int(point.position)),
                caption=" · ".join(filter(None, (f"#{point.rank + 1}" if point.chosen else "", what or str(point.id)))),
                alt=", ".join(filter(None, (str(point.id), what, pick))),
                chosen=bool(point.chosen),
            )
        )
    return cards


def _what(point: object, shown: pd.DataFrame) -> str:
    if has_classes(shown):
        return str(getattr(point, "label", ""))
    return fmt_number(float(getattr(point, "target", "nan"))) if has_values(shown, "target") else ""


def pool_picture(dataset: "Dataset") -> Callable[[int], bytes] | None:
    """Function that draws the picture of a position in the pool; None when the dataset has no pictures."""
    images = dataset.images
    if images is None:
        return None
    rows = dataset.split.train
    return lambda position: images.png(int(rows[position]), size=_THUMB)


def gallery(shown: pd.DataFrame, png: Callable[[int], bytes], *, key: str, per_page: int = PER_PAGE) -> None:
    """Draw the points page by page.

    Args:
        shown: rows of :func:`~dashboard.components.points.linked_points`.
        png: picture of a position in the pool.
        key: of the page control, distinct on the page.
        per_page: thumbnails at once.
    """
    pages = max(1, -(-len(shown) // per_page))
    holder = st.container()
    page = st.pagination(pages, key=f"{key}-{pages}") if pages > 1 else 1
    part = shown.iloc[(page - 1) * per_page : page * per_page]
    holder.html(gallery_html(point_cards(part, png)))
