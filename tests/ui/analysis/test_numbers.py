"""Every number on a page is the one in the run's files, for one run of each task.

The files are read here with pandas and json alone.
"""

import json
import math
import re

import numpy as np
import pandas as pd
import pytest
from scipy.interpolate import PchipInterpolator

from dashboard.components.shared.theme import fmt_percent
from skmm_core.config import CompareJob, DatasetConfig, RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.diagnostics import QUANTITIES, verdict_text
from skmm_core.jobs.runner import run_folder
from skmm_core.runs import RunStore

THREE_DIGITS = 6e-3  # pages show three significant digits
TASKS = ("classification", "regression", "unlabelled")


def value_of(text):
    """The number in a text such as "< 1 %", "1,078" or "0.41 s"."""
    found = re.search(r"[-−]?[\d,]*\.?\d+(e[+-]?\d+)?", text)
    return float(found.group().replace(",", "").replace("−", "-"))


def same(text, value):
    return math.isclose(value_of(text), value, rel_tol=THREE_DIGITS, abs_tol=1e-12)


def result_of(run):
    return json.loads((run.folder / "result.json").read_text())


def words(app):
    parts = [*app.markdown, *app.caption]
    return "\n".join(str(part.value) for part in parts).replace("\u00a0", " ").replace("**", "")


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """A home with a selection and a comparison of numbers, and a selection of points without targets."""
    folder = tmp_path_factory.mktemp("numbers")
    features = np.random.default_rng(4).normal(size=(80, 5)) * [3, 2, 1, 0.5, 0.3]
    frame = pd.DataFrame(features, columns=list("abcde"))
    frame.to_csv(folder / "unlabelled.csv", index=False)
    frame.assign(target=features @ [1, -1, 0.5, 0, 2] + 0.3 * np.sin(features[:, 0])).to_csv(
        folder / "regression.csv", index=False
    )
    store = RunStore(folder / "home")
    for name, job in (
        ("unlabelled", SelectJob(method="skmm", budget=12)),
        ("regression", SelectJob(method="skmm", budget=12)),
        ("regression", CompareJob(methods=("skmm", "uniform"), budgets=(6, 12, 24), seeds=7)),
    ):
        holdout = 0.25 if name == "regression" else None
        config = DatasetConfig(source=str(folder / f"{name}.csv"), holdout=holdout)
        record = store.create(RunConfig(dataset=config, job=job), load_dataset(config).fingerprint)
        run_folder(record.folder, home=store.home)
    return folder


@pytest.fixture
def runs(request, monkeypatch):
    """The selection and the comparison of a task, in a home that pages read."""

    def of(task):
        if task == "classification":
            store = request.getfixturevalue("home")
            kept = [run for run in store.records() if run.dataset == "digits" and run.method != "uniform"]
        else:
            request.getfixturevalue("empty_home")
            folder = request.getfixturevalue("tables")
            monkeypatch.setenv("SKMM_HOME", str(folder / "home"))
            monkeypatch.setenv("SKMM_DATA_ROOTS", str(folder))
            kept = [run for run in RunStore(folder / "home").records() if run.dataset == f"{task}.csv"]
        pair = [next((run for run in kept if run.kind == kind), None) for kind in ("select", "compare")]
        return pair if task != "classification" else [next(r for r in kept if r.method == "skmm_kernel"), pair[1]]

    return of


