"""`labels`: points out to a tool, labels back into the project about their pool, and undo."""

import csv
import io
import json
import zipfile

import pytest
from PIL import Image

from skmm_core.config import DatasetConfig, EmbedJob, RunConfig
from skmm_core.runs import write_config

TEXTS = [f"text {number}" for number in range(60)]


@pytest.fixture
def run_folder(here, tmp_path):
    """A finished selection of 6 of 60 rows with ids that a spreadsheet would rewrite."""
    with (tmp_path / "pool.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "a", "b", "text", "note"])
        writer.writerows([[f"{n:04}", n % 7, n * n % 11, TEXTS[n], f"=note {n}"] for n in range(60)])
    run = tmp_path / "run"
    done = here("select", "--dataset", tmp_path / "pool.csv", "--method", "uniform", "--budget", 6, "--out", run)
    assert done.code == 0, done.err
    return run


def test_the_loop_on_the_command_line(here, run_folder, tmp_path) -> None:
    path = tmp_path / "to_label.csv"
    out = here("labels", "export", run_folder, "--to", "csv", "--out", path)
    assert out.code == 0, out.err
    assert "6 points written" in out.out
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [row["order"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert all(row["id"].startswith("'0") and row["text"] == TEXTS[int(row["id"][1:])] for row in rows)
    assert rows[0]["note"] == f"'=note {int(rows[0]['id'][1:])}"
    again = here("labels", "export", run_folder, "--to", "csv", "--out", path)
    assert (again.code, "nothing is written over" in again.err) == (2, True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows([row | {"label": "cat" if number < 4 else ""} for number, row in enumerate(rows)])
    source = ("--dataset", run_folder.parent / "pool.csv", "--method", "k_center", "--budget", 5)
    more = here("select", *source, "--labels", path, "--out", tmp_path / "more", "--json")
    assert more.code == 0, more.err
    assert (more.json["batch"], more.json["labelled"], more.json["pending"]) == (2, 4, 2)
    with (tmp_path / "more" / "selection.csv").open(newline="") as file:
        picked = {row["id"] for row in csv.DictReader(file)}
    assert len(picked) == 5
    assert picked.isdisjoint(row["id"][1:] for row in rows), "labelled ones and those that wait are given"
    strange = tmp_path / "strange.csv"
    strange.write_text(path.read_text() + "nobody,1,1,,,cat\n")
    told = here("select", *source, "--labels", strange, "--out", tmp_path / "strange", "--quiet")
    assert "strange.csv: 1 id is not in this pool and left out." in told.out, told.err
    other = tmp_path / "other.csv"
    other.write_text("id,label\nx,cat\n")
    refused = here("labels", "import", run_folder, other)
    assert (refused.code, "'x'" in refused.err, "Traceback" in refused.err) == (2, True, False)
    assert here("labels", "status", "--json").json == {"projects": []}, "nothing was begun"
    back = here("labels", "import", run_folder, path, "--json")
    assert back.code == 0, back.err
    assert (back.json["new"], back.json["missing"], back.json["unknown"]) == (4, 2, [])
    project = back.json["project"]
    status = here("labels", "status", project, "--json").json["projects"][0]
    assert {name: status[name] for name in ("batches", "labelled", "waiting")} == {
        "batches": 1,
        "labelled": 4,
        "waiting": 2,
    }
    twice = here("labels", "import", project, path)
    assert "nothing was changed" in twice.out, "undo would take back something else"
    assert "takes this back" not in twice.out
    rest = here("labels", "export", project, "--to", "label-studio", "--out", tmp_path / "rest.json")
    assert rest.code == 0, rest.err
    assert '<Choice value="cat"/>' in rest.out
    tasks = json.loads((tmp_path / "rest.json").read_text())
    assert [task["data"]["skmm_id"] for task in tasks] == [row["id"][1:] for row in rows[4:]]
    assert {task["data"]["skmm_batch"] for task in tasks} == {1}
    undone = here("labels", "undo", project)
    assert undone.out == "undone: bring 4 answers back from to_label.csv\n"
    assert here("labels", "status", project, "--json").json["projects"][0]["labelled"] == 0
    assert here("labels", "undo", "0" * 12).code == 2


def exported_pictures(path):
    """Content of each picture by id."""
    with zipfile.ZipFile(path) as archive:
        names = json.loads(archive.read("skmm_manifest.json"))["pictures"]
        return {id_: archive.read(f"unlabelled/{name}") for name, id_ in names.items()}


def test_pictures_go_out_as_they_are(here, tmp_path) -> None:
    """The originals where they can be read, and the small copies where they are gone."""
    folder = tmp_path / "pool" / "é b"  # merely wraps the pictures, so ids are paths inside it
    for number in range(12):
        path = folder / ("cat" if number % 2 else "dog") / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        colour = (20 * number, 255 - 20 * number, 40 * (number % 3))
        Image.new("RGB", (300, 200), colour).save(path)
    (tmp_path / "embedded").mkdir()
    embedding = RunConfig(dataset=DatasetConfig(source=str(tmp_path / "pool")), job=EmbedJob(model="offline"))
    write_config(tmp_path / "embedded", embedding)
    done = here("run", tmp_path / "embedded")
    assert done.code == 0, done.err
    source, run = tmp_path / "embedded" / "features.npz", tmp_path / "run"
    done = here("select", "--dataset", source, "--method", "uniform", "--budget", 3, "--out", run)
    assert done.code == 0, done.err
    done = here("labels", "export", run, "--to", "zip", "--out", tmp_path / "there.zip")
    assert done.code == 0, done.err
    pictures = exported_pictures(tmp_path / "there.zip")
    assert pictures == {id_: (folder / id_).read_bytes() for id_ in pictures}
    assert len(pictures) == 3
    done = here("labels", "export", run, "--to", "cvat", "--out", tmp_path / "cvat.zip")
    assert done.code == 0, done.err
    with zipfile.ZipFile(tmp_path / "cvat.zip") as archive:
        assert archive.read("files.txt").decode().splitlines() == [str(folder / id_) for id_ in pictures]
        assert {each["name"] for each in json.loads(archive.read("labels.json"))} == {"cat", "dog"}
    folder.rename(tmp_path / "moved")
    done = here("labels", "export", run, "--to", "zip", "--out", tmp_path / "gone.zip")
    assert done.code == 0, done.err
    copies = exported_pictures(tmp_path / "gone.zip")
    assert copies.keys() == pictures.keys()
    assert all(Image.open(io.BytesIO(content)).size == (128, 85) for content in copies.values())
