"""Why, Compare and Runs in every state, drawn by Streamlit's own test runner."""

import html
import json
import re

import numpy as np
import pytest

from dashboard.components.compare.form import ABOUT_DATA, ABOUT_POOL
from dashboard.components.shared.theme import IMAGE_FORMAT, escape
from skmm_core.comparison.score_log import read_scores
from skmm_core.config import CompareJob, DatasetConfig, RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.jobs.runner import run_folder
from skmm_core.methods.registry import Family, list_methods
from skmm_core.runs import RunState
from skmm_core.runs.files import read_result
from skmm_core.runs.snippet import python_lines
from skmm_core.storage.writing import write_json

DIGITS = DatasetConfig(source="digits")


def texts(app):
    """All text of a page."""
    parts = [*app.markdown, *app.caption, *app.error, *app.info, *app.warning, *app.success, *app.subheader]
    return "\n".join(str(part.value) for part in parts)


def newest(store, method):
    return next(run for run in store.records(kind="select") if run.method == method and run.dataset == "digits")


def queued(store, job, dataset=DIGITS):
    """A run that waits and never starts."""
    return store.create(RunConfig(dataset=dataset, job=job), load_dataset(dataset).fingerprint)


@pytest.mark.parametrize("page", ["diagnose", "compare", "runs"])
def test_an_empty_home_says_what_to_do(empty_home, visit, page):
    app = visit(page)
    assert not app.exception
    assert not app.error
    assert app.get("page_link")


def test_diagnose_shows_every_answer_for_the_run_in_the_url(home, visit):
    app = visit("diagnose", run=newest(home, "skmm").id)
    assert not app.exception
    shown = texts(app)
    for question in (
        "Do the points stand for the data?",
        "How many directions can these points support?",
        "Does the selection see every direction as the pool does?",
        "What error would a ridge probe make, and why?",
        "How far is any point from one that was chosen?",
        "Are the unusual points among the chosen?",
        "Did the solver finish its work?",
    ):
        assert question in shown
    assert app.multiselect[0].value == [newest(home, "skmm").id]


def test_diagnose_draws_a_map_of_every_run_under_one_slider(home, visit):
    app = visit("diagnose", run=newest(home, "uniform").id)
    app.multiselect[0].set_value([newest(home, method).id for method in ("uniform", "skmm_kernel", "skmm")]).run()
    assert "Where do the chosen points lie?" in texts(app)

    def chosen():
        drawn = [chart.proto.spec for chart in app.get("plotly_chart") if "toggleothers" in chart.proto.spec]
        keys = [[trace["name"] for trace in json.loads(spec)["data"] if trace.get("showlegend")] for spec in drawn]
        return [sum(int(name.rsplit(" · ", 1)[1].split(" / ")[0]) for name in names) for names in keys]

    assert chosen() == [40, 40, 40]
    app.slider[0].set_value(5).run()
    assert not app.exception
    assert chosen() == [5, 5, 5]


def test_scores_at_their_ceiling_tell_no_saving_anywhere(empty_home, visit, tmp_path, monkeypatch):
    monkeypatch.setenv("SKMM_DATA_ROOTS", str(tmp_path))
    labels = np.arange(60) % 3
    rows = 100 * np.eye(3)[labels] + np.random.default_rng(0).normal(size=(60, 3))
    np.savez(tmp_path / "easy.npz", X=rows, y=labels)
    job = CompareJob(methods=("k_center", "uniform"), budgets=(20, 30, 40), seeds=2)
    run = queued(empty_home, job, DatasetConfig(source=str(tmp_path / "easy.npz"), holdout=0.3))
    run_folder(run.folder, home=empty_home.home)
    assert read_result(run.folder)["full"]["accuracy"] == 1.0
    words = {
        "compare": ("Every mean is the same, 100.0\u00a0%.", "scores are saturated, so no saving can be read"),
        "present": ("do too with **20**: the scores are saturated.", "No saving can be read from saturated scores."),
    }
    for page, said in words.items():
        app = visit(page, run=run.id)
        assert not app.exception
        assert all(each in texts(app) for each in said)
        assert "no saving is proven" not in texts(app), "that would be a tie"
        assert "times as many" not in texts(app)
    report = (run.folder / "report.html").read_text()
    assert "scores are saturated, so no saving can be read" in report
    assert "times as many" not in report