@pytest.mark.parametrize("task", TASKS)
def test_select_shows_the_numbers_of_the_files(task, runs, visit):
    run, _ = runs(task)
    app = visit("select", run=run.id)
    assert not app.exception
    result, scores = result_of(run), pd.read_parquet(run.folder / "scores.parquet")
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Chosen"] == f"{result['budget']} of {result['N']:,}"
    found = result["diagnostics"]
    beside = {metric.label: metric.delta for metric in app.metric}
    for key in ("error_bound", "moment_error", "coverage_mean"):
        title = QUANTITIES[key].title
        assert same(shown[title], QUANTITIES[key].of(found)), key
        row = next(row for row in result["band"]["measures"] if row["key"] == key)
        assert row["value"] == pytest.approx(QUANTITIES[key].of(found))
        assert same(beside[title].removeprefix("random: "), np.median(row["random"])), key
    assert shown["Variation represented"] == fmt_percent(found["represented"], 1)
    assert verdict_text(result) in words(app)
    assert "∞" not in shown.values()
    assert same(shown[QUANTITIES["coverage_mean"].title], scores["distance"].mean())
    if task != "classification":  # digits show pictures first
        table = next(each.value for each in app.dataframe if "leverage" in each.value)
        chosen = pd.read_csv(run.folder / "selection.csv")
        assert table["id"].tolist() == chosen["id"].astype(str).tolist()
        assert table["row"].tolist() == chosen["row"].tolist()
        np.testing.assert_allclose(table["weight"], chosen["weight"])
        by_id = scores.set_index("id").loc[table["id"]]
        np.testing.assert_allclose(table["leverage"], by_id["leverage"])
        np.testing.assert_allclose(table["distance"], by_id["distance"])


@pytest.mark.parametrize("task", TASKS)
def test_diagnose_shows_the_numbers_of_the_files(task, runs, visit):
    run, _ = runs(task)
    app = visit("diagnose", run=run.id)
    assert not app.exception
    found, table = result_of(run)["diagnostics"], app.table[0].value
    band = next(row for row in result_of(run)["band"]["measures"] if row["key"] == "coverage_mean")
    column = {str(name): str(text) for name, text in table.iloc[:, 0].items()}
    compared = 0
    for key in (
        "bias",
        "variance",
        "c_s",
        "trace_score",
        "moment_error",
        "coverage_mean",
        "coverage_radius",
        "class_tv",
    ):
        text = column.get(QUANTITIES[key].title)
        if found[key] is None:
            assert text in (None, "–", "∞"), key
        else:
            assert same(text, found[key]), key
            compared += 1
    assert compared >= 6
    for name in ("bias", "variance"):
        assert same(column[f"{name.capitalize()} term"], found[f"{name}_weight"] * found[name])
    assert math.isclose(
        value_of(column["Bound on the error"]),
        found["bias_weight"] * found["bias"] + found["variance_weight"] * found["variance"],
        rel_tol=THREE_DIGITS,
    )
    ridge = column.get("Ridge error")
    if task == "unlabelled":
        assert ridge is None
        assert "Without targets the error of a ridge probe is unknown" in words(app)
    else:
        assert same(ridge, found["ridge_bias2"] + found["ridge_variance"])
    assert f"can support about {found['rank']} independent patterns" in words(app)
    assert verdict_text(result_of(run)) in words(app)
    middle, rest = str(table.loc[QUANTITIES["coverage_mean"].title, "Random picks"]).split(" (", 1)
    assert same(middle, np.median(band["random"]))
    low, high = rest.split(")")[0].split(" to ")
    assert same(low, min(band["random"]))
    assert same(high, max(band["random"]))
    assert rest.endswith(f"better than {int(20 * band['worse'] + 1e-9)} of 20")


