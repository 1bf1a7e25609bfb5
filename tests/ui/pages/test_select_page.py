"""Select in every state: no dataset, form, queued, running, failed, cancelled, done, damaged."""

import json
import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from dashboard.components.select.metric_row import MEASURED
from dashboard.components.shared import exports
from dashboard.components.shared.map.marked_points import Marks, with_look, with_report
from dashboard.components.shared.theme import fmt_number
from dashboard.services import cache, demo
from dashboard.services.prefix import prefix_diagnostics
from dashboard.services.sources import remember
from skmm_core import methods as registry
from skmm_core.config import DatasetConfig, RunConfig, SelectJob, SketchParams
from skmm_core.data.load import load_dataset
from skmm_core.data.row_list import row_text
from skmm_core.diagnostics import QUANTITIES
from skmm_core.diagnostics.measure import diagnose
from skmm_core.jobs.bundle_import import import_run
from skmm_core.jobs.runner import run_folder
from skmm_core.pool.pool import make_pool
from skmm_core.runs import RunState
from skmm_core.runs.processes import process_key

DIABETES = DatasetConfig(source="diabetes")


@pytest.fixture
def form(empty, visit):
    """The form for an open dataset, and its widgets by the last part of their key."""
    return visit("select", data=remember(DIABETES))


def widget(app, kind, end):
    return next(each for each in app.get(kind) if str(each.key).endswith(end))


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


def test_the_question_comes_first_and_no_result_yet_is_explained(form, words):
    assert not form.exception
    assert form.segmented_control[1].label == "What do you want to save?"
    assert "Nothing picked yet" in words(form)
    assert "37.7 % of the pool of 265." in words(form)


def test_the_form_submits_exactly_what_was_chosen(form, empty):
    form.radio[0].set_value("skmm").run()
    widget(form, "number_input", ":budget").set_value(20)
    widget(form, "number_input", ":c_s").set_value(0.5)
    widget(form, "number_input", "sketch:dim").set_value(6)
    widget(form, "number_input", ":seed").set_value(3)
    form.button(key="pick").click().run()
    assert not form.exception
    run = empty.records()[0]
    job = SelectJob(method="skmm", budget=20, params={"c_s": 0.5}, seed=3)
    assert run.config == RunConfig(dataset=DIABETES, job=job, sketch=SketchParams(dim=6))
    assert run.state is RunState.QUEUED
    assert form.query_params["run"] == run.id


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


def test_a_finished_run_shows_numbers_map_gallery_balance_and_exports(ready, visit, words):
    run = demo_run(ready)
    app = visit("select", run=run.id)
    assert not app.exception
    assert not app.error
    assert {metric.label for metric in app.metric} >= {"Chosen", *(QUANTITIES[key].title for key in MEASURED)}
    assert app.metric[0].value == "60 of 1,078"
    assert len(app.get("plotly_chart")) == 2
    assert "60 chosen points" in words(app)
    downloads = {each.label for each in app.get("download_button")}
    assert downloads == {"CSV", "JSON", "NPY", "PARQUET", "Whole run (zip)", "Report (html)"}
    assert app.code[0].value == "python -m skmm_core select --dataset digits --method skmm_cover --budget 60 --out out"
    assert "skmm-gallery" in "".join(each.proto.body for each in app.get("html"))


def test_a_run_that_sees_labels_opens_in_the_league_that_offers_its_method(empty, visit):
    job = SelectJob(method="skmm_fit", budget=7)
    app = visit("select", data=remember(DIABETES), run=queue(empty, job).id)
    assert app.segmented_control[1].value == "Training"
    assert app.radio[0].value == "skmm_fit"


def test_the_form_starts_at_the_open_run(ready, visit):
    app = visit("select", run=demo_run(ready).id)
    assert widget(app, "number_input", ":budget").value == 60
    assert app.radio[0].value == "skmm_cover"


