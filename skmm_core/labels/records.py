"""Files of records: JSON, JSON lines and tables, read within limits; and the safe way to read XML."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

from skmm_core.data import TableFile, check_file, check_names, kind_of, plain_file, read_table_file
from skmm_core.errors import InputError

TEXT_KINDS = (".csv", ".tsv")
LINE_KINDS = (".jsonl", ".ndjson")
TABLE_KINDS = (".parquet", ".feather", ".arrow")
MOST_BYTES = 512 << 20  # of a file that becomes Python objects, which take some ten times as much
_MOST_ELEMENTS = 20_000_000
_DEEPEST = 100

Record = Mapping[str, Any]


def read_json_file(path: Path) -> Any:
    """Whatever a JSON file holds; a list of its lines where it holds one object a line.

    Raises:
        InputError: it is no JSON, too large or nested too deep.
    """
    check_file(path, kinds=(".json", *LINE_KINDS))
    with plain_file(path) as plain:
        return parse_json(_content(plain, path.name), path.name, lines=kind_of(path) in LINE_KINDS)


def parse_json(content: bytes, where: str, *, lines: bool = False) -> Any:
    """What JSON text holds.

    Args:
        content: UTF-8.
        where: name for messages.
        lines: whether each line is one object.

    Raises:
        InputError: it is no JSON, or nested too deep.
    """
    try:
        text = content.decode("utf-8-sig")
        if not lines:
            return json.loads(text)
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    except UnicodeDecodeError:
        raise InputError(f"{where} is not UTF-8 text; export it again") from None
    except RecursionError:
        raise InputError(f"{where} is nested too deep to be an export; export it again") from None
    except ValueError as error:
        if not lines and "Extra data" in str(error):
            return parse_json(content, where, lines=True)
        raise InputError(f"{where} is no valid JSON ({str(error)[:80]}); export it again") from None


def read_text_table(path: Path) -> TableFile:
    """A table of names and labels: cells of a csv file are text, and its first line always names the columns.

    Raises:
        InputError: it is no readable table.
    """
    file = read_table_file(path, lambda name: True)
    if not file.unnamed or not file.rows:
        return file
    # Where a name of a column stands in a row again, the line of names was taken for a row.
    names = [
        str(column[0].as_py() or "").strip() or f"column {place}" for place, column in enumerate(file.table.columns)
    ]
    check_names(names, file.where)
    return replace(file, table=file.table.slice(1).rename_columns(names), rows=file.rows - 1, unnamed=False)


def read_rows(path: Path) -> list[Record]:
    """Rows of a table by column; see :func:`read_text_table`.

    Raises:
        InputError: it is no readable table.
    """
    check_file(path, kinds=(*TEXT_KINDS, *TABLE_KINDS))
    return list(read_text_table(path).table.to_pylist())


def parse_xml(content: bytes, where: str) -> ElementTree.Element:
    """The root of an XML text that declares no document type and no entity: those can unfold to any size.

    Raises:
        InputError: it is no such text.
    """
    builder = ElementTree.TreeBuilder()
    parser = expat.ParserCreate(namespace_separator=None)
    depth = count = 0

    def refuse(*_: object) -> int:
        raise InputError(f"{where} declares a document type or an entity, which exports never do; export it again")

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > _DEEPEST or count > _MOST_ELEMENTS:
            raise InputError(f"{where} is nested too deep, or too large, to be an export; export it again")
        builder.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name)

    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(content, True)
        return builder.close()
    except expat.ExpatError as error:
        raise InputError(f"{where} is no valid XML ({error}); export it again") from None


def _content(path: Path, where: str) -> bytes:
    if path.stat().st_size > MOST_BYTES:
        raise InputError(f"{where} is larger than {MOST_BYTES >> 20} MB; export the labels in parts")
    return path.read_bytes()


def read_xml_file(path: Path) -> ElementTree.Element:
    """The root of an XML file; see :func:`parse_xml`.

    Raises:
        InputError: it is no such file.
    """
    check_file(path, kinds=(".xml",))
    return parse_xml(_content(path, path.name), path.name)
