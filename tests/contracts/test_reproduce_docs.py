"""Figures of the paper's tables: the document says what the committed json says, and the json what its scores say."""

import re

import pytest

from skmm_core.comparison.savings import data_saving
from skmm_core.comparison.summary import REFERENCE
from skmm_core.paper.experiments import EXPERIMENTS, chosen_rows
from skmm_core.paper.table import best_rows, cells_of, metrics_in, number_text
from skmm_core.probes.metrics import METRICS
from tests.bench.reproduce_docs import BEGIN, DOCUMENT, END, committed, figures

RESULTS = committed()


def test_risks_have_three_digits_and_no_exponent():
    risk = next(metric for metric in METRICS["mixture"] if metric.key == "risk")
    assert [number_text(risk, value) for value in (17.2345, 0.2714, 0.0062, 1.0)] == [
        "17.2",
        "0.271",
        "0.00620",
        "1.00",
    ]
    assert number_text(risk, 0.0098, spread=True) == "0.0098"


def test_the_document_is_what_the_committed_json_gives():
    text = DOCUMENT.read_text("utf-8")
    assert re.search(f"{re.escape(BEGIN)}.*{re.escape(END)}", text, re.DOTALL).group() == figures()


def assert_savings_are_those_of_the_means(result):
    """Factors rest on means alone, which are there, so that a new way to read them off makes old ones fail."""
    there = {cell["metric"] for cell in result["table"]}
    metric = next(each for each in METRICS[result["task"]] if each.key in there)
    cells, budgets = cells_of(result, metric), result["budgets"]
    means = {row["key"]: [[cells[row["key"], budget]["mean"]] for budget in budgets] for row in result["rows"]}
    for saving in result["savings"]:
        sides = budgets, means[saving["method"]], budgets, means[REFERENCE]
        found = data_saving(saving["budget"], *sides, higher_is_better=metric.higher_is_better)
        assert saving["relation"] == found.relation
        assert saving["factor"] == pytest.approx(found.factor)


@pytest.mark.parametrize(("file", "result"), RESULTS, ids=[file.stem for file, _ in RESULTS])
def test_a_committed_result_is_whole_and_can_be_made_again(file, result):
    experiment = EXPERIMENTS[result["experiment"]]
    rows = {row.key: row for row in chosen_rows(experiment, tuple(row["key"] for row in result["rows"]))}
    assert [row["key"] for row in result["rows"]] == list(rows)
    for row in result["rows"]:
        assert (row["method"], row["params"]) == (rows[row["key"]].method, dict(rows[row["key"]].params))
    for metric in metrics_in(result):
        cells = cells_of(result, metric)
        for budget in result["budgets"]:
            for key in rows:
                cell = cells[key, budget]
                assert cell["count"] == result["seeds"] * result["data_seeds"]
                assert cell["lo"] <= cell["mean"] <= cell["hi"]
        sign = -1 if metric.higher_is_better else 1
        for (budget, league), best in best_rows(result, metric).items():
            rivals = [row["key"] for row in result["rows"] if row["label_aware"] == league]
            assert sign * cells[best, budget]["mean"] == min(sign * cells[key, budget]["mean"] for key in rivals)
    assert_savings_are_those_of_the_means(result)
    assert result["command"].startswith(f"python -m skmm_core paper {experiment.key} ")
    assert "/" not in result["command"], "no folder of the machine that made it"
    if experiment.needs_data:
        assert "MobileNetV2" in result["features"]["note"]
