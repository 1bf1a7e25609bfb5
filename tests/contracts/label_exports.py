"""Points to label, and what each tool would write after people labelled them, from the files that go out."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

from skmm_core.labels.outgoing import Outgoing, OutRow

IDS = ("a/0.jpg", "b/0.jpg", "0012", "=1+1", "1e5", "MAR1", "naïve,\n'q'", "' x", "2024-01-02", "ok")
PNG = b"\x89PNG\r\n\x1a\n"


def points(ids: tuple[str, ...] = IDS, *, pictures: bool = False, numbers: bool = False) -> Outgoing:
    rows = tuple(
        OutRow(
            id_,
            order,
            batch=2,
            text=None if pictures else f"text of {id_}",
            picture=id_ if pictures else None,
            columns={"label": "theirs", "price": 1.5 * order, "note": "-see"},
        )
        for order, id_ in enumerate(ids, 1)
    )
    return Outgoing(
        "pool",
        rows,
        classes=() if numbers else ("cat", "dog & <co>", "a/b"),
        numbers=numbers,
        picture_bytes=(lambda row: (PNG + row.id.encode(), ".png")) if pictures else None,
    )


Said = Mapping[str, str | None]  # by id; None for a skip; what is not in it is not answered yet


def annotate_label_studio(path: Path, said: Said) -> None:
    tasks = json.loads(path.read_text())
    for number, task in enumerate(tasks, 1):
        label = said.get(task["data"]["skmm_id"])
        result = {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [label]}}
        annotation = {
            "id": number,
            "completed_by": 7,
            "was_cancelled": label is None,
            "result": [] if label is None else [result],
            "created_at": f"2026-01-01T00:00:{number:02}Z",
            "updated_at": f"2026-01-01T00:00:{number:02}Z",
            "lead_time": 1.5,
        }
        task |= {"id": number, "annotations": [annotation] if task["data"]["skmm_id"] in said else []}
    path.write_text(json.dumps(tasks))


def annotate_spreadsheet(path: Path, said: Said) -> None:
    import csv

    with path.open(newline="", encoding="utf-8-sig") as file:
        head, *rows = csv.reader(file)
    from skmm_core.labels.spreadsheet import guarded_id

    labels = {guarded_id(id_): label for id_, label in said.items()}
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow([*head, "state"])
        for row in rows:
            state = "skipped" if row[0] in labels and labels[row[0]] is None else ""
            writer.writerow([*row[:-1], labels.get(row[0]) or "", state])


def annotate_argilla_flat(path: Path, said: Said) -> None:
    records = []
    for record in json.loads(path.read_text()):
        id_ = record["id"]
        flat = {"id": id_, "status": "completed", "_server_id": "x", **record["fields"], **record["metadata"]}
        if id_ in said:
            status = "discarded" if said[id_] is None else "submitted"
            flat |= {"label.responses": [said[id_] or "cat"], "label.responses.users": ["u1"]}
            flat |= {"label.responses.status": [status]}
        records.append(flat)
    path.write_text(json.dumps(records))


def annotate_prodigy(path: Path, said: Said) -> None:
    lines = []
    for line in filter(None, path.read_text().split("\n")):
        task = json.loads(line)
        if task["skmm_id"] in said:
            label = said[task["skmm_id"]]
            accept = [] if label is None else [label]
            task |= {"accept": accept, "answer": "ignore" if label is None else "accept", "_timestamp": 1700000000}
            lines.append(json.dumps(task | {"_task_hash": 1, "_annotator_id": "ann"}))
    path.write_text("\n".join(lines) + "\n")


def annotate_cvat(path: Path, said: Said) -> None:
    with zipfile.ZipFile(path) as archive:
        names = archive.read("files.txt").decode().splitlines()
    images = []
    for number, name in enumerate(names):
        tag = f"<tag label={quoteattr(said[name] or '')} source='manual'></tag>" if said.get(name) else ""
        images.append(f"<image id='{number}' name={quoteattr(name)} width='8' height='8'>{tag}</image>")
    path.with_suffix(".xml").write_text(
        f"<?xml version='1.0' encoding='utf-8'?><annotations><version>1.1</version>{''.join(images)}</annotations>"
    )
    path.unlink()
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(path.with_suffix(".xml"), "annotations.xml")


def annotate_fiftyone(path: Path, said: Said) -> None:
    with zipfile.ZipFile(path) as archive:
        samples = json.loads(archive.read("samples.json"))
    for sample in samples["samples"]:
        sample["_id"] = {"$oid": "0" * 24}
        if said.get(sample["skmm_id"]) is not None:
            sample["label"] = {"_id": {"$oid": "1" * 24}, "_cls": "Classification", "tags": [], "confidence": None}
            sample["label"]["label"] = said[sample["skmm_id"]]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("export/samples.json", json.dumps(samples))


def annotate_folders(path: Path, said: Said) -> None:
    """Unpack, move and pack again, under a folder of its own and with what a Mac adds."""
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("skmm_manifest.json"))
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    folders = {label: folder for folder, label in manifest["classes"].items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            base = name.rsplit("/", 1)[-1]
            id_ = manifest["pictures"].get(base)
            folder = name.rpartition("/")[0]
            if id_ in said:
                label = said[id_]
                folder = "skipped" if label is None else folders.get(label, label)
            archive.writestr("/".join(filter(None, ("mine", folder, base))), content)
        archive.writestr("__MACOSX/mine/cat/._x.png", b"")


ANNOTATE = {
    "csv": annotate_spreadsheet,
    "label-studio": annotate_label_studio,
    "argilla": annotate_argilla_flat,
    "prodigy": annotate_prodigy,
    "cvat": annotate_cvat,
    "fiftyone": annotate_fiftyone,
    "zip": annotate_folders,
}
