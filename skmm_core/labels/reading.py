"""From a file to labels, whichever tool wrote it: what is in it tells, not its name."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skmm_core.data import check_file, file_path, kind_of
from skmm_core.errors import InputError
from skmm_core.labels.answers import Answers, settled
from skmm_core.labels.archives import LabelFiles, open_files
from skmm_core.labels.argilla import as_records, is_argilla, read_argilla
from skmm_core.labels.cvat import is_coco, read_coco, read_cvat
from skmm_core.labels.fiftyone import SAMPLES, is_fiftyone, read_fiftyone
from skmm_core.labels.known import LabelsRead, read_table
from skmm_core.labels.label_studio import is_label_studio, read_label_studio
from skmm_core.labels.picture_folders import is_picture_folders, read_picture_folders
from skmm_core.labels.prodigy import is_prodigy, read_prodigy
from skmm_core.labels.records import (
    LINE_KINDS,
    TABLE_KINDS,
    TEXT_KINDS,
    Record,
    parse_json,
    parse_xml,
    read_json_file,
    read_rows,
    read_xml_file,
)

LABEL_KINDS = (*TEXT_KINDS, *TABLE_KINDS, *LINE_KINDS, ".json", ".xml", ".zip")
_CVAT, _JSON = "annotations.xml", ".json"
_HINT = (
    "bring an export of Label Studio, CVAT, FiftyOne, Argilla or Prodigy, the zip file of pictures, or a table "
    "of id and label"
)


def read_labels(path: str | Path) -> LabelsRead:
    """Read labels that people gave, of whatever tool.

    Args:
        path: a table (csv, tsv, parquet, jsonl) of id and label; an export of Label Studio (JSON, JSON-MIN, CSV), CVAT
            (XML or COCO, packed or not), FiftyOne (`samples.json`, its folder or zip file), Argilla (JSON, nested or
            flat) or Prodigy (jsonl); or the zip file or folder of pictures that was exported.

    Raises:
        InputError: it cannot be read, or is none of these; one line that says what to do.
    """
    where = file_path(str(path))
    if where.is_dir():
        with open_files(where) as files:
            return _labels(_in_archive(files))
    check_file(where, kinds=LABEL_KINDS)
    kind = kind_of(where)
    if kind == ".zip":
        with open_files(where) as files:
            return _labels(_in_archive(files))
    if kind == ".xml":
        return _labels(read_cvat(read_xml_file(where), where.name))
    if kind in (".json", *LINE_KINDS):
        value = read_json_file(where)
        found = _of_tool(value, where.name)
        if found is not None:
            return _labels(found)
        if kind == ".json":
            raise InputError(f"{where.name} is no export that is known here; {_HINT}")
        return read_table(where)
    rows = read_rows(where)
    found = read_label_studio(rows, where.name) if is_label_studio(rows) else None
    return read_table(where) if found is None else _labels(found)


def _of_tool(value: Any, where: str) -> Answers | None:
    """What a JSON value says where it is the export of a tool."""
    if is_fiftyone(value):
        return read_fiftyone(value, where)
    if is_coco(value):
        return read_coco(value, where)
    records: Sequence[Record] = as_records(value) or (value if isinstance(value, list) else [])
    if not records or not all(isinstance(each, dict) for each in records):
        return None
    for fits, read in (
        (is_label_studio, read_label_studio),
        (is_argilla, read_argilla),
        (is_prodigy, read_prodigy),
    ):
        if fits(records):
            return read(records, where)
    return None


def _in_archive(files: LabelFiles) -> Answers:
    if is_picture_folders(files):
        return read_picture_folders(files)
    for name in [*files.ending_in(_CVAT), *files.ending_in(SAMPLES)]:
        where = f"{files.where}/{name}"
        if name.endswith(_CVAT):
            return read_cvat(parse_xml(files.read(name), where), where)
        return read_fiftyone(_samples(parse_json(files.read(name), where), where), where)
    listed = [name for name in files.names if name.lower().endswith(_JSON)]
    if len(listed) == 1:
        where = f"{files.where}/{listed[0]}"
        found = _of_tool(parse_json(files.read(listed[0]), where), where)
        if found is not None:
            return found
    raise InputError(f"{files.where} holds no labels that are known here; {_HINT}")


def _samples(value: Any, where: str) -> dict[str, Any]:
    if not is_fiftyone(value):
        raise InputError(f"{where} lists no samples; export the dataset again")
    return dict(value)


def _labels(read: Answers) -> LabelsRead:
    outcome = settled(read.given)
    return LabelsRead(
        labels=outcome.labels,
        pending=(*read.pending, *outcome.disputed),
        skipped=tuple(item for item in outcome.answers if item in outcome.skipped),
        notes=read.notes,
        answers=read.given,
        by_file_name=read.by_file_name,
    )
