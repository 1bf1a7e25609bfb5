"""Select in every state: no dataset, form, queued, running, failed, cancelled, done, damaged."""

import json
import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from dashboard.components.shared import exports
from dashboard.components.shared.map.marked_points import Marks, with_look, with_report
from dashboard.services import cache, demo
from dashboard.services.prefix import prefix_diagnostics
from dashboard.services.sources import remember
from skmm_core.config import DatasetConfig, RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.jobs.bundle_import import import_run
from skmm_core.runs import RunState
from skmm_core.runs.processes import process_key

DIABETES = DatasetConfig(source="diabetes")


@pytest.fixture
def form(empty, visit):
    """The form for an open dataset, and its widgets by the last part of their key."""
    return visit("select", data=remember(DIABETES))


def queue(store, job=None, dataset=DIABETES):
    config = RunConfig(dataset=dataset, job=job or SelectJob(method="uniform", budget=7))
    return store.create(config, load_dataset(dataset).fingerprint)


def demo_run(store):
    return next(run for run in store.records(kind="select") if run.config == demo.SELECT)


def test_without_a_dataset_the_page_says_where_to_get_one(empty, visit, words):
    app = visit("select")
    assert not app.exception
    assert "No dataset is open" in words(app)
    assert app.get("page_link")


def test_the_default_form_submits_no_params(form, empty):
    form.button(key="pick").click().run()
    assert empty.records()[0].config.job.params == {}


def test_a_queued_run_waits_and_can_be_cancelled_and_started_again(empty, visit, words):
    run = queue(empty)
    app = visit("select", run=run.id)
    assert "Waiting for the run before this one" in words(app)
    app.button(key=f"cancel-{run.id}").click().run()
    assert empty.get(run.id).state is RunState.CANCELLED
    app.run()
    assert not app.exception
    assert "Cancelled" in app.warning[0].value
    app.button(key=f"again-{run.id}").click().run()
    assert empty.get(run.id).state is RunState.QUEUED


def test_a_second_tab_reattaches_to_a_running_run(empty, visit, words):
    run = queue(empty)
    assert empty.claim(run.id, process_key(os.getpid()))
    lines = [
        {"time": 1.0, "phase": "Solving the relaxation", "step": step, "total": 200, "eta": 12.0,
         "values": {"objective": 1 / (step + 1)}}
        for step in range(0, 50, 10)
    ]  # fmt: skip
    (run.folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    app = visit("select", run=run.id)
    assert not app.exception
    assert "Solving the relaxation" in words(app)
    progress = app.get("progress")[0]
    assert "20 % · about 12 s left" in str(progress.proto.text).replace("\u00a0", " ")
    assert len(app.get("plotly_chart")) == 1
    assert app.button(key=f"cancel-{run.id}")


def test_a_failed_run_says_why_in_one_line(empty, visit, fail):
    run = queue(empty)
    fail(empty, run.id, "memory ran out; take a <smaller> pool")
    app = visit("select", run=run.id)
    assert not app.exception
    assert [each.value for each in app.error] == [r"memory ran out; take a \<smaller\> pool"]


def test_a_prefix_of_all_points_measures_what_the_run_did(ready):
    run = demo_run(ready)
    measured = prefix_diagnostics(run.id, 60).summary()
    saved = cache.run_diagnostics(run.id).summary()
    assert measured.keys() == saved.keys()
    for name, value in saved.items():
        assert measured[name] == (pytest.approx(value, rel=1e-5) if isinstance(value, float) else value), name


def test_a_run_that_is_not_here_is_told_once(empty, visit):
    for id_ in ("0" * 12, "../../etc"):
        app = visit("select", run=id_)
        assert not app.exception
        assert "There is no run" in app.error[0].value
        assert "run" not in app.query_params
        assert not app.run().error


def test_a_damaged_run_is_one_line(ready, visit):
    run = demo_run(ready)
    (run.folder / "scores.parquet").write_bytes(b"PAR1")
    app = visit("select", run=run.id)
    assert not app.exception
    assert len(app.error) == 1
    assert "cannot be read" in app.error[0].value


def test_exports_of_a_whole_selection_are_the_files_of_the_run(ready, monkeypatch):
    run = demo_run(ready)
    makers = exports._makers(run, 60, whole=True)
    assert makers["csv"]() == (run.folder / "selection.csv").read_bytes()
    assert makers["npy"]() == (run.folder / "selection.npy").read_bytes()


def test_exports_of_a_prefix_agree_with_each_other(ready):
    import io

    run = demo_run(ready)
    makers = exports._makers(run, 10, whole=False)
    rows = np.load(io.BytesIO(makers["npy"]()))
    csv = pd.read_csv(io.BytesIO(makers["csv"]()))
    parquet = pd.read_parquet(io.BytesIO(makers["parquet"]()))
    about = json.loads(makers["json"]())
    whole = np.load(run.folder / "selection.npy")
    assert list(rows) == list(whole[:10]) == list(csv["row"]) == list(parquet["row"])
    assert [point["row"] for point in about["points"]] == list(rows)
    assert csv["weight"].sum() == pytest.approx(1)
    assert about["config"] == run.config.model_dump(mode="json")


def test_the_zip_of_a_run_can_be_imported_elsewhere(ready, tmp_path):
    from skmm_core.runs import RunStore

    run = demo_run(ready)
    path = tmp_path / "run.zip"
    path.write_bytes(exports.run_zip(run.id))
    other = RunStore(tmp_path / "other")
    assert import_run(other, path).config == run.config


def test_marks_survive_a_change_of_the_figure_but_not_a_deselection() -> None:
    marks = with_report(with_look(Marks(), "a", held=False), (1, 2))
    assert marks.positions == (1, 2)
    assert with_look(marks, "a", held=True) == marks
    changed = with_look(marks, "b", held=True)
    assert changed.drawn == (1, 2)
    after_reset = with_report(changed, ())
    assert after_reset.positions == (1, 2)
    assert with_report(after_reset, ()).positions == ()
    assert with_report(with_look(marks, "b", held=False), ()).positions == ()


def test_what_the_legend_hides_is_drawn_into_the_next_figure_not_into_the_present_one() -> None:
    marks = replace(with_look(Marks(), "a", held=False), hidden=("class 1",))
    assert with_look(marks, "a", held=False).drawn_hidden == ()
    assert with_look(marks, "b", held=False).drawn_hidden == ("class 1",)
    assert with_look(marks, "a", held=False, fresh=True).drawn_hidden == ("class 1",)