def test_what_a_method_settled_by_itself_is_said_wherever_its_run_is_shown(empty_home, visit):
    run = queued(empty_home, SelectJob(method="skmm_fit", budget=12), DatasetConfig(source="diabetes"))
    run_folder(run.folder, home=empty_home.home)
    (said,) = read_result(run.folder)["remarks"]
    assert said.startswith("Rows were ")
    assert re.search(r"error 0\.\d+ against 0\.\d+ .* and 0\.\d+ ", said)
    assert said in html.unescape((run.folder / "report.html").read_text())
    for page in ("select", "diagnose"):
        assert escape(said) in texts(visit(page, run=run.id))
    result = read_result(run.folder)
    del result["remarks"]  # as an earlier version wrote it
    write_json(run.folder / "result.json", result)
    for page in ("select", "diagnose"):
        app = visit(page, run=run.id)
        assert not app.exception
        assert "Rows were " not in texts(app)


def test_diagnose_three_runs_side_by_side_marks_the_best(home, visit):
    app = visit("diagnose", run=newest(home, "uniform").id)
    runs = [newest(home, method).id for method in ("uniform", "skmm_kernel", "skmm")]
    app.multiselect[0].set_value(runs).run()
    assert not app.exception
    table = app.table[0].value
    assert [*table.columns][3:] == ["Random picks"]
    assert "★" in "".join(table.to_numpy().ravel())


def test_diagnose_offers_only_runs_of_one_dataset(home, visit):
    app = visit("diagnose", run=newest(home, "skmm").id)
    assert len(app.multiselect[0].options) == 3
    assert len(app.selectbox[0].options) == 2


def test_diagnose_without_a_choice_asks_for_one(home, visit):
    app = visit("diagnose")
    app.multiselect[0].set_value([]).run()
    assert not app.exception
    assert "Choose at least one" in app.info[0].value


def test_diagnose_says_which_file_is_damaged(home, visit):
    run = newest(home, "skmm")
    (run.folder / "diagnostics.npz").write_bytes(b"PK damaged")
    app = visit("diagnose", run=run.id)
    assert not app.exception
    assert len(app.error) == 1
    assert "diagnostics" in app.error[0].value


def test_diagnose_while_the_open_run_waits(home, visit):
    run = queued(home, SelectJob(method="uniform", budget=11))
    app = visit("diagnose", run=run.id)
    assert not app.exception
    assert "Waiting for the run before this one" in texts(app)
    assert [button.label for button in app.button].count("Cancel") == 1


def test_compare_shows_curves_tables_tests_and_downloads(home, visit):
    run = home.records(kind="compare")[0]
    app = visit("compare", run=run.id)
    assert not app.exception
    shown = texts(app)
    assert "How good is a model trained on the chosen points?" in shown
    assert re.search(r"choose \*\*n = ", shown)
    assert "a tie, no saving is proven" in shown
    assert "3 seeds are too few to tell luck from merit" in shown
    assert "About data like these: each seed picks from its own" in shown
    assert any("**" in cell for cell in app.table[0].value.to_numpy().ravel())
    assert "python -m skmm_core compare --dataset digits" in app.code[0].value
    assert len(app.get("download_button")) == 4


def test_compare_planner_turns_points_into_money_and_time(home, visit):
    run = home.records(kind="compare")[0]
    app = visit("compare", run=run.id)
    assert "Labels saved" not in app.dataframe[0].value
    app.number_input("costs:label").set_value(0.5).run()
    app.number_input("costs:hours").set_value(10.0).run()
    table = app.dataframe[0].value
    assert not app.exception
    saved = dict(zip(table["Method"], zip(table["Points saved"], table["Labels saved"], strict=True), strict=True))
    points, money = saved["SkMM kernel"]
    number = int(re.search(r"\d+", points).group())
    assert money == points.replace(str(number), f"€{0.5 * number:.2f}")
    assert {"Time saved", "Verdict"} <= set(table)