def shown_first(run, name):
    """Rows of a table of the deciding score under the learner that a page starts with."""
    result, table = result_of(run), pd.read_csv(run.folder / name)
    return table[(table["metric"] == result["metric"]["key"]) & (table["learner"] == result["learner"])]


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_compare_shows_the_numbers_of_the_files(task, runs, visit):
    _, run = runs(task)
    app = visit("compare", run=run.id)
    assert not app.exception
    metric = result_of(run)["metric"]
    scale = 100 if metric["unit"] == "%" else 1
    rows = shown_first(run, "scores.csv")
    cells = rows.groupby(["method", "budget"])["value"].agg(["mean", "std"]) * scale
    titles = {"SkMM": "skmm", "SkMM kernel": "skmm_kernel", "Uniform": "uniform"}
    paper = next(each.value for each in app.table if str(each.value.columns[0]).startswith("n = "))
    for title, texts in paper.iterrows():
        for budget, text in texts.items():
            mean, sd = cells.loc[titles[title], int(budget.removeprefix("n = "))]
            means, sds = text.replace("*", "").split("±")
            assert math.isclose(value_of(means), mean, rel_tol=THREE_DIGITS), (title, budget)
            assert math.isclose(value_of(sds), sd, rel_tol=0.06, abs_tol=0.051), (title, budget)
    tests = next(each.value for each in app.dataframe if "Holm p" in each.value)
    summary = shown_first(run, "summary.csv")
    summary = summary[summary["vs_uniform"].notna()]
    for shown in tests.to_dict("records"):
        row = summary.query("method == @titles[@shown['Method']] and budget == @value_of(@shown['Points'])").iloc[0]
        assert math.isclose(value_of(shown["Difference"]), row["vs_uniform"] * scale, rel_tol=6e-3, abs_tol=0.051)
        assert shown["Wins"].startswith(f"{int(row['wins'])} of ")
        assert math.isclose(value_of(shown["Holm p"]), row["p_holm"], rel_tol=0.06)
        assert (shown["Verdict"] == "no clear difference") == (
            not (row["vs_lo"] > 0 or row["vs_hi"] < 0) or row["p_holm"] >= 0.05
        )


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_planner_reads_the_curves_of_the_files(task, runs, visit):
    _, run = runs(task)
    app = visit("compare", run=run.id)
    metric = result_of(run)["metric"]
    sign = 1 if metric["higher_is_better"] else -1
    target = float(next(s for s in app.select_slider if s.label.startswith("Wanted")).value)
    rows = shown_first(run, "scores.csv")
    table = next(each.value for each in app.dataframe if "Choose n" in each.value).set_index("Method")["Choose n"]
    checked = 0
    for title, key in (("SkMM", "skmm"), ("SkMM kernel", "skmm_kernel"), ("Uniform", "uniform")):
        curve = sign * rows[rows["method"] == key].groupby("budget")["value"].mean()
        if curve.empty or not curve.is_monotonic_increasing or not curve.iloc[0] < sign * target <= curve.iloc[-1]:
            continue
        fine = np.linspace(*np.log(curve.index[[0, -1]]), 200_001)
        path = PchipInterpolator(np.log(curve.index), curve)(fine)
        expected = math.ceil(np.exp(fine[(path >= sign * target).argmax()]) * (1 - 1e-4))
        assert int(table[title].replace(",", "")) == expected, title
        checked += 1
    assert checked


@pytest.mark.parametrize("task", TASKS)
def test_present_shows_the_numbers_of_the_files(task, runs, visit):
    run, compared = runs(task)
    app = visit("present", run=run.id)
    assert not app.exception
    shown, result = words(app), result_of(run)
    share = f"{100 * result['budget'] / result['N']:.1f} %"
    assert f"{result['budget']} of {result['N']:,}" in shown
    assert share in shown
    if compared is None:
        seen = fmt_percent(result["diagnostics"]["represented"], 1).replace("\u00a0", " ")
        assert f"represent {seen} of the variation in your data (random: " in shown
        return
    files = result_of(compared)
    saving = next(s for s in files["savings"] if (s["method"], s["budget"]) == (result["method"], result["budget"]))
    full = files["full"][files["metric"]["key"]]
    if task == "classification":
        assert f"reaches {100 * saving['score'] / full:.0f} % of the full-data accuracy" in shown
    else:
        assert same(re.search(r"absolute error of ([\d.,]+)", shown).group(1), saving["score"])
    needed = saving["bound"] if saving["uniform_budget"] is None else math.ceil(saving["uniform_budget"] - 1e-9)
    assert re.search(rf"random picks need[a-z ]* \(?{needed}", shown)
    assert saving["tie"] == ("A tie with random picks" in shown)
    if not saving["tie"] and saving["relation"] == "about":
        assert f"{needed - saving['budget']} points saved" in shown
