"""Argilla 2: records out; its records back, nested or flat.

The nested form has no status of a response: a draft and a discarded one look like a submitted one there.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from skmm_core.data import counted
from skmm_core.errors import InputError
from skmm_core.labels.answers import SEVERAL, Answer, Answers, collect, label_text
from skmm_core.labels.outgoing import Exported, Outgoing, OutRow
from skmm_core.labels.questions import LABEL, SeveralValues, one_value, the_question
from skmm_core.labels.records import Record
from skmm_core.storage import to_json, write_text

_FLAT = ".responses"
_SUBMITTED, _DISCARDED = "submitted", "discarded"
_UNSURE = (
    "in records that Argilla calls pending, of which this file does not say whether they are drafts, and left out: "
    "write the file from records.to_list(flatten=True)"
)


def write_argilla(out: Outgoing, path: Path) -> Exported:
    """Write one list of records, as `Dataset.records.from_json` reads it.

    Raises:
        OSError: the file cannot be written.
    """
    write_text(path, to_json([_record(out, row) for row in out.rows], indent=1) + "\n")
    fields = ['rg.ImageField(name="image", required=False)'] if out.has_pictures else []
    fields += [f'rg.TextField(name="text", required={not out.has_pictures})'] if _texts(out) else []
    question = f'rg.TextQuestion(name="{LABEL}")'
    if not out.numbers:
        names = list(out.classes) or ["first class", "second class"]
        question = f'rg.LabelQuestion(name="{LABEL}", labels={names!r})'
    paste = (
        "import argilla as rg\n\n"
        f"settings = rg.Settings(\n    fields=[{', '.join(fields)}],\n    questions=[{question}],\n"
        '    metadata=[rg.IntegerMetadataProperty(name="skmm_rank")],\n    allow_extra_metadata=True,\n)\n'
        f"dataset = rg.Dataset(name={out.name!r}, settings=settings)\ndataset.create()\n"
        f"dataset.records.from_json({path.name!r})\n"
    )
    notes = (
        "Run the lines below where Argilla is installed, and sort by skmm_rank.",
        "Bring back json.dump(dataset.records(with_responses=True).to_list(flatten=True), file): the nested form does "
        "not say which responses are drafts or discarded.",
    )
    return Exported(path, len(out.rows), notes, paste)


def _texts(out: Outgoing) -> bool:
    return out.has_texts or any(row.picture is None for row in out.rows)


def _record(out: Outgoing, row: OutRow) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if row.picture is not None:
        fields["image"] = out.place(row)
    if row.text or row.picture is None:
        fields["text"] = row.text or out.shown_columns(row)
    columns = {name: value for name, value in out.renamed_columns(row).items() if value is not None}
    metadata = {"skmm_id": row.id, "skmm_rank": row.order, **columns}
    metadata |= {} if row.batch is None else {"skmm_batch": row.batch}
    suggestions = {}
    if row.guess is not None:
        suggestions[LABEL] = {"value": row.guess, "score": row.sure, "agent": "skmm"}
    return {
        "id": row.id,
        "fields": fields,
        "metadata": metadata,
        "suggestions": suggestions,
        "responses": {},
        "vectors": {},
    }


def is_argilla(records: Sequence[Record]) -> bool:
    """Whether records are nested or flat ones of Argilla."""
    nested = any("fields" in each and isinstance(each.get("responses"), dict) for each in records[:1000])
    flat = any("_server_id" in each or f"{LABEL}{_FLAT}" in each for each in records[:1000])
    return nested or flat


def as_records(value: Any) -> list[Record] | None:
    """Records of the form that has a list a column; None where it is none."""
    if not isinstance(value, dict) or not isinstance(value.get("id"), list) or "_server_id" not in value:
        return None
    count = len(value["id"])
    columns = {name: each for name, each in value.items() if isinstance(each, list) and len(each) == count}
    return [{name: each[row] for name, each in columns.items()} for row in range(count)]


def read_argilla(records: Sequence[Record], where: str) -> Answers:
    """Read records. Submitted responses count, discarded ones are skips, drafts say nothing.

    Args:
        records: nested or flat.
        where: name for messages.

    Raises:
        InputError: a record has no id, or several questions were asked and none is called label.
    """
    ids = [_id_of(each, where) for each in records]
    asked = {name for each in records for name in _asked(each)}
    question = the_question(asked, where)
    answers: list[Answer] = []
    several = unsure = 0
    for id_, record in zip(ids, records, strict=True):
        for value, who, status in _responses(record, question):
            by = f"argilla:{who}" if who else "argilla"
            if status == _DISCARDED:
                answers.append(Answer(id_, None, by))
            elif status is None and record.get("status") == "pending":
                unsure += 1
            elif status in (None, _SUBMITTED):
                try:
                    label = one_value(value)
                except SeveralValues:
                    several += 1
                    continue
                if label is not None:
                    answers.append(Answer(id_, label, by))
    told = [
        f"{counted(several, 'answer names', 'answers name')} {SEVERAL}." if several else "",
        f"{counted(unsure, 'response is', 'responses are')} {_UNSURE}." if unsure else "",
    ]
    return collect(answers, pending=ids, notes=tuple(filter(None, told)))


def _id_of(record: Record, where: str) -> str:
    metadata = record.get("metadata")
    nested = metadata.get("skmm_id") if isinstance(metadata, dict) else None
    found = nested or record.get("skmm_id") or record.get("id")
    if found is None:
        raise InputError(f"{where} has a record without id; export the records again")
    return label_text(found)


def _asked(record: Record) -> Iterator[str]:
    nested = record.get("responses")
    if isinstance(nested, dict):
        yield from (str(name) for name in nested)
    yield from (name.removesuffix(_FLAT) for name in record if name.endswith(_FLAT))


def _responses(record: Record, question: str | None) -> Iterator[tuple[Any, str, str | None]]:
    """Value, user and status of each response to the question; the status is None where the file has none."""
    nested = record.get("responses")
    if isinstance(nested, dict):
        found = nested.get(question)
        for one in found if isinstance(found, list) else ():
            if isinstance(one, Mapping):
                status = one.get("status")
                yield one.get("value"), str(one.get("user_id") or ""), None if status is None else str(status)
    values, users, states = (record.get(f"{question}{_FLAT}{part}") for part in ("", ".users", ".status"))
    if isinstance(values, list):
        for place, value in enumerate(values):
            yield value, str(_at(users, place) or ""), _at(states, place)


def _at(values: Any, place: int) -> Any:
    return values[place] if isinstance(values, list) and place < len(values) else None
