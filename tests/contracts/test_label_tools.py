"""Tools to label in: what goes out comes back, of the same points and by id, and nothing else is taken for a label."""

import csv
import json
import tempfile
import unicodedata
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from skmm_core.errors import InputError
from skmm_core.labels import export_selection, import_labels, read_labels
from skmm_core.labels.export import LABEL_TOOLS, tool_table
from skmm_core.labels.matching import match_labels
from skmm_core.labels.outgoing import Outgoing, OutRow
from skmm_core.labels.spreadsheet import guarded_id
from skmm_core.projects import Project
from tests.contracts.label_exports import ANNOTATE, IDS, points
from tests.contracts.rooms import ROOT

SAID = {
    "a/0.jpg": "cat",
    "0012": "dog & <co>",
    "=1+1": "a/b",
    "naïve,\n'q'": "cat",
    "ok": None,
    "b/0.jpg": "dog & <co>",
}
NO_SKIPS = {"cvat", "fiftyone"}  # these tools know no skip: such points just have no label
PICTURES = tuple(id_ for id_ in IDS if "\n" not in id_)  # no file is called so
each_tool = pytest.mark.parametrize("tool", LABEL_TOOLS, ids=lambda tool: tool.key)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project.sqlite")


@each_tool
def test_what_goes_out_comes_back_by_id(tool, tmp_path: Path, project: Project) -> None:
    ids = PICTURES if tool.pictures_only else IDS
    path = tmp_path / f"out{tool.ending}"
    written = export_selection(points(ids, pictures=tool.pictures_only), tool.key, path)
    assert written.points == len(ids)
    said = {id_: label for id_, label in SAID.items() if id_ in ids}
    ANNOTATE[tool.key](path, said)
    project.add_batch("0" * 12, ids)
    report = import_labels(project, read_labels(path), [*ids, "another"], name=path.name)
    labels = {id_: label for id_, label in said.items() if label is not None}
    state = project.state()
    assert state.labels == labels
    assert state.skipped == (set() if tool.key in NO_SKIPS else {"ok"})
    assert (report.new, report.changed, report.unknown, report.ambiguous) == (len(labels), 0, (), ())
    assert report.missing == len(state.pending) == len(ids) - len(labels) - len(state.skipped)
    before = project.version()
    again = import_labels(project, read_labels(path), ids, name=path.name)
    assert (again.new, again.same) == (0, len(labels))
    assert project.version() == before, "nothing new is no action"
    assert project.undo() is not None
    assert project.state().labels == {}


@each_tool
def test_files_are_in_the_order_of_picks_and_the_same_for_the_same_points(tool, tmp_path: Path) -> None:
    out = points(PICTURES, pictures=tool.pictures_only)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        export_selection(out, tool.key, tmp_path / name / f"out{tool.ending}")
    contents = {(tmp_path / name / f"out{tool.ending}").read_bytes() for name in ("one", "two")}
    assert len(contents) == 1
    text = contents.pop()
    if tool.ending == ".zip":
        with zipfile.ZipFile(tmp_path / "one" / "out.zip") as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            assert tool.key != "zip" or names[:-1] == sorted(names[:-1])
            text = archive.read("files.txt" if tool.key == "cvat" else names[-1])
    shown = text.decode("utf-8-sig")
    written = [json.dumps(id_)[1:-1] if tool.key not in ("csv", "cvat") else id_ for id_ in PICTURES if id_.isascii()]
    places = [shown.index(id_) for id_ in written if id_ not in ("ok", "1e5", "' x")]
    assert places == sorted(places)


def test_a_spreadsheet_runs_no_formula_and_rewrites_no_id(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    export_selection(points(), "csv", path)
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["id", "batch", "order", "text", "label (upload)", "price", "note", "label"]
    assert [row["id"] for row in rows][:8] == [
        "a/0.jpg",
        "b/0.jpg",
        "'0012",
        "'=1+1",
        "'1e5",
        "'MAR1",
        "naïve,\n'q'",
        "'' x",
    ]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    assert {row["label"] for row in rows} == {""}
    assert rows[2]["order"] == "3"
    assert rows[2]["batch"] == "2"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(alphabet="'0=+-12aeé/. \u0301", min_size=1, max_size=4), min_size=1, max_size=6, unique=True))
