"""Prodigy: JSON lines out in pick order; its `db-out` back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skmm_core.data import counted
from skmm_core.errors import InputError
from skmm_core.labels.answers import SEVERAL, Answer, Answers, collect, label_text
from skmm_core.labels.outgoing import Exported, Outgoing, OutRow
from skmm_core.labels.questions import SeveralValues, one_value
from skmm_core.labels.records import Record
from skmm_core.storage import to_json, write_text

_TYPED = "user_input"  # what the interface text_input calls its answer


def write_prodigy(out: Outgoing, path: Path) -> Exported:
    """Write one task a line.

    Raises:
        OSError: the file cannot be written.
    """
    write_text(path, "".join(to_json(_task(out, row)) + "\n" for row in out.rows))
    view = "text_input" if out.numbers else "choice"
    note = f"Open it with prodigy mark NAME {path.name} --view-id {view}; bring back what prodigy db-out NAME writes."
    if not out.numbers and not out.classes:
        recipe = "image.manual" if out.has_pictures else "textcat.manual"
        note = f"No class is known yet: open it with prodigy {recipe} NAME {path.name} and name them with --label."
    return Exported(path, len(out.rows), (note,))


def _task(out: Outgoing, row: OutRow) -> dict[str, Any]:
    columns = out.renamed_columns(row)
    task: dict[str, Any] = {}
    if row.picture is not None:
        task["image"] = out.place(row)
    if row.text is not None or row.picture is None:
        task["text"] = row.text if row.text is not None else out.shown_columns(row)
    if out.classes and not out.numbers:
        task["options"] = [{"id": name, "text": name} for name in out.classes]
        task |= {"accept": [row.guess]} if row.guess is not None else {}
    score = {} if row.sure is None else {"score": row.sure}
    return task | {
        "skmm_id": row.id,
        "meta": {"order": row.order, "batch": row.batch, **columns, "id": row.id, **score},
    }


def is_prodigy(records: Sequence[Record]) -> bool:
    """Whether records are answered tasks."""
    return any("answer" in each and ("_task_hash" in each or "meta" in each) for each in records[:1000])


def read_prodigy(records: Sequence[Record], where: str) -> Answers:
    """Read what `db-out` writes: an accepted choice or label counts, what was ignored is a skip, a reject says nothing.

    Args:
        records: one a line.
        where: name for messages.

    Raises:
        InputError: tasks have no `skmm_id`.
    """
    answers, ids = [], []
    rejected = several = 0
    for each in records:
        meta = each.get("meta")
        found = each.get("skmm_id", meta.get("id") if isinstance(meta, dict) else None)
        if found is None:
            raise InputError(f"{where} has a task without skmm_id; label tasks that were exported from here")
        id_ = label_text(found)
        ids.append(id_)
        who = each.get("_annotator_id") or each.get("_session_id")
        by, when = f"prodigy:{who}" if who else "prodigy", label_text(each.get("_timestamp") or 0).zfill(20)
        answer = each.get("answer")
        try:
            label = _label(each)
        except SeveralValues:
            several += 1
            continue
        if answer == "ignore":
            answers.append(Answer(id_, None, by, when))
        elif answer == "reject":
            rejected += 1
        elif answer == "accept" and label is not None:
            answers.append(Answer(id_, label, by, when))
    told = [
        f"{counted(rejected, 'task was', 'tasks were')} rejected, which gives no label." if rejected else "",
        f"{counted(several, 'answer names', 'answers name')} {SEVERAL}." if several else "",
    ]
    return collect(answers, pending=ids, notes=tuple(filter(None, told)))


def _label(task: Record) -> str | None:
    if "accept" in task:
        return one_value(task["accept"])
    return one_value(task[_TYPED] if _TYPED in task else task.get("label"))
