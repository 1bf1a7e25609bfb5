"""What goes out is read by the tools' own packages, and what these write is read here. Skipped where one is missing.

Read with label-studio-sdk 2.1.2, fiftyone 1.22.1, argilla 2.8.0 and datumaro 1.13.12.
"""

import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from skmm_core.labels import export_selection, read_labels
from tests.contracts.label_exports import IDS, annotate_label_studio, points

CONFIG = (
    '<View><Text name="text" value="$text"/><Choices name="label" toName="text"><Choice value="cat"/></Choices></View>'
)
SAID = {id_: "dog & <co>" if number % 2 else "cat" for number, id_ in enumerate(IDS[:8])}


@pytest.mark.parametrize("form", ["JSON", "JSON_MIN", "CSV"])
def test_label_studios_converter(form: str, tmp_path: Path) -> None:
    converter = pytest.importorskip("label_studio_sdk.converter.converter")
    path = tmp_path / "out.json"
    written = export_selection(points(), "label-studio", path)
    annotate_label_studio(path, SAID | {"ok": None})
    made = converter.Converter(config=CONFIG, project_dir=str(tmp_path))
    target = tmp_path / ("made.csv" if form == "CSV" else "made")
    more = {"csv_separator": ","} if form == "CSV" else {}
    made.convert(str(path), str(target), converter.Format[form], is_dir=False, **more)
    read = read_labels(target if target.is_file() else target / "result.json")
    assert read.labels == SAID
    assert set(read.answers) == {"label-studio:7"}
    assert read.skipped == (("ok",) if form == "JSON" else ()), "the flat forms leave skipped tasks out"
    interface = pytest.importorskip("label_studio_sdk.label_interface").LabelInterface(written.paste)
    interface.validate()
    assert list(interface.get_control("label").labels) == ["cat", "dog & <co>", "a/b"]
    tasks = json.loads((path).read_text())
    assert [task["data"]["skmm_rank"] for task in tasks] == list(range(1, len(IDS) + 1))


def test_fiftyones_importer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "FIFTYONE_DATABASE_URI" not in os.environ:
        monkeypatch.setenv("FIFTYONE_DISABLE_SERVICES", "1")  # its importer needs no database to make samples
    pytest.importorskip("fiftyone")
    import fiftyone as fo
    from fiftyone.utils.data.importers import LegacyFiftyOneDatasetImporter

    path = tmp_path / "out.zip"
    export_selection(points(IDS[:4], pictures=True), "fiftyone", path)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "made")
    with LegacyFiftyOneDatasetImporter(dataset_dir=str(tmp_path / "made"), rel_dir="/pictures") as importer:
        samples = list(importer)
    assert [sample["skmm_id"] for sample in samples] == list(IDS[:4])
    assert [sample["skmm_rank"] for sample in samples] == [1.0, 2.0, 3.0, 4.0]
    assert samples[0].filepath == "/pictures/a/0.jpg"
    assert samples[0].tags == ["to_annotate", "batch:2"]
    for sample in samples[:3]:
        sample["label"] = fo.Classification(label=SAID[sample["skmm_id"]])
    (tmp_path / "samples.json").write_text(
        json.dumps({"samples": [json.loads(sample.to_json()) for sample in samples]})
    )
    read = read_labels(tmp_path / "samples.json")
    assert read.labels == {id_: SAID[id_] for id_ in IDS[:3]}
    assert read.pending == (IDS[3],)


@pytest.mark.parametrize("flat", [True, False])
def test_argillas_records(flat: bool, tmp_path: Path) -> None:
    rg = pytest.importorskip("argilla")
    from uuid import UUID

    from argilla.records._io import GenericIO, JsonIO

    path = tmp_path / "out.json"
    export_selection(points(), "argilla", path)
    records = JsonIO._records_from_json(path)
    assert [record.id for record in records] == list(IDS)
    assert records[0].fields["text"] == "text of a/0.jpg"
    users = [UUID(int=1), UUID(int=2)]
    for record in records:
        if record.id in SAID:
            record.responses.add(rg.Response("label", SAID[record.id], user_id=users[0], status="submitted"))
    records[-1].responses.add(rg.Response("label", "cat", user_id=users[1], status="discarded"))
    records[-2].responses.add(rg.Response("label", "cat", user_id=users[1], status="draft"))
    for record in records:
        record._model.status = "completed" if record.id in SAID else "pending"
    made = tmp_path / "made.json"
    made.write_text(json.dumps(GenericIO.to_list(records, flatten=flat)))
    read = read_labels(made)
    assert read.labels == SAID
    assert read.skipped == ((IDS[-1],) if flat else ())
    made.write_text(json.dumps(GenericIO.to_dict(records, flatten=flat)))
    assert read_labels(made).labels == SAID


def test_cvat_as_datumaro_writes_it(tmp_path: Path) -> None:
    dm = pytest.importorskip("datumaro")
    import numpy as np

    names = ["a/0", "1", "2"]
    items = [
        dm.DatasetItem(
            id=name,
            media=dm.Image.from_numpy(np.zeros((4, 4, 3), np.uint8)),
            annotations=[dm.Label(number)] if number < 2 else [],
        )
        for number, name in enumerate(names)
    ]
    made = dm.Dataset.from_iterable(items, categories=["cat", "dog"])
    for form in ("cvat", "coco"):
        made.export(str(tmp_path / form), form, save_media=False)
    xml = next((tmp_path / "cvat").rglob("*.xml"))
    read = read_labels(xml)
    assert {Path(name).stem: label for name, label in read.labels.items()} == {"0": "cat", "1": "dog"}
    labels = next(path for path in (tmp_path / "coco").rglob("labels_*.json"))
    read = read_labels(labels)
    assert {Path(name).stem: label for name, label in read.labels.items()} == {"0": "cat", "1": "dog"}


@pytest.mark.parametrize("numbers", [False, True])
def test_guesses_are_predictions_that_the_tools_take(numbers: bool, tmp_path: Path) -> None:
    label_interface = pytest.importorskip("label_studio_sdk.label_interface")
    guess = "2.5" if numbers else "dog & <co>"
    plain = points(IDS[:2], numbers=numbers)
    out = replace(plain, rows=tuple(replace(row, guess=guess, sure=0.75) for row in plain.rows))
    written = export_selection(out, "label-studio", tmp_path / "out.json")
    interface = label_interface.LabelInterface(written.paste)
    for task in json.loads((tmp_path / "out.json").read_text()):
        assert interface.validate_task({"data": task["data"]}), "with predictions it fails, see the finding"
        (prediction,) = task["predictions"]
        assert prediction["score"] == 0.75
        assert interface.validate_prediction(prediction) is True
    assert read_labels(tmp_path / "out.json").labels == {}, "a prediction that nobody confirmed is no label"
    pytest.importorskip("argilla")
    from argilla.records._io import JsonIO

    export_selection(out, "argilla", tmp_path / "records.json")
    (suggestion,) = JsonIO._records_from_json(tmp_path / "records.json")[0].suggestions
    assert (suggestion.value, suggestion.score, suggestion.agent) == (guess, 0.75, "skmm")
