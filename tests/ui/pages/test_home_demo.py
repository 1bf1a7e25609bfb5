"""The runs that come with the dashboard are what the code gives today; `python -m tests.bench.home_demo` makes them."""

import pandas as pd
import pytest

from dashboard.services import demo
from skmm_core.comparison import read_scores
from skmm_core.jobs.runner import run_folder
from skmm_core.runs import SELECTION_CSV, RunStore, read_result

MADE_ANEW = "python -m tests.bench.home_demo"


@pytest.fixture
def brought(tmp_path):
    store = RunStore(tmp_path)
    return {
        config.job.kind: store.import_(demo.shipped(config), demo._no_report) for config in (demo.SELECT, demo.COMPARE)
    }


def made(store, kind):
    return next(run for run in store.records(kind=kind) if run.config.dataset == demo.SELECT.dataset)


def test_the_shipped_selection_is_the_one_of_today(brought, made_demo):
    shipped, today = brought["select"].folder, made(made_demo, "select").folder
    assert brought["select"].config == demo.SELECT
    assert {path.name for path in shipped.iterdir()} | {"report.html"} == {path.name for path in today.iterdir()}, (
        MADE_ANEW
    )
    old, new = (pd.read_csv(folder / SELECTION_CSV) for folder in (shipped, today))
    pd.testing.assert_frame_equal(old, new, rtol=1e-4, obj=MADE_ANEW)
    first, second = read_result(shipped), read_result(today)
    assert first.keys() == second.keys(), MADE_ANEW
    numbers = {name: value for name, value in second["diagnostics"].items() if isinstance(value, float)}
    assert {name: first["diagnostics"][name] for name in numbers} == pytest.approx(numbers, rel=1e-3), MADE_ANEW


def test_the_shipped_comparison_has_the_scores_of_today(brought, tmp_path_factory):
    """At its smallest budget, under the linear probe: a part that a test can afford, on the same splits."""
    shipped = brought["compare"]
    assert shipped.config == demo.COMPARE
    job = demo.COMPARE.job.model_copy(update={"budgets": demo.COMPARE.job.budgets[:1], "learners": ("linear",)})
    store = RunStore(tmp_path_factory.mktemp("part"))
    part = store.create(demo.COMPARE.model_copy(update={"job": job}), shipped.fingerprint)
    run_folder(part.folder, home=store.home)
    old, new = (read_scores(run.folder) for run in (shipped, part))
    both = old.merge(new, on=["learner", "method", "budget", "seed", "metric"], suffixes=("_old", "_new"))
    assert len(both) == len(new) > 0, MADE_ANEW
    assert both["value_old"].to_numpy() == pytest.approx(both["value_new"].to_numpy(), abs=1e-6), MADE_ANEW
