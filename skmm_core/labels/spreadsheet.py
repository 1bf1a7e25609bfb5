"""Spreadsheets: a csv file to fill in. Ids and texts in it are neither run as formulas nor rewritten as numbers."""

import csv
import io
import re
from pathlib import Path

from skmm_core.labels.outgoing import Cell, Exported, Outgoing
from skmm_core.storage import write_text

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "'")
_PLAIN_NUMBER = re.compile(r"0|[1-9]\d{0,14}")
# What spreadsheet programs take for a number or a date, and write back as another text.
_REWRITTEN = re.compile(
    r"[\d.,:/\s%$€+-]*\d[\d.,:/\s%$€+-]*(e[+-]?\d+)?|true|false|"
    r"\d{0,4}[-/\s.]?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[-/\s.]?\d{0,4}(\s*[ap]m)?",
    re.IGNORECASE,
)
_NOTES = ("Fill in the column label and save it as csv; an empty label means not labelled yet.",)


def write_spreadsheet(out: Outgoing, path: Path) -> Exported:
    """Write id, batch, order, text, the columns of the upload and an empty label.

    Raises:
        OSError: the file cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    extra = ["text"] if out.has_texts else []
    extra += ["image"] if out.has_pictures else []
    writer.writerow(["id", "batch", "order", *extra, *map(guarded_text, out.column_names.values()), "label"])
    for row in out.rows:
        more = {"text": row.text, "image": row.picture}
        cells = [more[name] for name in extra] + [row.columns.get(name) for name in out.column_names]
        writer.writerow([guarded_id(row.id), row.batch, row.order, *map(_cell, cells), ""])
    write_text(path, "\ufeff" + text.getvalue())  # the mark tells spreadsheet programs that this is UTF-8
    return Exported(path, len(out.rows), _NOTES)


def guarded_id(id_: str) -> str:
    """The id behind an apostrophe where a spreadsheet program would run it or write it back as another text."""
    rewritten = _REWRITTEN.fullmatch(id_.strip()) and not _PLAIN_NUMBER.fullmatch(id_)
    return f"'{id_}" if rewritten or id_ != id_.strip() or id_.startswith(_FORMULA) else id_


def guarded_text(text: str) -> str:
    """The text behind an apostrophe where a spreadsheet program would run it as a formula."""
    return f"'{text}" if text.startswith(_FORMULA[:-1]) else text


def _cell(value: Cell) -> Cell:
    return guarded_text(value) if isinstance(value, str) else value