def test_the_slider_shows_a_prefix_without_a_new_run(ready, visit, words):
    run = demo_run(ready)
    app = visit("select", run=run.id)
    app.slider(key=f"prefix:{run.id}").set_value(10).run()
    assert not app.exception
    assert "10 chosen points" in words(app)
    assert "The files hold the first 10 points" in words(app)
    assert len(ready.records(kind="select")) == 2


def test_the_slider_measures_the_first_points_as_a_run_of_them_would_be(ready, visit):
    run = demo_run(ready)
    app = visit("select", run=run.id)
    whole = {metric.label: metric.value for metric in app.metric}
    app.slider(key=f"prefix:{run.id}").set_value(10).run()
    shown = {metric.label: metric.value for metric in app.metric}
    dataset = load_dataset(run.config.dataset)
    chosen = pd.read_parquet(run.folder / "selection.parquet").head(10)
    measured = diagnose(make_pool(dataset), torch.tensor(chosen["position"].to_numpy()))
    assert shown["Chosen"] == "10 of 1,078"
    for key in ("bias", "variance", "moment_error", "coverage_mean", "class_tv"):
        label = QUANTITIES[key].title
        assert shown[label] == fmt_number(getattr(measured, key))
        assert shown[label] != whole[label]
    assert shown["Certificate c_S"] == "∞"
    app.slider(key=f"prefix:{run.id}").set_value(60).run()
    assert {metric.label: metric.value for metric in app.metric} == whole


def test_a_prefix_of_all_points_measures_what_the_run_did(ready):
    run = demo_run(ready)
    measured = prefix_diagnostics(run.id, 60).summary()
    saved = cache.run_diagnostics(run.id).summary()
    assert measured.keys() == saved.keys()
    for name, value in saved.items():
        assert measured[name] == (pytest.approx(value, rel=1e-5) if isinstance(value, float) else value), name


def test_a_column_of_the_data_colours_the_map(ready, visit):
    run = next(run for run in ready.records(kind="select") if run.method == "leverage")
    app = visit("select", run=run.id)
    app.selectbox(key=f"colour:{run.id}").set_value("column").run()
    assert not app.exception
    column = app.selectbox(key=f"column:{run.id}")
    assert len(column.options) == 10
    column.set_value(2).run()
    assert not app.exception
    assert f'"text":"{column.options[2]}"' in app.get("plotly_chart")[0].proto.spec.replace(": ", ":")


def test_the_map_is_drawn_along_directions_of_the_sketch(ready, visit):
    run = demo_run(ready)
    app = visit("select", run=run.id)
    widget(app, "button_group", f"kind:{run.id}").set_value("Sketch").run()
    app.selectbox(key=f"pair:{run.id}").set_value(1).run()
    assert not app.exception
    assert "Sketch direction 3" in app.get("plotly_chart")[0].proto.spec


def test_points_decided_by_hand_are_in_the_run_that_the_form_starts(ready, visit, words):
    run = demo_run(ready)
    app = visit("select", run=run.id)
    rows = pd.read_parquet(run.folder / "scores.parquet")["row"]
    assert "Mark points on the map" in words(app)
    app.session_state[f"marks:map:{run.id}"] = Marks(positions=(5, 6))
    app.run()
    app.button(key="hand:push_pin").click().run()
    assert "2 points pinned by hand" in words(app)
    app.session_state[f"marks:map:{run.id}"] = Marks(positions=(6, 9))
    app.run()
    app.button(key="hand:block").click().run()
    assert not app.exception
    assert "1 point pinned, 2 barred by hand" in words(app)
    assert "Always choose 1" in app.get("plotly_chart")[0].proto.spec
    app.button(key="pick").click().run()
    job = ready.records()[0].config.job
    assert (job.include, job.exclude) == ((int(rows[5]),), tuple(sorted(int(rows[i]) for i in (6, 9))))
    assert ready.records()[0].id != run.id
    widget(app, "button", ":forget").click().run()
    assert "by hand" not in words(app)


