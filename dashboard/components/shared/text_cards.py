"""Cards of text: what people read of points that have no picture. Every text is shown as it is, never as markup."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from dashboard.components.shared.theme import CHOSEN_COLOUR, fmt_int
from skmm_core.data import one_form

MOST_SENT = 20_000  # characters of one text that go to the browser
_LINES, _PER_LINE = 6, 50  # what a card shows at once; wide letters take two columns of a line
_COLUMNS = _LINES * _PER_LINE
_HOVER_LINES = 3
_BEFORE = 60  # characters before the first word found, where the text starts with others
_ENDS = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_SHOWN: dict[int, int | str] = {
    **{code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"},  # ␀ and its like
    0x7F: "\u2421",
    **dict.fromkeys((*range(0x80, 0xA0), 0x202D, 0x202E), "\ufffd"),  # also what turns the order of letters round
}
_STYLE = """
<style>
  .skmm-texts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(220px, 100%), 1fr)); gap: 10px; }
  .skmm-texts article { position: relative; min-width: 0; overflow: hidden; padding: 9px 11px; border-radius: 8px;
    border: 1px solid rgba(128, 140, 152, 0.4); }
  .skmm-texts article.chosen { border: 2px solid COLOUR; padding: 8px 10px; }
  .skmm-texts article:has(> details), .skmm-texts article.chosen:has(> details) { padding-bottom: 2rem; }
  .skmm-texts header { font-size: 0.75rem; line-height: 1.3; margin-bottom: 5px; opacity: 0.85; white-space: nowrap;
    overflow: hidden; text-overflow: ellipsis; font-variant-numeric: tabular-nums; }
  .skmm-texts .text { font-size: 0.9rem; line-height: 1.45; white-space: pre-wrap; overflow-wrap: anywhere;
    unicode-bidi: isolate; }
  .skmm-texts mark { background: #F0E442; color: #000; border-radius: 2px; }
  .skmm-texts summary { position: absolute; left: 11px; bottom: 7px; font-size: 0.8rem; line-height: 1.2;
    cursor: pointer; text-decoration: underline; list-style: none; border-radius: 2px; }
  .skmm-texts summary::after { content: "More"; }
  .skmm-texts details[open] > summary::after { content: "Less"; }
  .skmm-texts summary:focus-visible, .skmm-texts .whole:focus-visible { outline: 2px solid; outline-offset: 2px; }
  .skmm-texts article:has(> details[open]) > .text { display: none; }
  .skmm-texts .whole { max-height: 26rem; overflow-y: auto; }
  .skmm-texts .blank { opacity: 0.8; font-style: italic; }
  .skmm-texts .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
</style>
""".replace("COLOUR", CHOSEN_COLOUR)


@dataclass(frozen=True)
class TextCard:
    """One text.

    Attributes:
        text: all of it.
        caption: short line above it.
        name: what it is, for people who cannot see where it stands.
        chosen: whether it is framed as a chosen point.
    """

    text: str
    caption: str
    name: str
    chosen: bool


def text_cards_html(cards: Sequence[TextCard], query: str = "") -> str:
    """A grid of cards that fills the width it gets; long texts open on a click or by the keyboard.

    Chosen points are framed where others stand beside them.

    Args:
        cards: what to show.
        query: words to mark in the texts.
    """
    mixed = any(not card.chosen for card in cards)
    return f'{_STYLE}<div class="skmm-texts">{"".join(_card(card, query, mixed=mixed) for card in cards)}</div>'


def _card(card: TextCard, query: str, *, mixed: bool) -> str:
    text = harmless(card.text)
    start = start_of(text, query)
    shown = f'<div class="text" dir="auto">{marked_words(start, query)}</div>'
    if not text.strip():
        shown = '<div class="text blank">no text</div>'
    more = ""
    if start != text.strip():
        whole = marked_words(text.strip()[:MOST_SENT], query)
        cut = len(text.strip()) - MOST_SENT
        note = f'<p class="blank">… and {fmt_int(cut)} more characters.</p>' if cut > 0 else ""
        more = (
            f'<details><summary><span class="hidden">{escape(card.name)}: </span></summary>'
            f'<div class="text whole" dir="auto" tabindex="0">{whole}{note}</div></details>'
        )
    frame = "chosen" if card.chosen and mixed else "plain"
    return (
        f'<article class="{frame}" aria-label="{escape(card.name)}"><header title="{escape(card.name)}">'
        f"<bdi>{escape(card.caption)}</bdi></header>{shown}{more}</article>"
    )


def harmless(text: str) -> str:
    """Text in one Unicode form, with line ends of one kind, and signs in the place of characters that control it."""
    return _ENDS.sub("\n", one_form(text)).translate(_SHOWN)


def start_of(text: str, query: str = "") -> str:
    """The part of a text that a card shows: its start, or what stands around the first word found.

    Args:
        text: of :func:`harmless`.
        query: words that are looked for.

    Returns:
        The text itself without white space around it when it is short; else a part, with … where it is cut.
    """
    text = text.strip()
    end = _end(text, 0)
    if end == len(text):
        return text
    words = _pattern(query)
    found = words.search(text) if words else None
    begin = 0
    if found is not None and found.end() > end:
        begin = max(0, found.start() - _BEFORE)
        begin = max(begin, text.find(" ", begin, found.start()) + 1)
        end = _end(text, begin)
    cut = text[begin:end]
    if end < len(text):
        whole_words = re.sub(r"\s+\S*$", "", cut)
        cut = whole_words if len(whole_words) > len(cut) // 2 else cut
    return f"{'… ' if begin else ''}{cut.strip()}{' …' if end < len(text) else ''}"


def hover_lines(start: str) -> str:
    """The start of a text as a few lines of plotly's markup, for what shows when the pointer rests on a point."""
    text = " ".join(harmless(start).split())
    cut = text[: _HOVER_LINES * _PER_LINE]
    lines = [cut[place : place + _PER_LINE] for place in range(0, len(cut), _PER_LINE)]
    return "<br>".join(map(escape, lines)) + (" …" if len(text) > len(cut) else "")


def _end(text: str, begin: int) -> int:
    """Where a card that starts there is full."""
    columns, lines = 0, 0
    for place in range(begin, min(len(text), begin + _COLUMNS + _LINES)):
        if text[place] == "\n":
            lines += 1
            columns = -(-columns // _PER_LINE) * _PER_LINE
        else:
            columns += 2 if unicodedata.east_asian_width(text[place]) in "WF" else 1
        if columns > _COLUMNS or lines >= _LINES:
            return place
    return min(len(text), begin + _COLUMNS + _LINES)


def marked_words(text: str, query: str) -> str:
    """HTML of a text with the words of a query marked; what the text holds is escaped."""
    words = _pattern(query)
    if words is None:
        return escape(text)
    parts, place = [], 0
    for found in words.finditer(text):
        parts += [escape(text[place : found.start()]), f"<mark>{escape(found[0])}</mark>"]
        place = found.end()
    return "".join([*parts, escape(text[place:])])


def _pattern(query: str) -> re.Pattern[str] | None:
    """Finds any word of a query, in whatever case; None where there is none."""
    words = sorted({re.escape(word) for word in one_form(query).split()}, key=len, reverse=True)
    return re.compile("|".join(words), re.IGNORECASE) if words else None
