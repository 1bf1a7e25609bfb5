"""Label Studio: tasks out in pick order, which its free edition serves as they come; JSON, JSON-MIN and CSV back."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from skmm_core.data import counted
from skmm_core.errors import InputError
from skmm_core.labels.answers import SEVERAL, Answer, Answers, collect, label_text
from skmm_core.labels.outgoing import Exported, Outgoing, OutRow, is_address
from skmm_core.labels.questions import LABEL, SeveralValues, one_value, the_question
from skmm_core.labels.records import Record
from skmm_core.storage import to_json, write_text

_ABOUT = {"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement", "history"}
_RENAMED = "_data_"  # before names of the task's data that are names of questions too, in CSV
_LOCAL = "/data/local-files/?d="


def write_label_studio(out: Outgoing, path: Path) -> Exported:
    """Write one list of tasks.

    Raises:
        OSError: the file cannot be written.
    """
    write_text(path, to_json([_task(out, row) for row in out.rows], indent=1) + "\n")
    notes = ["Make a project, paste the interface below under Labeling Setup, Code, and import the file."]
    if any(row.picture and not is_address(row.picture) for row in out.rows):
        above, folder = (
            ("FOLDER ABOVE", "the folder of the pictures") if out.root is None else (out.root.parent, out.root)
        )
        notes.append(
            "Start it with LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and "
            f"LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT={above}, and add {folder} as local storage, without a sync."
        )
    return Exported(path, len(out.rows), tuple(notes), _interface(out))


def _task(out: Outgoing, row: OutRow) -> dict[str, Any]:
    columns = out.renamed_columns(row)
    data: dict[str, Any] = dict(columns)
    if row.picture is not None:
        data["image"] = row.picture if is_address(row.picture) else _LOCAL + quote(_served(out, row.picture))
    if row.text is not None or row.picture is None:
        data["text"] = row.text if row.text is not None else out.shown_columns(row)
    data |= {"skmm_id": row.id, "skmm_rank": row.order, "skmm_batch": row.batch}
    data["skmm_fields"] = [*data, "skmm_fields"]  # so that JSON-MIN, which is flat, tells questions from data
    task: dict[str, Any] = {"data": data}
    if row.guess is not None:
        value = {"number": float(row.guess)} if out.numbers else {"choices": [row.guess]}
        kind = "number" if out.numbers else "choices"
        result = {"from_name": LABEL, "to_name": _shows(out), "type": kind, "value": value}
        task["predictions"] = [{"model_version": "skmm", "score": row.sure, "result": [result]}]
    return task


def _served(out: Outgoing, picture: str) -> str:
    """Path below the document root, which must lie above the folder that is added as storage."""
    return picture if out.root is None else f"{out.root.name}/{picture}"


def _shows(out: Outgoing) -> str:
    return "image" if out.has_pictures else "text"


def _interface(out: Outgoing) -> str:
    shows = _shows(out)
    tag = "Image" if out.has_pictures else "Text"
    if out.numbers:
        ask = f'  <Number name="{LABEL}" toName="{shows}" required="true"/>'
    else:
        choices = [f"    <Choice value={quoteattr(name)}/>" for name in out.classes or ("first class", "second class")]
        ask = "\n".join(
            [f'  <Choices name="{LABEL}" toName="{shows}" choice="single" required="true">', *choices, "  </Choices>"]
        )
    return f'<View>\n  <{tag} name="{shows}" value="${shows}"/>\n{ask}\n</View>\n'


def is_label_studio(records: Sequence[Record]) -> bool:
    """Whether records are tasks, or annotations of the flat exports."""
    return any(
        ("data" in each and ("annotations" in each or "completions" in each or "predictions" in each))
        or ("annotation_id" in each and "lead_time" in each)
        for each in records[:1000]
    )


def read_label_studio(records: Sequence[Record], where: str) -> Answers:
    """Read an export.

    Args:
        records: tasks with their annotations (JSON), or one annotation each (JSON-MIN, CSV).
        where: name for messages.

    Raises:
        InputError: tasks have no `skmm_id`, or several questions were asked and none is called label.
    """
    if any("data" in each for each in records):
        return _read_tasks(records, where)
    return _read_flat(records, where)


def _read_tasks(records: Sequence[Record], where: str) -> Answers:
    ids = [_id_of(each, where) for each in records]
    asked = {str(result.get("from_name")) for each in records for one in _annotations(each) for result in _results(one)}
    question = the_question(asked, where)
    answers: list[Answer] = []
    several = 0
    for id_, task in zip(ids, records, strict=True):
        for one in _annotations(task):
            by, when = _annotator(one.get("completed_by")), str(one.get("updated_at") or one.get("created_at") or "")
            if one.get("was_cancelled") or one.get("skipped"):
                answers.append(Answer(id_, None, by, when))
                continue
            try:
                label = _together([each.get("value") for each in _results(one) if each.get("from_name") == question])
            except SeveralValues:
                several += 1
                continue
            if label is not None:
                answers.append(Answer(id_, label, by, when))
    return collect(answers, pending=ids, notes=_said(several))


def _together(values: list[Any]) -> str | None:
    found = {text for value in values if (text := one_value(value)) is not None}
    if len(found) > 1:
        raise SeveralValues
    return next(iter(found), None)


def _id_of(task: Record, where: str) -> str:
    data = task.get("data")
    found = data.get("skmm_id", data.get("id")) if isinstance(data, dict) else None
    if found is None:
        raise InputError(f"{where} has a task without skmm_id in its data; import tasks that were exported from here")
    return label_text(found)


def _annotations(task: Record) -> Iterator[Record]:
    found = task.get("annotations", task.get("completions"))
    yield from (each for each in found or () if isinstance(each, dict))


def _results(annotation: Record) -> Iterator[Record]:
    yield from (each for each in annotation.get("result") or () if isinstance(each, dict) and each.get("from_name"))


def _annotator(who: Any) -> str:
    if isinstance(who, dict):
        who = who.get("email") or who.get("id")
    return "label-studio" if who in (None, "") else f"label-studio:{label_text(who)}"


def _read_flat(records: Sequence[Record], where: str) -> Answers:
    names = {name for each in records for name in each}
    if "skmm_id" not in names:
        raise InputError(f"{where} has no skmm_id; import tasks that were exported from here, or export as JSON")
    data = {name for each in records[:1] for name in _listed(each.get("skmm_fields"))}
    renamed = {name for name in names if name.startswith(_RENAMED)}
    chat = {name for name in names if name.endswith("_transcript") and name.removesuffix("_transcript") in names}
    data -= {LABEL, *(name.removeprefix(_RENAMED) for name in renamed)}
    question = the_question(names - _ABOUT - renamed - chat - data, where)
    answers, ids = [], []
    several = 0
    for each in records:
        if each.get("skmm_id") in (None, ""):  # of a task that is not from here
            continue
        id_ = label_text(each["skmm_id"])
        ids.append(id_)
        try:
            label = None if question is None else one_value(_unpacked(each.get(question)))
        except SeveralValues:
            several += 1
            continue
        if label is not None:
            when = str(each.get("updated_at") or each.get("created_at") or "")
            answers.append(Answer(id_, label, _annotator(each.get("annotator")), when))
    return collect(answers, pending=ids, notes=_said(several))


def _listed(value: Any) -> list[str]:
    found = _unpacked(value)
    return [str(name) for name in found] if isinstance(found, list) else []


def _unpacked(value: Any) -> Any:
    """A list that CSV holds as text."""
    if not isinstance(value, str) or not value.startswith(('[{"', '["')):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _said(several: int) -> tuple[str, ...]:
    if not several:
        return ()
    return (f"{counted(several, 'answer names', 'answers name')} {SEVERAL}.",)
