"""The Reproduce page in every state."""

import json
import os

import numpy as np
import pytest

from dashboard.services import figures
from dashboard.services.jobs import Jobs
from skmm_core.config import DatasetConfig, PaperJob, RunConfig
from skmm_core.jobs.runner import run_folder
from skmm_core.runs import RunState, RunStore
from skmm_core.runs.processes import process_key

GMM = RunConfig(
    dataset=DatasetConfig(source="gmm"),
    job=PaperJob(experiment="gmm", methods=("skmm_variance",), budgets=(20, 40), seeds=2, data_seeds=1),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home with one finished table on a small file of features. Never changed."""
    folder = tmp_path_factory.mktemp("paper")
    random = np.random.default_rng(0)
    y = np.arange(90) % 3
    for name in ("train", "test"):
        np.savez(folder / f"{name}.npz", X=random.normal(size=(90, 5)) + 2 * np.eye(3, 5)[y], y=y)
    store = RunStore(folder / "home")
    config = RunConfig(
        dataset=DatasetConfig(source=str(folder / "train.npz"), test=str(folder / "test.npz")),
        job=PaperJob(experiment="stanford-cars", methods=("skmm", "skmm_joint"), budgets=(6, 12, 24), seeds=3),
    )
    from skmm_core.paper.run import fingerprint

    record = store.create(config, fingerprint(config, config.job))
    run_folder(record.folder, home=store.home)
    return store.get(record.id)


@pytest.fixture
def paper_home(made, empty, monkeypatch):
    """The finished table in a home of its own; nothing runs; no committed figures."""
    import shutil

    shutil.copytree(made.folder.parents[1], empty.home, dirs_exist_ok=True)
    monkeypatch.setattr(figures, "FOLDER", empty.home / "none")
    return RunStore(empty.home)


def test_a_finished_run_is_shown_as_a_table_with_savings_differences_and_command(paper_home, made, visit, words):
    app = visit("reproduce", run=made.id)
    assert not app.exception
    shown = words(app)
    assert "Accuracy, %: mean ± sd" in shown
    assert f"run {made.id}" in shown.replace("\\", "")
    assert "Best mean without labels at n = 6" in shown
    assert "How much data does it save?" in shown
    assert "Read from the mean of: Accuracy." in shown
    assert "What differs from the paper" in shown
    table = app.table[0].value
    assert list(table.index) == ["Uniform", "SkMM", "SkMM joint †"]
    assert list(table.columns) == ["n = 6", "n = 12", "n = 24"]
    assert any("**" in text for text in table.to_numpy().ravel())
    assert "paper stanford-cars --features" in app.code[0].value
    app.segmented_control(key=f"metric:stanford-cars:{made.id}").set_value("macro_f1").run()
    assert "Macro F1, %: mean ± sd" in words(app)
    app.multiselect(key=f"rows:stanford-cars:{made.id}").set_value([]).run()
    assert not app.exception
    assert "Choose at least one row" in words(app)


def test_without_figures_the_page_says_what_to_bring_and_where_it_is_from(paper_home, visit, words):
    app = visit("reproduce")
    app.segmented_control(key="reproduce:experiment").set_value("utkface").run()
    assert not app.exception
    shown = words(app)
    assert "There are no figures yet" in shown
    assert "UTKFace, aligned and cropped" in shown.replace("\\", "")
    assert "Server paths are off" in shown
    assert app.button(key="reproduce:utkface:run").disabled


def test_figures_that_come_with_the_dashboard_are_said_to_be_those(
    paper_home, made, visit, words, monkeypatch, tmp_path
):
    result = json.loads((made.folder / "result.json").read_text("utf-8"))
    result["features"]["note"] = "MobileNetV2"
    (tmp_path / "paper-stanford-cars.json").write_text(json.dumps(result), "utf-8")
    monkeypatch.setattr(figures, "FOLDER", tmp_path)
    paper_home.delete(made.id)
    app = visit("reproduce")
    app.segmented_control(key="reproduce:experiment").set_value("stanford-cars").run()
    assert not app.exception
    shown = words(app).replace("\\", "")
    assert "figures that come with the dashboard" in shown
    assert "features: MobileNetV2" in shown


def test_a_run_that_waits_fails_or_runs_is_shown_above_the_figures(paper_home, visit, words):
    record = paper_home.create(GMM, "paper:gmm")
    app = visit("reproduce", run=record.id)
    assert not app.exception
    assert "Waiting for the run before this one" in words(app)
    assert any(button.label == "Cancel" for button in app.button)
    assert paper_home.claim(record.id, process_key(os.getpid()))
    assert "Starting" in words(app.run())
    paper_home.finish(record.id, RunState.FAILED, "the disk is full")
    assert "the disk is full" in words(app.run())
    assert not app.exception


def test_the_form_queues_what_was_asked(paper_home, visit, monkeypatch):
    asked = []
    monkeypatch.setattr(
        Jobs, "submit", lambda jobs, config, found: asked.append(config) or paper_home.create(config, found).id
    )
    app = visit("reproduce")
    app.number_input(key="reproduce:gmm:seeds").set_value(2)
    app.number_input(key="reproduce:gmm:draws").set_value(1)
    app.multiselect(key="reproduce:gmm:budgets").set_value([48, 64])
    app.multiselect(key="reproduce:gmm:rows").set_value(["skmm"]).run()
    app.button(key="reproduce:gmm:run").click().run()
    assert not app.exception
    job = PaperJob(experiment="gmm", methods=("skmm",), budgets=(48, 64), seeds=2, data_seeds=1)
    assert asked == [RunConfig(dataset=DatasetConfig(source="gmm"), job=job)]


def test_a_path_outside_the_allowed_folders_is_one_red_line(paper_home, visit, monkeypatch, tmp_path):
    monkeypatch.setenv("SKMM_DATA_ROOTS", str(tmp_path))
    app = visit("reproduce")
    app.segmented_control(key="reproduce:experiment").set_value("utkface").run()
    app.text_input(key="reproduce:utkface:path").set_value("/etc").run()
    assert not app.exception
    assert "outside the folders" in app.error[0].value