def test_a_comparison_can_be_copied_as_command_python_or_bibtex(home, visit):
    run = home.records(kind="compare")[0]
    app = visit("compare", run=run.id)
    choice = next(group for group in app.segmented_control if group.label == "Copy as")
    choice.set_value("Python").run()
    assert app.code[0].value.strip() == python_lines(run.config).strip()
    next(group for group in app.segmented_control if group.label == "Copy as").set_value("BibTeX").run()
    assert not app.exception
    assert "dong2024sketchy" in app.code[0].value
    app.segmented_control(IMAGE_FORMAT).set_value("svg").run()
    chart = app.get("plotly_chart")[0]
    assert json.loads(chart.proto.config)["toImageButtonOptions"]["format"] == "svg"


def test_compare_shows_the_newest_comparison_of_the_dataset_without_being_asked(home, visit):
    app = visit("compare", run=newest(home, "skmm").id)
    assert not app.exception
    assert "How good is a model trained on the chosen points?" in texts(app)


def test_compare_shows_what_is_scored_so_far_and_says_so(home, visit, start_running):
    done = home.records(kind="compare")[0]
    rows = read_scores(done.folder)
    run = queued(home, CompareJob(methods=("skmm_kernel", "uniform"), budgets=(20, 40), seeds=9))
    part = rows[rows["seed"] == 0]
    part.to_csv(run.folder / "scores.csv", index=False)
    start_running(home, run.id)
    app = visit("compare", run=run.id)
    assert not app.exception
    assert "4 of 36 selections scored so far" in texts(app)
    assert len(app.table) == 1
    assert [button.label for button in app.button].count("Cancel") == 1


def test_compare_before_the_first_score(home, visit, start_running):
    run = queued(home, CompareJob(methods=("uniform",), budgets=(20,), seeds=9))
    start_running(home, run.id)
    app = visit("compare", run=run.id)
    assert not app.exception
    assert not app.table


def test_compare_keeps_partial_scores_of_a_failed_run(home, visit, start_running):
    done = home.records(kind="compare")[0]
    run = queued(home, CompareJob(methods=("skmm_kernel", "uniform"), budgets=(20, 40), seeds=9))
    (run.folder / "scores.csv").write_bytes((done.folder / "scores.csv").read_bytes())
    start_running(home, run.id)
    home.finish(run.id, RunState.FAILED, "the disk is full; free some space")
    app = visit("compare", run=run.id)
    assert not app.exception
    assert "the disk is full" in app.error[0].value
    assert "12 of 36 selections scored; start the run again" in texts(app)
    assert len(app.table) == 1


def test_compare_submits_what_the_form_says(home, visit, submitted):
    app = visit("compare", run=home.records(kind="compare")[0].id)
    app.text_input[0].set_value("80, 30").run()
    app.number_input[0].set_value(2).run()
    next(box for box in app.checkbox if box.label == "Herding").check().run()
    app.button("compare-start").click().run()
    assert not app.exception
    job = submitted[-1].job
    assert (job.methods, job.budgets, job.seeds) == (("skmm_kernel", "uniform", "herding"), (30, 80), 2)
    assert job.params == {}


