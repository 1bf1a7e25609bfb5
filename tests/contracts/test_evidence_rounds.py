"""What the evidence says of picking in rounds is what was measured."""

import json

import numpy as np
import pytest

from skmm_core.comparison import Verdict
from tests.bench.evidence_rounds import _verdict, _verdicts, rounds_part
from tests.bench.rounds_study import METHODS, MODELS, SEEDS, SOURCE

MADE = json.loads(SOURCE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("each", MADE["data"].values(), ids=MADE["data"])
def test_means_and_differences_are_those_of_the_scores(each):
    values = {}
    for method, end, seed, value in each["scores"]:
        values.setdefault((method, end), {})[seed] = value
    assert set(values) == {(method, end) for method in METHODS for end in each["ends"]}
    for row in each["summary"]:
        mine, uniform = (values[method, row["budget"]] for method in (row["method"], "uniform"))
        assert sorted(mine) == list(range(SEEDS))
        assert row["mean"] == pytest.approx(np.mean(list(mine.values())), abs=2e-6)
        if row["method"] != "uniform":
            assert row["vs_uniform"] == pytest.approx(np.mean([mine[s] - uniform[s] for s in mine]), abs=2e-6)
            assert row["vs_lo"] <= row["vs_uniform"] <= row["vs_hi"]
        if row["method"] in MODELS and row["budget"] == each["ends"][0]:
            assert mine == uniform, "before any label they pick as uniform does"
    for row in each["beside_cover"]:
        mine, cover = (values[method, row["budget"]] for method in (row["method"], "skmm_cover"))
        assert row["gap"] == pytest.approx(np.mean([mine[s] - cover[s] for s in mine]), abs=2e-6)


def test_marks_and_counts_follow_interval_and_test():
    row = {"vs_lo": 0.01, "vs_hi": 0.02, "p_holm": 0.01}
    assert _verdict(row) is Verdict.BETTER
    assert _verdict(row | {"p_holm": 0.06}) is Verdict.TIE
    assert _verdict({"vs_lo": -0.02, "vs_hi": -0.01, "p_holm": 0.01}) is Verdict.WORSE
    data = MADE["data"]
    assert len(_verdicts(data, "margin")) == sum(len(each["ends"]) - 1 for each in data.values())
    counted = f"`margin` better {_verdicts(data, 'margin').count(Verdict.BETTER)}, worse"
    assert counted in " ".join(rounds_part().split())