def test_a_run_around_pinned_points_opens_with_them_and_shows_its_command(ready, visit, words):
    pool = load_dataset(demo.SELECT.dataset).rows[load_dataset(demo.SELECT.dataset).split.train].tolist()
    job = SelectJob(method="k_center", budget=6, include=(pool[0], pool[1]), exclude=(pool[3],))
    config = RunConfig(dataset=demo.SELECT.dataset, job=job)
    record = ready.create(config, load_dataset(config.dataset).fingerprint)
    run_folder(record.folder, home=ready.home)
    app = visit("select", run=record.id)
    assert not app.exception
    assert "2 points pinned, 1 barred by hand" in words(app)
    assert f"--include {row_text(job.include)} --exclude {pool[3]}" in app.code[0].value
    assert app.metric[0].help.endswith("By hand: 2 included, 1 excluded.")
    chosen = np.load(record.folder / "selection.npy").tolist()
    assert chosen[:2] == [pool[0], pool[1]]


def test_every_colour_can_be_chosen(ready, visit):
    for run in ready.records(kind="select"):
        app = visit("select", run=run.id)
        colours = app.selectbox(key=f"colour:{run.id}")
        assert len(colours.options) >= 3
        for index in range(len(colours.options)):
            app.selectbox(key=f"colour:{run.id}").select_index(index).run()
            assert not app.exception


def test_a_regression_run_without_pictures_shows_a_table(ready, visit, words):
    run = next(run for run in ready.records(kind="select") if run.method == "leverage")
    app = visit("select", run=run.id)
    assert not app.exception
    assert "Mean target of the chosen points" in words(app)
    assert len(app.dataframe[0].value) == 9
    assert list(app.dataframe[0].value["rank"]) == list(range(1, 10))


def test_umap_that_is_not_there_yet_is_announced_and_pca_stays(ready, visit, words, monkeypatch):
    from dashboard.components.shared.map import controls

    started = []
    monkeypatch.setattr(controls, "start_umap", lambda config, fingerprint: started.append(fingerprint))
    run = demo_run(ready)
    app = visit("select", run=run.id)
    widget(app, "button_group", f"kind:{run.id}").set_value("UMAP").run()
    assert not app.exception
    assert set(started) == {run.fingerprint}
    assert "UMAP is being computed in the background" in words(app)
    assert "PCA 1" in app.get("plotly_chart")[0].proto.spec


def test_umap_that_is_kept_is_drawn(ready, visit):
    from dashboard.services.umap import umap_path

    run = demo_run(ready)
    path = umap_path(run.fingerprint)
    path.parent.mkdir(parents=True)
    np.save(path, np.random.default_rng(0).normal(size=(1078, 2)).astype(np.float32))
    app = visit("select", run=run.id)
    widget(app, "button_group", f"kind:{run.id}").set_value("UMAP").run()
    assert not app.exception
    assert "UMAP 1" in app.get("plotly_chart")[0].proto.spec


def test_a_run_that_is_not_here_is_told_once(empty, visit):
    for id_ in ("0" * 12, "../../etc"):
        app = visit("select", run=id_)
        assert not app.exception
        assert "There is no run" in app.error[0].value
        assert "run" not in app.query_params
        assert not app.run().error


def test_a_comparison_in_the_url_leaves_the_form_usable(ready, visit, words):
    run = ready.records(kind="compare")[0]
    app = visit("select", run=run.id)
    assert not app.exception
    assert "Nothing picked yet" in words(app)
    assert app.button(key="pick")


def test_a_damaged_run_is_one_line(ready, visit):
    run = demo_run(ready)
    (run.folder / "scores.parquet").write_bytes(b"PAR1")
    app = visit("select", run=run.id)
    assert not app.exception
    assert len(app.error) == 1
    assert "cannot be read" in app.error[0].value


