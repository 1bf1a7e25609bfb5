"""The workbench as a page: the line that picks, what follows from it, and what is kept of points."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from streamlit.testing.v1 import AppTest

from dashboard.components.shared.theme import fmt_number
from dashboard.components.workbench import map_view
from dashboard.components.workbench.desk import Desk
from dashboard.components.workbench.metric_row import MEASURED
from dashboard.components.workbench.pick_line import LABELLING, TRAINING
from dashboard.services import demo
from dashboard.services.projects import begun, project_of
from dashboard.services.sources import remember
from dashboard.services.umap import UmapState, umap_path
from skmm_core import methods as registry
from skmm_core.config import DatasetConfig, RunConfig, SelectJob, SketchParams
from skmm_core.data.load import load_dataset
from skmm_core.data.row_list import row_text
from skmm_core.diagnostics import QUANTITIES
from skmm_core.diagnostics.measure import diagnose
from skmm_core.jobs.runner import run_folder
from skmm_core.pool.making import make_pool
from skmm_core.runs import RunState

DIABETES = DatasetConfig(source="diabetes")


@pytest.fixture
def pool(empty, visit):
    """An open dataset of which nothing was picked."""
    return visit("select", data=remember(DIABETES))


def widget(app, kind, end):
    return next(each for each in app.get(kind) if str(each.key).endswith(end))


def method(app):
    return widget(app, "selectbox", ":method")


def goal(app):
    return widget(app, "button_group", ":league")


def key_of(run):
    return run.fingerprint[-12:]


def demo_run(store):
    return next(run for run in store.records(kind="select") if run.config == demo.SELECT)


def grids(app):
    """What the browser is told to draw in each grid of points."""
    told = [json.loads(each.proto.json) for each in app.get("bidi_component") if each.proto.json]
    return [data for data in told if "items" in data]


def finished(store, config):
    record = store.create(config, load_dataset(config.dataset).fingerprint)
    run_folder(record.folder, home=store.home)
    return record


def test_a_pool_can_be_looked_at_before_anything_is_picked(pool, words):
    assert not pool.exception
    assert goal(pool).value == LABELLING
    assert "265 points in the pool" in words(pool)
    assert len(pool.get("plotly_chart")) == 1
    assert len(grids(pool)[0]["items"]) == 50
    assert widget(pool, "number_input", ":budget:265").value == 26


def test_the_line_submits_exactly_what_was_chosen(pool, empty):
    method(pool).set_value("skmm").run()
    widget(pool, "number_input", ":budget:265").set_value(20)
    widget(pool, "number_input", ":c_s").set_value(0.5)
    widget(pool, "number_input", "sketch:dim").set_value(6)
    widget(pool, "number_input", ":seed").set_value(3)
    pool.button(key="pick").click().run()
    assert not pool.exception
    run = empty.records()[0]
    job = SelectJob(method="skmm", budget=20, params={"c_s": 0.5}, seed=3)
    assert run.config == RunConfig(dataset=DIABETES, job=job, sketch=SketchParams(dim=6))
    assert run.state is RunState.QUEUED
    assert pool.query_params["run"] == run.id


def test_another_goal_has_another_default(pool):
    assert method(pool).options[0] == "Recommended: SkMM cover"
    goal(pool).set_value(TRAINING).run()
    assert method(pool).options[0] == "Recommended: SkMM fit"
    assert method(pool).value == "recommended"


def test_a_run_that_sees_labels_opens_with_the_goal_that_offers_its_method(empty, visit):
    config = RunConfig(dataset=DIABETES, job=SelectJob(method="skmm_fit", budget=7))
    run = empty.create(config, load_dataset(DIABETES).fingerprint)
    app = visit("select", data=remember(DIABETES), run=run.id)
    assert goal(app).value == TRAINING
    assert method(app).value == "recommended"


def test_label_aware_methods_and_options_are_offered_for_training_only(empty, visit):
    app = visit("select", data=remember(DatasetConfig(source="digits")))
    aware = {spec.title for spec in registry.list_methods() if spec.uses_labels}

    def offered():
        return {name.removeprefix("Recommended: ") for name in method(app).options}

    assert not aware & offered()
    method(app).set_value("uniform").run()
    assert not [each for each in app.toggle if each.key.endswith(":stratify")]
    goal(app).set_value(TRAINING).run()
    assert aware <= offered()
    method(app).set_value("uniform").run()
    assert [each for each in app.toggle if each.key.endswith(":stratify")]


def test_labels_so_far_offer_methods_that_learn_from_them_alone(empty, visit, words):
    digits = load_dataset(demo.SELECT.dataset)
    rows = digits.split.train[:40].tolist()
    labels = {str(digits.ids[row]): digits.class_names[int(digits.targets[row])] for row in rows}
    begun(demo.SELECT.dataset, digits.fingerprint, "digits").label(labels)
    app = visit("select", data=remember(demo.SELECT.dataset))
    assert goal(app).value == LABELLING
    titles = {spec.title: spec for spec in registry.list_methods()}
    offered = [titles[name.removeprefix("Recommended: ")] for name in method(app).options]
    assert offered[0].key == "skmm_cover"
    assert {spec.key for spec in offered if spec.uses_labels} >= {"margin", "entropy", "badge"}
    assert not [spec for spec in offered if spec.needs_every_label]
    method(app).set_value("margin").run()
    assert not [each for each in app.number_input if each.key.endswith(":warm-up")], "all labels so far train the head"
    widget(app, "number_input", ":budget:1038").set_value(5)
    app.button(key="pick").click().run()
    assert not app.exception
    (record,) = empty.records()
    run_folder(record.folder, home=empty.home)
    assert not set(pd.read_parquet(record.folder / "selection.parquet")["id"]) & set(labels)
    again = visit("select", run=record.id)
    assert (goal(again).value, method(again).value) == (LABELLING, "margin")


def test_the_size_of_the_warm_up_is_asked_where_a_head_is_trained(empty, visit, words):
    app = visit("select", data=remember(DatasetConfig(source="digits")))
    assert not [each for each in app.number_input if each.key.endswith(":warm-up")]
    goal(app).set_value(TRAINING).run()
    method(app).set_value("margin").run()
    assert [each for each in app.number_input if each.key.endswith(":warm-up")]
    assert "warm-up head" in words(app).replace("\\", "")


def test_a_method_that_misses_something_is_named_with_the_reason(empty, visit, words, monkeypatch):
    known = registry.list_methods()
    cover = next(spec for spec in known if spec.key == "skmm_cover")
    needy = replace(cover, key="needy", title="Needy", needs=frozenset({registry.Need.CLASSES}))
    monkeypatch.setattr(registry, "list_methods", lambda: (*known, needy))
    app = visit("select", data=remember(DIABETES))
    assert not app.exception
    assert "Needy" not in method(app).options
    assert "Needy needs class labels" in words(app).replace("\\", "")


def test_a_finished_run_shows_map_gallery_numbers_and_exports(ready, visit, words):
    run = demo_run(ready)
    app = visit("select", run=run.id)
    assert not app.exception
    assert not app.error
    assert len(app.get("plotly_chart")) == 1
    assert "60 chosen points" in words(app)
    assert widget(app, "number_input", ":budget:1078").value == 60
    downloads = {each.label for each in app.get("download_button")}
    assert downloads == {"CSV", "JSON", "NPY", "PARQUET", "Whole run (zip)", "Report (html)"}
    assert app.code[0].value == "python -m skmm_core select --dataset digits --method skmm_cover --budget 60 --out out"
    drawn = grids(app)[0]
    assert [item["head"].split(" · ")[0] for item in drawn["items"][:3]] == ["#1", "#2", "#3"]
    assert all(item["picture"].startswith("data:image/png;base64,") for item in drawn["items"])


def test_the_slider_shows_and_measures_the_first_points_without_a_new_run(ready, visit, words):
    run = demo_run(ready)
    app = visit("select", run=run.id)
    app.session_state["numbers"] = True
    app.run()
    whole = {metric.label: metric.value for metric in app.metric}
    assert set(whole) >= {"Chosen", *(QUANTITIES[key].title for key in MEASURED)}
    app.slider(key=f"prefix:{run.id}").set_value(10).run()
    assert not app.exception
    assert "10 chosen points" in words(app)
    assert len(ready.records(kind="select")) == 2
    shown = {metric.label: metric.value for metric in app.metric}
    chosen = pd.read_parquet(run.folder / "selection.parquet").head(10)
    measured = diagnose(make_pool(load_dataset(run.config.dataset)), torch.tensor(chosen["position"].to_numpy()))
    assert shown["Chosen"] == "10 of 1,078"
    for key in ("moment_error", "coverage_mean", "class_tv"):
        label = QUANTITIES[key].title
        assert shown[label] == fmt_number(getattr(measured, key))
        assert shown[label] != whole[label]
    app.slider(key=f"prefix:{run.id}").set_value(60).run()
    assert {metric.label: metric.value for metric in app.metric} == whole


def test_colours_and_directions_can_be_chosen(ready, visit):
    for run in ready.records(kind="select"):
        app = visit("select", run=run.id)
        key = key_of(run)
        count = len(app.selectbox(key=f"{key}:colour").options)
        assert count >= 4
        for place in (1, 2, count - 1):
            app.selectbox(key=f"{key}:colour").select_index(place).run()
            assert not app.exception
        app.session_state[f"{key}:kind"] = "Sketch"
        app.run()
        app.selectbox(key=f"{key}:pair").select_index(1).run()
        assert not app.exception
        assert "Sketch direction 3" in app.get("plotly_chart")[0].proto.spec


def waiting(bench):
    from dashboard.components.workbench import map_view

    map_view._said(bench)


def test_umap_follows_by_itself_in_a_browser_alone(ready, monkeypatch):
    """A run of the page, as from a script or a test, computes nothing; a browser runs its part of the page again."""
    run, started = demo_run(ready), []
    monkeypatch.setattr(map_view, "start_umap", lambda config, fingerprint: started.append(fingerprint))
    bench = SimpleNamespace(fingerprint=run.fingerprint, key=key_of(run), size=1078, config=run.config.dataset)
    app = AppTest.from_function(waiting, kwargs={"bench": bench}).run()
    assert not started, "a page that is left at once computes nothing"
    app.run()
    assert not app.exception
    assert started == [run.fingerprint]


def test_umap_says_how_far_it_is_and_can_be_cancelled(ready, visit, words, monkeypatch):
    started, ended = [], []
    monkeypatch.setattr(map_view, "start_umap", lambda config, fingerprint: started.append(fingerprint))
    monkeypatch.setattr(map_view, "cancel_umap", ended.append)
    run = demo_run(ready)
    app = visit("select", run=run.id)
    assert "UMAP follows" in words(app)
    assert "PCA 1" in app.get("plotly_chart")[0].proto.spec
    app.run()
    app.run()
    assert not started
    state = UmapState(running=True, fraction=0.4, eta=12.0)
    monkeypatch.setattr(map_view, "umap_state", lambda fingerprint, size: state)
    app.run()
    assert "UMAP 40 %, about 12 s left; PCA until then." in words(app)
    app.button(key=f"{key_of(run)}:umap-cancel").click().run()
    assert ended == [run.fingerprint]


def test_umap_that_is_kept_is_drawn(ready, visit):
    run = demo_run(ready)
    path = umap_path(run.fingerprint)
    path.parent.mkdir(parents=True)
    np.save(path, np.random.default_rng(0).normal(size=(1078, 2)).astype(np.float32))
    app = visit("select", run=run.id)
    assert not app.exception
    assert "UMAP 1" in app.get("plotly_chart")[0].proto.spec


def test_a_point_in_full_its_pin_and_tag_outlive_the_session_and_are_undone(ready, visit, words):
    run = demo_run(ready)
    app = visit("select", run=run.id)
    key = key_of(run)
    scores = pd.read_parquet(run.folder / "scores.parquet").sort_values("position", ignore_index=True)
    id_ = scores["id"][5]
    app.session_state[f"desk:{run.fingerprint}"] = Desk(opened=5)
    app.run()
    assert not app.exception
    assert str(id_) in words(app)
    assert [grid["title"] for grid in grids(app)] == ["Most alike, picked", "Most alike, not picked"]
    app.button(key=f"{key}:pin").click().run()
    app.multiselect(key=f"{key}:tags:5:0").set_value(["odd"]).run()
    assert not app.exception
    state = project_of(run.fingerprint).state()
    assert (state.pinned, dict(state.tags)) == (frozenset({id_}), {id_: frozenset({"odd"})})
    again = visit("select", run=run.id)
    assert "Always choose 1" in again.get("plotly_chart")[0].proto.spec
    again.button(key=f"{key}:Undo").click().run()
    assert not project_of(run.fingerprint).state().tags
    again.button(key="pick").click().run()
    assert ready.records()[0].config.job.include == (int(scores["row"][5]),)


def test_filters_name_what_is_shown_and_are_undone(ready, visit, words):
    run = demo_run(ready)
    app = visit("select", run=run.id)
    key = key_of(run)
    app.multiselect(key=f"{key}:filter:classes").set_value(["3"]).run()
    assert not app.exception
    labels = pd.read_parquet(run.folder / "scores.parquet")["label"]
    count = f"{(labels == '3').sum()} of 1,078 points: class 3"
    assert count in words(app)
    widget(app, "button_group", ":filter:odd").set_value(["Outliers"]).run()
    assert not app.exception
    assert "class 3; outliers" in words(app)
    app.button(key=f"{key}:Undo").click().run()
    assert count in words(app)
    app.button(key=f"{key}:Redo").click().run()
    assert "class 3; outliers" in words(app)
    app.button(key=f"{key}:all").click().run()
    assert "60 chosen points" in words(app)


def test_a_selection_is_kept_as_a_batch_and_the_next_is_picked_around_it(ready, visit, words):
    run = demo_run(ready)
    app = visit("select", run=run.id)
    app.button(key="keep-batch").click().run()
    assert not app.exception
    app = visit("select", run=run.id)
    batch = project_of(run.fingerprint).state().batches[0]
    chosen = pd.read_parquet(run.folder / "selection.parquet").sort_values("order")["id"]
    assert batch.items == tuple(chosen)
    assert "60 of 60 wait for a label" in words(app)
    assert "batch 1 · 0 labelled · 60 waiting · 1,018 left" in words(app)
    project_of(run.fingerprint).label(dict.fromkeys(batch.items, "3"))
    app.run()
    assert "all answered" in words(app)
    app.button(key="pick").click().run()
    record = ready.records()[0]
    assert record.id != run.id
    run_folder(record.folder, home=ready.home)
    assert not set(pd.read_parquet(record.folder / "selection.parquet")["id"]) & set(batch.items)


def test_a_run_around_pinned_points_shows_its_command(ready, visit):
    dataset = load_dataset(demo.SELECT.dataset)
    rows = dataset.rows[dataset.split.train].tolist()
    job = SelectJob(method="k_center", budget=6, include=(rows[0], rows[1]), exclude=(rows[3],))
    record = finished(ready, RunConfig(dataset=demo.SELECT.dataset, job=job))
    app = visit("select", run=record.id)
    app.session_state["numbers"] = True
    app.run()
    assert not app.exception
    assert f"--include {row_text(job.include)} --exclude {rows[3]}" in app.code[0].value
    assert app.metric[0].help.endswith("By hand: 2 included, 1 excluded.")


def test_a_regression_run_without_pictures_shows_a_table(ready, visit):
    run = next(run for run in ready.records(kind="select") if run.method == "leverage")
    app = visit("select", run=run.id)
    assert not app.exception
    drawn = grids(app)[0]
    assert drawn["layout"] == "Table"
    assert drawn["columns"][:4] == ["Pick", "Id", "Label", "State"]
    assert [item["cells"][0] for item in drawn["items"]] == [str(number) for number in range(1, 10)]


def test_a_comparison_in_the_url_leaves_the_line_usable(ready, visit, words):
    app = visit("select", run=ready.records(kind="compare")[0].id)
    assert not app.exception
    assert "points in the pool" in words(app)
    assert app.button(key="pick")


def test_a_run_over_a_file_that_may_not_be_read_is_still_shown(ready, visit, tmp_path, words):
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 3)), columns=list("abc"))
    rows.to_csv(tmp_path / "own.csv", index=False)
    config = DatasetConfig(source=str(tmp_path / "own.csv"))
    record = finished(ready, RunConfig(dataset=config, job=SelectJob(method="uniform", budget=4)))
    app = visit("select", run=record.id)
    assert not app.exception
    assert "own.csv cannot be read from here" in app.error[0].value.replace("\\", "")
    assert "4 chosen points" in words(app)
