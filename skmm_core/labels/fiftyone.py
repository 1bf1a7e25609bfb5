"""FiftyOne: samples with tags and a rank out, as its importer reads them; the label field of its exports back."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from skmm_core.data import counted
from skmm_core.errors import InputError
from skmm_core.labels.answers import SEVERAL, Answer, Answers, collect, label_text
from skmm_core.labels.archives import write_zip
from skmm_core.labels.outgoing import Exported, Outgoing, OutRow, is_address, need_pictures
from skmm_core.labels.questions import LABEL, SeveralValues, one_value, the_question
from skmm_core.labels.records import Record
from skmm_core.storage import to_json

SAMPLES = "samples.json"
_GUESS = "skmm_guess"
_BY = "fiftyone"
_KINDS = ("Classification", "Classifications", "Regression")


def write_fiftyone(out: Outgoing, path: Path) -> Exported:
    """Write a zip file with `samples.json`, in the form called LegacyFiftyOneDataset, which names no version.

    Raises:
        InputError: no point has a picture.
        OSError: the file cannot be written.
    """
    need_pictures(out, "FiftyOne")
    rows = [row for row in out.rows if row.picture is not None]
    samples = {"samples": [_sample(out, row) for row in rows]}
    write_zip(path, [(SAMPLES, (to_json(samples, indent=1) + "\n").encode())])
    relative = out.root is None and any(not is_address(row.picture or "") for row in rows)
    folder = ', rel_dir="FOLDER OF THE PICTURES"' if relative else ""
    paste = (
        "import fiftyone as fo\n\ndataset = fo.Dataset.from_archive(\n"
        f"    {path.name!r}, dataset_type=fo.types.LegacyFiftyOneDataset{folder}\n)\n"
        'session = fo.launch_app(dataset.sort_by("skmm_rank"))\n'
    )
    note = (
        f"Run the lines below, write labels into a Classification field called {LABEL}, and bring back the "
        "samples.json of dataset.export(export_dir, dataset_type=fo.types.FiftyOneDataset, export_media=False)."
    )
    return Exported(path, len(rows), (note,), paste)


def _sample(out: Outgoing, row: OutRow) -> dict[str, Any]:
    tags = ["to_annotate", *([f"batch:{row.batch}"] if row.batch is not None else [])]
    sample: dict[str, Any] = {"filepath": out.place(row), "tags": tags, "_media_type": "image"}
    sample |= {"skmm_id": row.id, "skmm_rank": float(row.order)}
    if row.guess is not None and not out.numbers:
        sample[_GUESS] = {
            "_cls": "Classification",
            "tags": [],
            "label": row.guess,
            "confidence": row.sure,
            "logits": None,
        }
    return sample


def is_fiftyone(value: Any) -> bool:
    """Whether a JSON value is the samples of an export."""
    return isinstance(value, dict) and isinstance(value.get("samples"), list)


def read_fiftyone(value: Mapping[str, Any], where: str) -> Answers:
    """Read `samples.json`: the field called label, or the only one with classes or numbers.

    Args:
        value: with the list of samples.
        where: name for messages.

    Raises:
        InputError: no sample has a `skmm_id`, or several fields could be the label.
    """
    samples = [each for each in value["samples"] if isinstance(each, dict)]
    known = [each for each in samples if each.get("skmm_id") is not None]
    if not known:
        raise InputError(f"{where} has no sample with skmm_id; import samples that were exported from here")
    question = the_question({name for each in known for name in _asked(each)}, where)
    answers = []
    several = 0
    for each in known:
        try:
            label = None if question is None else one_value(each.get(question))
        except SeveralValues:
            several += 1
            continue
        if label is not None:
            answers.append(Answer(label_text(each["skmm_id"]), label, _BY))
    lost = len(samples) - len(known)
    told = [
        f"{counted(several, 'sample names', 'samples name')} {SEVERAL}." if several else "",
        f"{counted(lost, 'sample has', 'samples have')} no skmm_id and is left out." if lost else "",
    ]
    ids = [label_text(each["skmm_id"]) for each in known]
    return collect(answers, pending=ids, notes=tuple(filter(None, told)))


def _asked(sample: Record) -> Iterator[str]:
    for name, value in sample.items():
        of_kind = isinstance(value, dict) and value.get("_cls") in _KINDS
        if (of_kind or (name == LABEL and value is not None)) and name != _GUESS:
            yield str(name)
