"""Points as pictures or as cards of text, page by page, linked to the map."""

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from dashboard.components.shared.points import has_classes, has_values
from dashboard.components.shared.text_cards import TextCard, text_cards_html
from dashboard.components.shared.theme import CHOSEN_COLOUR, fmt_number

if TYPE_CHECKING:
    from skmm_core.data import Dataset

PICTURES, TEXTS = "Pictures", "Texts"
_PER_PAGE = {PICTURES: 36, TEXTS: 24}
_THUMB, _PIXELS = 72, 160
_WIDTH_BYTES = slice(16, 20)  # of a PNG file's header
_STYLE = """
<style>
  .skmm-gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(76px, 1fr)); gap: 8px; }
  .skmm-gallery figure { margin: 0; padding: 4px; border-radius: 8px; text-align: center;
    border: 1px solid rgba(128, 140, 152, 0.28); }
  .skmm-gallery figure.chosen { border: 2px solid COLOUR; padding: 3px; }
  .skmm-gallery img { width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: 4px; display: block;
    background: rgba(128, 140, 152, 0.12); }
  .skmm-gallery img.tiny { image-rendering: pixelated; }
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

    Chosen points are framed where others stand beside them. Tiny pictures are enlarged with hard pixel edges.
    """
    mixed = any(not card.chosen for card in cards)
    figures = "".join(
        f'<figure class="{"chosen" if card.chosen and mixed else "plain"}" title="{escape(card.alt)}">'
        f'<img class="{"tiny" if _width(card.png) < _THUMB else "plain"}" '
        f'src="data:image/png;base64,{base64.b64encode(card.png).decode()}" alt="{escape(card.alt)}" '
        f'width="{_THUMB}" height="{_THUMB}" loading="lazy"><figcaption>{escape(card.caption)}</figcaption></figure>'
        for card in cards
    )
    return f'{_STYLE}<div class="skmm-gallery">{figures}</div>'


def _width(png: bytes) -> int:
    """Pixels a row of a PNG file."""
    return int.from_bytes(png[_WIDTH_BYTES], "big")


@dataclass(frozen=True)
class PointCards:
    """How the points of a dataset are shown.

    Attributes:
        title: "Pictures" or "Texts".
        html: of rows of :func:`~dashboard.components.shared.points.linked_points`.
    """

    title: str
    html: Callable[[pd.DataFrame], str]


def pool_cards(dataset: "Dataset", query: str = "") -> PointCards | None:
    """How the points of a dataset are shown: as its pictures, else as its texts; None when it has neither.

    Args:
        dataset: whose pool the points are.
        query: words to mark in the texts.
    """
    picture, texts, rows = pool_picture(dataset), dataset.texts, dataset.split.train
    if picture is not None:
        return PointCards(PICTURES, lambda shown: gallery_html(point_cards(shown, picture)))
    if texts is not None:
        return PointCards(
            TEXTS, lambda shown: text_cards_html(point_texts(shown, lambda at: texts.text(int(rows[at]))), query)
        )
    return None


def pool_picture(dataset: "Dataset") -> Callable[[int], bytes] | None:
    """Function that draws the picture of a position in the pool; None when the dataset has no pictures.

    Tiny pictures are sent as they are and enlarged by the browser, with hard pixel edges.
    """
    images = dataset.images
    if images is None:
        return None
    rows, size = dataset.split.train, min(_PIXELS, images.longest)
    return lambda position: images.png(int(rows[position]), size=size)


def point_cards(shown: pd.DataFrame, png: Callable[[int], bytes]) -> list[Card]:
    """Thumbnails of points.

    Args:
        shown: rows of :func:`~dashboard.components.shared.points.linked_points`.
        png: picture of a position in the pool.
    """
    return [
        Card(png(each.position), " · ".join(filter(None, (each.order, each.what or each.id))), each.name, each.chosen)
        for each in _described(shown)
    ]


def point_texts(shown: pd.DataFrame, text: Callable[[int], str]) -> list[TextCard]:
    """Cards of points.

    Args:
        shown: rows of :func:`~dashboard.components.shared.points.linked_points`.
        text: of a position in the pool.
    """
    return [
        TextCard(
            text(each.position), " · ".join(filter(None, (each.order, each.what, each.id))), each.name, each.chosen
        )
        for each in _described(shown)
    ]


@dataclass(frozen=True)
class _Described:
    """A point in words: its order as "#3", what its target is, and all of it as one name."""

    position: int
    id: str
    order: str
    what: str
    name: str
    chosen: bool


def _described(shown: pd.DataFrame) -> Iterator[_Described]:
    named, measured = has_classes(shown), has_values(shown, "target")
    columns = [shown[name].tolist() for name in ("position", "rank", "chosen", "id", "label", "target")]
    for position, rank, chosen, id_, label, target in zip(*columns, strict=True):
        what = ("" if pd.isna(label) else str(label)) if named else fmt_number(target) if measured else ""
        pick = f"chosen as number {rank + 1}" if chosen else "not chosen"
        name = ", ".join(filter(None, (str(id_), what, pick)))
        yield _Described(position, str(id_), f"#{rank + 1}" if chosen else "", what, name, bool(chosen))


def gallery(shown: pd.DataFrame, cards: PointCards, *, key: str, per_page: int | None = None) -> None:
    """Draw the points page by page.

    Args:
        shown: rows of :func:`~dashboard.components.shared.points.linked_points`.
        cards: of :func:`pool_cards`.
        key: of the page control, distinct on the page.
        per_page: points at once; None takes what is usual for them.
    """
    count = per_page or _PER_PAGE[cards.title]
    pages = max(1, -(-len(shown) // count))
    holder = st.container()
    page = st.pagination(pages, key=f"{key}-{pages}") if pages > 1 else 1
    holder.html(cards.html(shown.iloc[(page - 1) * count : page * count]))