def test_compare_in_rounds_is_asked_for_and_said(home, visit, submitted):
    app = visit("compare", run=home.records(kind="compare")[0].id)
    labels = {each.label for each in app.checkbox}
    assert {"Entropy †", "EL2N †"} <= labels
    app.text_input[0].set_value("40").run()
    next(each for each in app.number_input if each.label == "Rounds").set_value(2).run()
    boxes = {each.label: each for each in app.checkbox}
    assert boxes["EL2N"].disabled
    assert not [label for label in boxes if "†" in label]
    assert "in rounds only the points picked so far have one" in texts(app)
    boxes["Entropy"].check().run()
    assert not [each for each in app.number_input if each.key.endswith(":warm-up")]
    said = "In 2 rounds, to 20 and 40 points: each round sees the labels of the rounds before, and no others"
    assert said in texts(app)
    app.button("compare-start").click().run()
    assert not app.exception
    job = submitted[-1].job
    assert (job.methods, job.budgets, job.rounds) == (("skmm_kernel", "uniform", "entropy"), (20, 40), 2)
    app.text_input[0].set_value("10, 20, 30").run()
    assert "2 rounds go with one budget" in app.error[0].value
    run = queued(home, CompareJob(methods=("entropy",), budgets=(20, 40), rounds=2, seeds=1, learners=("linear",)))
    run_folder(run.folder, home=home.home)
    app = visit("compare", run=run.id)
    assert not app.exception
    told = f"{said}; what is trained is scored on all points so far. Until two classes are labelled, Entropy picks"
    assert told in texts(app)
    assert told in html.unescape((run.folder / "report.html").read_text())
    assert run.name.endswith("· 2 rounds")


def test_compare_says_what_each_method_does_needs_and_comes_from_and_asks_for_the_warm_up(home, visit, submitted):
    app = visit("compare", run=home.records(kind="compare")[0].id)
    notes = next(each.value for each in app.markdown if "**Entropy**" in each.value).replace("\\", "")
    for spec in (each for each in list_methods() if each.family == Family.UNCERTAINTY):
        assert f"**{spec.title}**: {spec.summary} Needs {spec.needs_text}." in notes
        assert f"]({spec.url})" in notes
    assert not [each for each in app.number_input if each.key.endswith(":warm-up")]
    next(box for box in app.checkbox if box.key.endswith(":method:entropy")).check().run()
    next(each for each in app.number_input if each.key.endswith(":warm-up")).set_value(60).run()
    next(each for each in app.button if each.label == "Compare").click().run()
    assert not app.exception
    assert submitted[0].warm_up_rows == 60


def test_compare_counts_uniform_even_when_it_is_not_ticked(home, visit):
    app = visit("compare", run=home.records(kind="compare")[0].id)
    assert "2 methods × 2 budgets × 3 seeds = 12 selections to score" in texts(app)
    next(box for box in app.checkbox if box.label == "Uniform").uncheck().run()
    assert "2 methods × 2 budgets × 3 seeds = 12 selections to score" in texts(app)


@pytest.mark.parametrize("text", ["", "20, x", "5000"])
def test_compare_answers_a_wrong_budget_in_one_line_before_anything_starts(home, visit, submitted, text):
    app = visit("compare", run=home.records(kind="compare")[0].id)
    app.text_input[0].set_value(text).run()
    assert not app.exception
    assert len(app.error) == 1
    assert app.button("compare-start").disabled
    assert not submitted


def test_compare_without_test_rows_offers_a_holdout(home, visit, tmp_path, monkeypatch):
    path = tmp_path / "points.csv"
    rows = "\n".join(f"{i},{i * i % 7},{i % 3}" for i in range(60))
    path.write_text(f"a,b,y\n{rows}\n")
    monkeypatch.setenv("SKMM_DATA_ROOTS", str(tmp_path))
    run = queued(home, SelectJob(method="uniform", budget=5), DatasetConfig(source=str(path), task="regression"))
    app = visit("compare", run=run.id)
    assert not app.exception
    assert not app.error
    assert any("no test rows" in line.value for line in app.info)
    next(button for button in app.button if button.label.startswith("Hold out")).click().run()
    assert not app.exception
    assert not app.error
    assert app.button("compare-start")


def test_compare_without_targets_says_what_to_add(home, visit, tmp_path, monkeypatch):
    path = tmp_path / "points.csv"
    path.write_text("a,b\n" + "\n".join(f"{i},{i * i % 7}" for i in range(60)) + "\n")
    monkeypatch.setenv("SKMM_DATA_ROOTS", str(tmp_path))
    run = queued(home, SelectJob(method="uniform", budget=5), DatasetConfig(source=str(path)))
    app = visit("compare", run=run.id)
    assert not app.exception
    assert len(app.error) == 1
    assert "target column" in app.error[0].value