def test_an_id_from_a_spreadsheet_is_never_taken_for_another(ids: list[str]) -> None:
    from skmm_core.labels.known import LabelsRead

    for id_ in ids:
        label = {guarded_id(id_): "cat"}
        found = match_labels(LabelsRead(labels=dict(label), answers={"me": label}), ids)
        assert found.read.labels in ({id_: "cat"}, {}), (id_, found)
        assert found.read.labels or found.ambiguous == (guarded_id(id_),)


def test_files_are_joined_by_name_only_where_the_name_is_one_points(tmp_path: Path, project: Project) -> None:
    ids = ["a/0.jpg", "b/0.jpg", "c/1.jpg", "2.jpg", "d/2.jpg", "e/3.jpg"]
    tags = {
        "0.jpg": "cat",
        "1.jpg": "cat",
        "2.jpg": "cat",
        "/srv/pool/b/0.jpg": "dog",
        "x/3.jpg": "dog",
        "9.jpg": "dog",
    }
    images = "".join(f'<image id="0" name="{name}"><tag label="{label}"/></image>' for name, label in tags.items())
    path = tmp_path / "annotations.xml"
    path.write_text(f"<annotations>{images}</annotations>")
    report = import_labels(project, read_labels(path), ids, name=path.name)
    assert project.state().labels == {"c/1.jpg": "cat", "b/0.jpg": "dog"}
    assert set(report.ambiguous) == {"0.jpg", "2.jpg"}
    assert set(report.unknown) == {"x/3.jpg", "9.jpg"}, "another folder is another picture"
    assert "2 names are those of several points" in report.sentence
    assert "2 ids are not in this pool" in report.sentence


def test_nothing_is_done_for_a_file_about_something_else(tmp_path: Path, project: Project) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("id,label\nx1,cat\nx2,dog\n")
    with pytest.raises(InputError, match=r"none of its 2 ids are in this pool \(it has 'x1', 'x2'; the pool has 'a'"):
        import_labels(project, read_labels(path), ["a", "b"], name=path.name)
    assert project.last_action() is None


def test_a_project_tells_what_is_new_changed_known_and_disputed(tmp_path: Path, project: Project) -> None:
    project.add_batch("0" * 12, ["a", "b", "c", "d", "e"])
    project.label({"a": "cat", "b": "cat"})
    project.label({"e": "cat"}, by="argilla:ann")
    path = tmp_path / "labels.csv"
    path.write_text("id,label\na,cat\nb,dog\nc,dog\ne,dog\n")
    report = import_labels(project, read_labels(path), ["a", "b", "c", "d", "e"], name=path.name)
    assert (report.new, report.changed, report.same, report.missing) == (1, 1, 1, 2)
    assert report.disputed == ("e",)
    assert report.sentence == (
        "1 label is new, 1 changed, 1 known already, 1 disputed ('e'), 2 still wait for a label."
    )


def test_annotators_of_a_table_are_kept_apart(tmp_path: Path, project: Project) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("id,label,annotator\na,cat,ann\na,dog,bob\nb,cat,ann\nb,cat,bob\nc,dog,decision\n")
    read = read_labels(path)
    assert read.answers == {
        "file:ann": {"a": "cat", "b": "cat"},
        "file:bob": {"a": "dog", "b": "cat"},
        "file:decision": {"c": "dog"},
    }
    assert (read.labels, read.pending) == ({"b": "cat", "c": "dog"}, ("a",))
    assert import_labels(project, read, ["a", "b", "c"], name="labels.csv").disputed == ("a",)