def test_a_run_over_a_file_that_may_not_be_read_is_still_shown(ready, visit, tmp_path, words):
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 3)), columns=list("abc"))
    rows.to_csv(tmp_path / "own.csv", index=False)
    config = RunConfig(
        dataset=DatasetConfig(source=str(tmp_path / "own.csv")), job=SelectJob(method="uniform", budget=4)
    )
    record = ready.create(config, load_dataset(config.dataset).fingerprint)
    run_folder(record.folder, home=ready.home)
    app = visit("select", run=record.id)
    assert not app.exception
    assert "own.csv cannot be read from here" in app.error[0].value.replace("\\", "")
    assert "4 chosen points" in words(app)


def test_a_method_that_misses_something_is_shown_disabled_with_the_reason(empty, visit, words, monkeypatch):
    from dataclasses import replace

    known = registry.list_methods()
    kernel = next(spec for spec in known if spec.key == "skmm_cover")
    needy = replace(kernel, key="needy", title="Needy", needs=frozenset({registry.Need.CLASSES}))
    monkeypatch.setattr(registry, "list_methods", lambda: (*known, needy))
    app = visit("select", data=remember(DIABETES))
    assert not app.exception
    assert next(each for each in app.button if each.label == "Needy").disabled
    assert "Needy needs class labels" in words(app).replace("\\", "")


def test_label_aware_methods_and_options_are_offered_for_training_only(empty, visit):
    app = visit("select", data=remember(DatasetConfig(source="digits")))
    aware = {spec.key for spec in registry.list_methods() if spec.uses_labels}

    def offered():
        found = set()
        for family in families().options:
            families().set_value(family).run()
            assert not app.exception
            found |= set(app.radio[0].options)
        return found

    def families():
        return next(each for each in app.get("button_group") if ":family" in str(each.key))

    titles = {spec.title for spec in registry.list_methods() if spec.key in aware}
    assert not titles & offered()
    assert not [each for each in app.toggle if each.key.endswith(":stratify")]
    app.segmented_control[1].set_value("Training").run()
    assert titles <= offered()
    families().set_value("Sampling").run()
    app.radio[0].set_value("uniform").run()
    assert [each for each in app.toggle if each.key.endswith(":stratify")]


def test_another_goal_starts_with_its_own_method(ready, visit):
    run = demo_run(ready)
    app = visit("select", run=run.id)
    assert app.radio[0].value == run.config.job.method
    app.segmented_control[1].set_value("Training").run()
    assert registry.get_method(app.radio[0].value).recommended
    assert app.radio[0].value != run.config.job.method


def test_the_size_of_the_warm_up_is_asked_where_a_head_is_trained(empty, visit, words):
    app = visit("select", data=remember(DatasetConfig(source="digits")))
    assert not [each for each in app.number_input if each.key.endswith(":warm-up")]
    app.segmented_control[1].set_value("Training").run()
    next(each for each in app.get("button_group") if ":family" in str(each.key)).set_value("Uncertainty").run()
    assert [each for each in app.number_input if each.key.endswith(":warm-up")]
    assert "Needs class labels, warm-up head." in words(app).replace("\\", "")


def test_a_family_that_cannot_run_here_gives_reasons_and_no_start(empty, visit, words, monkeypatch):
    uniform = registry.get_method("uniform")
    from dataclasses import replace

    family = registry.Family.GEOMETRIC
    needy = replace(uniform, key="needy", title="Needy", family=family, needs=frozenset({registry.Need.CLASSES}))
    monkeypatch.setattr(registry, "list_methods", lambda: (uniform, needy))
    app = visit("select", data=remember(DIABETES))
    next(each for each in app.get("button_group") if ":family" in str(each.key)).set_value("Geometric").run()
    assert not app.exception
    assert "Needy needs class labels" in words(app).replace("\\", "")
    assert next(each for each in app.button if each.label == "Pick points").disabled


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