def test_runs_lists_everything_and_ticks_the_open_run(home, visit):
    run = newest(home, "skmm")
    app = visit("runs", run=run.id)
    assert not app.exception
    table = app.dataframe[0].value
    assert len(table) == 5
    assert set(table["state"]) == {"✔ done"}
    assert run.id in texts(app)
    assert not app.button("runs:open").disabled


def test_runs_search_kind_and_state(home, visit):
    app = visit("runs")
    app.text_input("runs:search").set_value("digits skmm").run()
    assert set(app.dataframe[0].value["dataset"]) == {"digits"}
    assert len(app.dataframe[0].value) == 3
    app.selectbox("runs:kind").set_value("compare").run()
    assert list(app.dataframe[0].value["kind"]) == ["Comparison"]
    app.multiselect("runs:states").set_value([RunState.FAILED]).run()
    assert not app.dataframe
    assert "No run fits" in app.info[0].value


def test_runs_delete_and_undo(home, visit):
    run = newest(home, "skmm")
    app = visit("runs", run=run.id)
    app.button("runs:delete").click().run()
    assert not app.exception
    assert run.id not in [record.id for record in home.records()]
    assert "1 run deleted" in texts(app)
    app.button("runs:undo").click().run()
    assert not app.exception
    assert home.get(run.id).state is RunState.DONE
    assert "deleted" not in texts(app)


def test_runs_rename(home, visit):
    run = newest(home, "skmm")
    app = visit("runs", run=run.id)
    name = next(box for box in app.text_input if box.label == "Name")
    name.set_value("the *best* one").run()
    app.button("runs:save").click().run()
    assert not app.exception
    assert home.get(run.id).name == "the *best* one"
    assert r"the \*best\* one" in texts(app), "shown as it was typed, not as markup"


def test_runs_open_goes_to_the_page_of_the_run(home, visit):
    run = newest(home, "skmm")
    app = visit("runs", run=run.id)
    app.button("runs:open").click().run()
    assert not app.exception
    assert app.query_params["run"] == run.id
    assert f"{run.config.job.budget} chosen points" in texts(app)


def test_runs_diagnose_opens_the_ticked_run(home, visit):
    run = newest(home, "skmm_kernel")
    app = visit("runs", run=run.id)
    app.button("runs:why").click().run()
    assert not app.exception
    assert app.multiselect[0].value == [run.id]


def test_runs_failed_one_shows_its_line(home, visit, start_running):
    run = queued(home, SelectJob(method="uniform", budget=11))
    start_running(home, run.id)
    home.finish(run.id, RunState.FAILED, "points.csv is gone; upload it again")
    app = visit("runs", run=run.id)
    assert not app.exception
    assert "points" in app.error[0].value
    assert "✖ failed" in list(app.dataframe[0].value["state"])
    assert app.button("runs:why").disabled


def test_runs_a_waiting_one_can_be_cancelled_but_not_deleted(home, visit):
    run = queued(home, SelectJob(method="uniform", budget=11))
    app = visit("runs", run=run.id)
    assert app.button("runs:delete").disabled
    app.button("runs:cancel").click().run()
    assert not app.exception
    assert home.get(run.id).state is RunState.CANCELLED
    assert "■ cancelled" in list(app.dataframe[0].value["state"])


def test_an_unknown_run_in_the_url_is_one_line(home, visit):
    app = visit("runs", run="0123456789ab")
    assert not app.exception
    assert len(app.error) == 1
    assert "no run" in app.error[0].value


def test_compare_asks_which_pool_in_one_sentence(home, visit):
    app = visit("compare", run=home.records(kind="compare")[0].id)
    box = next(each for each in app.checkbox if each.label == "About this very pool only")
    assert not box.value
    assert ABOUT_DATA in texts(app)
    box.check().run()
    assert ABOUT_POOL in texts(app)
