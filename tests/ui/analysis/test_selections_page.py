"""Compare selections in every state: nothing there, one selection, a pair, four, a link with runs that do not fit."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.components.shared.comparisons.score_words import score_text
from skmm_core.comparison.score_log import read_scores
from skmm_core.config import DatasetConfig, RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.jobs.runner import run_folder
from skmm_core.probes.metrics import primary_metric
from skmm_core.runs import RunStore

APP = Path(__file__).parents[3] / "dashboard" / "app.py"
DIGITS = DatasetConfig(source="digits")


@pytest.fixture
def visit(turn):
    def open_page(**query):
        app = AppTest.from_file(APP, default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        return turn(app, "selections")

    return open_page


def texts(app):
    parts = [*app.markdown, *app.caption, *app.error, *app.info]
    return "\n".join(str(part.value) for part in parts).replace("\u00a0", " ")


def runs_of(store, *methods):
    return [next(r for r in store.records(kind="select") if r.method == m and r.dataset == "digits") for m in methods]


def chosen_of(record):
    return set(np.load(record.folder / "selection.npy").tolist())


def test_an_empty_home_says_what_to_do(empty_home, visit):
    app = visit()
    assert not app.exception
    assert "No finished selection yet" in texts(app)
    assert app.get("page_link")


def test_one_selection_is_not_enough(home, visit):
    store: RunStore = home
    for record in runs_of(store, "skmm", "uniform"):
        store.delete(record.id)
    for record in store.records(kind="select"):
        if record.dataset != "digits":
            store.delete(record.id)
    app = visit()
    assert not app.exception
    assert "One selection is not enough" in texts(app)


def test_the_newest_pair_is_compared_with_the_counts_of_its_files(home, visit):
    app = visit()
    assert not app.exception
    assert not app.error
    ids = app.query_params["runs"]
    ids = (ids[0] if isinstance(ids, list) else ids).split(",")
    first, second = (home.get(id_) for id_ in ids)
    assert first.method != second.method
    both = len(chosen_of(first) & chosen_of(second))
    assert f"**A** and **B** share **{both}** of 40 points" in texts(app)
    pills = next(each for each in app.get("button_group") if "overlap:regions" in str(each.key))
    assert [f"Only A · {40 - both} points", f"Only B · {40 - both} points"] == [
        option for option in map(str, pills.options) if option.startswith("Only")
    ]
    galleries = [each.proto.body for each in app.get("html") if "skmm-gallery" in each.proto.body]
    assert len(galleries) == 2
    assert "#1" in "".join(galleries)
    assert "Class imbalance: " in texts(app)
    assert app.table, "diagnostics side by side"


def test_scores_come_from_the_comparison_of_the_same_methods(home, visit):
    made = runs_of(home, "skmm_kernel", "uniform", "skmm")
    app = visit(runs=",".join(run.id for run in made))
    assert not app.exception
    shown, metric = texts(app), primary_metric("classification")
    assert "Which picks teach a model more?" in shown
    scores = read_scores(home.records(kind="compare")[0].folder)
    rows = scores[(scores["metric"] == metric.key) & (scores["budget"] == 40)]
    for letter, method in (("A", "skmm_kernel"), ("B", "uniform")):
        mean = float(rows.loc[rows["method"] == method, "value"].mean())
        said = score_text(metric, mean).replace("\u00a0", " ")
        assert f"**{letter}** {said}" in shown
    assert "No finished comparison scored C" in shown.replace("\\", "")


def test_four_from_a_link_and_the_diagnostics_of_all(home, visit):
    extra = home.create(
        RunConfig(dataset=DIGITS, job=SelectJob(method="herding", budget=30)), load_dataset(DIGITS).fingerprint
    )
    run_folder(extra.folder, home=home.home)
    made = [*runs_of(home, "skmm_kernel", "uniform", "skmm"), home.get(extra.id)]
    app = visit(runs=",".join(run.id for run in made))
    assert not app.exception
    sets = [chosen_of(run) for run in made]
    assert f"All 4 share **{len(set.intersection(*sets))}**" in texts(app)
    for (a, one), (b, two) in itertools.combinations(zip("ABCD", sets, strict=True), 2):
        assert f"**{a}** and **{b}** share **{len(one & two)}**" in texts(app)
    assert app.table[0].value.shape[1] == 4


def test_runs_that_do_not_fit_are_told_and_left_out(home, visit):
    kernel, uniform = runs_of(home, "skmm_kernel", "uniform")
    other = next(run for run in home.records(kind="select") if run.dataset != "digits")
    app = visit(runs=",".join((kernel.id, "0" * 12, other.id, uniform.id)))
    assert not app.exception
    assert [
        next(words for words in ("There is no run", "was picked from other data") if words in error.value)
        for error in app.error
    ] == ["There is no run", "was picked from other data"]
    assert "share" in texts(app)


def test_with_fewer_than_two_chosen_the_page_asks_for_more(home, visit):
    app = visit()
    app.multiselect[0].set_value([]).run()
    assert not app.exception
    assert "Choose two selections or more above." in texts(app)
    assert "runs" not in app.query_params


def test_a_regression_without_comparison_says_what_is_missing(home, visit):
    data = DatasetConfig(source="diabetes")
    made = [next(run for run in home.records(kind="select") if run.dataset == "diabetes")]
    record = home.create(RunConfig(dataset=data, job=SelectJob(method="k_center", budget=20)), made[0].fingerprint)
    run_folder(record.folder, home=home.home)
    app = visit(runs=f"{made[0].id},{record.id}")
    assert not app.exception
    shown = texts(app).replace("\\", "")
    assert "Mean target: pool" in shown
    assert "No finished comparison scored A (uniform, 20 points), B (k_center, 20 points)." in shown
    assert isinstance(app.dataframe[0].value, pd.DataFrame), "no pictures: a table"


@pytest.mark.parametrize("name", ["scores.parquet", "diagnostics.npz"])
def test_a_damaged_run_is_one_line(home, name, visit):
    kernel, uniform = runs_of(home, "skmm_kernel", "uniform")
    (kernel.folder / name).write_bytes(b"PAR1")
    app = visit(runs=f"{kernel.id},{uniform.id}")
    assert not app.exception
    assert len(app.error) == 1
    assert "again" in app.error[0].value