def test_one_point_twice_with_two_labels_is_disputed(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("id,label\na,cat\nb,dog\na,dog\nb,dog\n")
    read = read_labels(path)
    assert (read.labels, read.pending) == ({"b": "dog"}, ("a",))
    assert any("different labels" in note for note in read.notes)


def test_numbers_go_out_and_come_back(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    written = export_selection(points(("a", "b"), numbers=True), "label-studio", path)
    assert '<Number name="label" toName="text"' in written.paste
    tasks = json.loads(path.read_text())
    for number, task in enumerate(tasks, 1):
        value = {"number": 2.5 * number}
        result = {"from_name": "label", "to_name": "text", "type": "number", "value": value}
        task["annotations"] = [{"completed_by": {"email": "a@b.org"}, "result": [result]}]
    path.write_text(json.dumps(tasks))
    read = read_labels(path)
    assert read.labels == {"a": "2.5", "b": "5"}
    assert set(read.answers) == {"label-studio:a@b.org"}


def test_what_says_several_things_is_no_label(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    lines = [
        {"skmm_id": "a", "meta": {}, "accept": ["cat", "dog"], "answer": "accept"},
        {"skmm_id": "b", "meta": {}, "label": "cat", "answer": "reject"},
        {"skmm_id": "c", "meta": {}, "label": "cat", "answer": "accept"},
        {"skmm_id": "d", "meta": {}, "accept": [], "answer": "accept"},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    read = read_labels(path)
    assert (read.labels, read.pending) == ({"c": "cat"}, ("a", "b", "d"))
    assert len(read.notes) == 2


def test_the_last_annotation_of_each_annotator_counts(tmp_path: Path) -> None:
    def annotation(who: int, when: str, label: str | None) -> dict:
        result = [{"from_name": "label", "type": "choices", "value": {"choices": [label]}}] if label else []
        return {"completed_by": who, "updated_at": when, "was_cancelled": label is None, "result": result}

    task = {"id": 1, "data": {"skmm_id": "a"}}
    task["annotations"] = [
        annotation(1, "2026-02", "dog"),
        annotation(1, "2026-01", "cat"),
        annotation(2, "2026", None),
    ]
    other = {"id": 2, "data": {"skmm_id": "b"}, "annotations": [], "drafts": [annotation(1, "2026", "cat")]}
    path = tmp_path / "out.json"
    path.write_text(json.dumps([task, other]))
    read = read_labels(path)
    assert read.answers == {"label-studio:1": {"a": "dog"}, "label-studio:2": {"a": None}}
    assert (read.labels, read.pending) == ({"a": "dog"}, ("b",))


def test_argillas_nested_records_count_where_they_are_completed(tmp_path: Path) -> None:
    answer = {"label": [{"value": "cat", "user_id": "u"}]}
    records = [
        {"id": "a", "fields": {}, "metadata": {}, "responses": answer, "status": "completed"},
        {"id": "b", "fields": {}, "metadata": {}, "responses": answer, "status": "pending"},
        {"id": "c", "fields": {}, "metadata": {}, "responses": {}, "status": "pending"},
    ]
    path = tmp_path / "out.json"
    path.write_text(json.dumps(records))
    read = read_labels(path)
    assert (read.labels, read.pending) == ({"a": "cat"}, ("b", "c"))
    assert "to_list(flatten=True)" in read.notes[0]


def test_coco_gives_the_class_of_pictures_whose_boxes_are_of_one(tmp_path: Path) -> None:
    boxes = [(1, 1), (1, 1), (2, 1), (2, 2)]
    coco = {
        "images": [{"id": number, "file_name": f"{number}.jpg"} for number in (1, 2, 3)],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": [{"image_id": image, "category_id": category} for image, category in boxes],
    }
    path = tmp_path / "instances_default.json"
    path.write_text(json.dumps(coco))
    read = read_labels(path)
    assert (read.labels, read.pending, read.by_file_name) == ({"1.jpg": "cat"}, ("2.jpg", "3.jpg"), True)


def test_several_questions_need_one_called_label(tmp_path: Path) -> None:
    path = tmp_path / "out.json"

    def task(*names: str) -> list:
        result = [{"from_name": name, "type": "choices", "value": {"choices": [name]}} for name in names]
        return [{"data": {"skmm_id": "a"}, "annotations": [{"result": result}]}]

    path.write_text(json.dumps(task("mood", "topic")))
    with pytest.raises(InputError, match="several questions"):
        read_labels(path)
    path.write_text(json.dumps(task("mood", "label")))
    assert read_labels(path).labels == {"a": "label"}
    path.write_text(json.dumps(task("mood")))
    assert read_labels(path).labels == {"a": "mood"}


def test_tools_for_pictures_refuse_texts_and_nothing_to_label(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="labels pictures and these points have none"):
        export_selection(points(), "cvat", tmp_path / "x.zip")
    with pytest.raises(InputError, match="nothing to label"):
        export_selection(points(()), "csv", tmp_path / "x.csv")
    with pytest.raises(InputError, match="choose csv, label-studio"):
        export_selection(points(), "excel", tmp_path / "x.xls")
    with pytest.raises(InputError, match="cannot be written"):
        export_selection(points(), "csv", tmp_path / "missing" / "x.csv")
    assert list(tmp_path.iterdir()) == []


def test_the_page_has_the_table_of_tools() -> None:
    assert tool_table() in (ROOT / "assets/docs/labels.md").read_text(encoding="utf-8"), "paste tool_table() into it"


FLAT = {"skmm_id": "0012", "text": "x", "label (upload)": "theirs", "annotator": 7, "annotation_id": 1}
FLAT |= {"skmm_fields": ["label (upload)", "text", "skmm_id", "skmm_fields"], "lead_time": 1.5, "id": 1}
FLAT |= {"created_at": "2026-01-01", "updated_at": "2026-01-02"}


@pytest.mark.parametrize(("value", "label"), [("cat", "cat"), ([{"number": 2.5}], "2.5"), (["cat", "dog"], None)])
@pytest.mark.parametrize("question", ["label", "mood"])
@pytest.mark.parametrize("form", ["json", "csv"])
def test_label_studios_flat_forms(form: str, question: str, value: object, label: str | None, tmp_path: Path) -> None:
    """As its converter writes them: lists are JSON in a cell, and tasks without annotation have an empty one."""
    rows = [FLAT | {question: value}, FLAT | {question: None, "skmm_id": "b", "annotation_id": None}]
    path = tmp_path / f"result.{form}"
    if form == "json":
        path.write_text(json.dumps([{name: each for name, each in row.items() if each is not None} for row in rows]))
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, sorted(rows[0]), quoting=csv.QUOTE_NONNUMERIC)
            writer.writeheader()
            for row in rows:
                writer.writerow({k: json.dumps(v) if isinstance(v, list) else v for k, v in row.items()})
    read = read_labels(path)
    assert read.labels == ({} if label is None else {"0012": label})
    assert set(read.pending) == {"b", *(() if label else ("0012",))}
    assert set(read.answers) == ({"label-studio:7"} if label else set())


def test_columns_of_the_upload_are_never_taken_for_the_label(tmp_path: Path) -> None:
    columns = {"target": "no", "Class": "no", "y": 1, "LABEL": "no", "label (upload)": "no", "category": "no"}
    out = Outgoing("pool", tuple(OutRow(id_, n, 1, "text", None, columns) for n, id_ in enumerate("abc", 1)))
    for tool in LABEL_TOOLS:
        path = tmp_path / f"{tool.key}{tool.ending}"
        if not tool.pictures_only:
            export_selection(out, tool.key, path)
            ANNOTATE[tool.key](path, {"a": "yes"})
            assert read_labels(path).labels == {"a": "yes"}, tool.key


def test_label_studio_serves_pictures_from_the_folder_above_theirs(tmp_path: Path) -> None:
    out = replace(points(("a b/é.jpg", "https://x.org/1.jpg"), pictures=True), root=tmp_path / "pool")
    written = export_selection(out, "label-studio", tmp_path / "out.json")
    shown = [task["data"]["image"] for task in json.loads((tmp_path / "out.json").read_text())]
    assert shown == ["/data/local-files/?d=pool/a%20b/%C3%A9.jpg", "https://x.org/1.jpg"]
    assert f"DOCUMENT_ROOT={tmp_path}, and add {tmp_path / 'pool'} as local storage" in " ".join(written.notes)
    assert '<Image name="image" value="$image"/>' in written.paste


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(lambda id_: id_.strip())


@settings(max_examples=40, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=4, unique_by=lambda id_: unicodedata.normalize("NFC", id_)))
def test_ids_of_any_signs_come_back(ids: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for tool in LABEL_TOOLS:
            path = Path(folder) / f"{tool.key}{tool.ending}"
            if tool.key in ("csv", "cvat"):  # a table and a list of files: white space at the ends is not kept there
                continue
            export_selection(points(tuple(ids), pictures=tool.pictures_only), tool.key, path)
            ANNOTATE[tool.key](path, dict.fromkeys(ids, "cat"))
            assert match_labels(read_labels(path), ids).read.labels == dict.fromkeys(ids, "cat"), tool.key
