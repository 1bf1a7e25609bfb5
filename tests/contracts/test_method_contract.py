"""The public contract of methods: each of its tests can fail, and says what is missing when pytest is not there."""

import ast
import itertools
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import Field

from skmm_core.methods import registry
from skmm_core.methods.registry import Family, MethodParams, Picks, register
from skmm_core.progress import Progress
from skmm_core.testing import MethodContract

ROOT = Path(__file__).resolve().parents[2]


class Params(MethodParams):
    step: int = Field(1, description="Take every so many rows.")


def first_rows(pool, budget, params, *, seed, report):
    report(Progress("Picking", 0, 1))
    return Picks(torch.arange(budget))


def repeated_row(pool, budget, params, **_):
    return Picks(torch.zeros(budget, dtype=torch.int64))


def one_short(pool, budget, params, **_):
    return Picks(torch.arange(budget - 1))


def negative_weights(pool, budget, params, **_):
    return Picks(torch.arange(budget), weights=torch.linspace(-1, 3, budget))


def unseeded(pool, budget, params, **_):
    return Picks(torch.randperm(pool.size)[:budget])


def seeding_all(pool, budget, params, *, seed, **_):
    random.seed(seed)
    return Picks(torch.arange(budget))


def seeding_numpy(pool, budget, params, *, seed, **_):
    np.random.seed(seed)  # noqa: NPY002
    return Picks(torch.arange(budget))


def by_the_seed(pool, budget, params, *, seed, **_):
    return Picks(torch.randperm(pool.size, generator=torch.Generator().manual_seed(seed))[:budget])


def writing_on_the_rows(pool, budget, params, **_):
    pool.features[0] = 0
    return Picks(torch.arange(budget))


def choosing_barred_rows(pool, budget, params, **_):
    start = pool.given.start
    others = torch.tensor([row for row in range(pool.size) if row not in start.tolist()])
    return Picks(torch.cat([start, others[: budget - len(start)]]))


def breathless(pool, budget, params, *, seed, report):
    report(Progress("picking", 2, 1))
    return Picks(torch.arange(budget))


def deaf(pool, budget, params, *, seed, report):
    try:
        report(Progress("Picking", 0, 1))
    except Exception:
        return Picks(torch.arange(budget))
    return Picks(torch.arange(budget))


def scoring_too_few(pool, budget, params, **_):
    return Picks(torch.arange(budget), scores=torch.ones(budget))


def not_a_number(pool, budget, params, **_):
    return Picks(torch.arange(budget), objective={"loss": float("nan")})


CALLS = itertools.count()


def another_at_each_call(pool, budget, params, **_):
    rows = (torch.arange(budget) + next(CALLS)) % pool.size
    return Picks(rows)


def in_metres(pool, budget, params, **_):
    return Picks((pool.features[:, 0] > 1).double().sort(stable=True).indices[:budget])


def by_type(pool, budget, params, **_):
    return Picks(torch.arange(budget) + 5 * (pool.features.dtype == torch.float64))


def by_last_digits(pool, budget, params, **_):
    last = torch.frexp(pool.features[:, 0]).mantissa * 2**20 % 1
    return Picks(last.topk(budget).indices)


ROWS = {"dtype": torch.float32, "budget": 17}


@pytest.fixture
def suite(monkeypatch):
    """The contract of a method that only this test knows."""
    monkeypatch.setattr(registry, "_REGISTRY", {spec.key: spec for spec in registry.list_own_methods()})

    def make(function, **options):
        words = {"key": "mine", "summary": "Picks rows.", "url": "https://example.org", "params": Params} | options
        register(title="Mine", family=Family.GEOMETRIC, paper="None", **words)(function)
        return type("TestMine", (MethodContract,), {"method": words["key"]})()

    return make


BROKEN = [
    (repeated_row, {}, "exact_budget_of_distinct_rows_in_range", ROWS),
    (one_short, {}, "exact_budget_of_distinct_rows_in_range", ROWS),
    (negative_weights, {}, "exact_budget_of_distinct_rows_in_range", ROWS),
    (scoring_too_few, {}, "exact_budget_of_distinct_rows_in_range", ROWS),
    (not_a_number, {}, "exact_budget_of_distinct_rows_in_range", ROWS),
    (one_short, {}, "small_grids_full_of_ties_are_valid_input", {}),
    (one_short, {}, "odd_pools_give_a_full_selection", {"rows": torch.ones(48, 3)}),
    (one_short, {}, "float32_scales_far_apart_are_valid_input", {"spread": [1, 1, 1]}),
    (one_short, {}, "the_whole_pool_is_the_whole_pool", {}),
    (unseeded, {}, "same_seed_same_answer", {}),
    (first_rows, {"random": True}, "another_seed_another_answer_if_and_only_if_it_is_said_to_be_random", {}),
    (by_the_seed, {}, "another_seed_another_answer_if_and_only_if_it_is_said_to_be_random", {}),
    (unseeded, {}, "global_generators_are_neither_read_nor_written", {}),
    (seeding_all, {}, "global_generators_are_neither_read_nor_written", {}),
    (seeding_numpy, {}, "global_generators_are_neither_read_nor_written", {}),
    (writing_on_the_rows, {}, "input_is_not_modified", {"dtype": torch.float32}),
    (unseeded, {}, "a_pool_can_be_used_again", {}),
    (another_at_each_call, {}, "the_order_of_the_rows_changes_no_pick", {"dtype": torch.float32, "duplicates": True}),
    (another_at_each_call, {}, "decisions_by_hand_follow_their_rows", {}),
    (in_metres, {}, "the_unit_of_the_features_changes_no_pick", {"dtype": torch.float32, "factor": 1e3}),
    (by_type, {}, "the_type_that_holds_the_numbers_changes_no_pick", {}),
    (by_last_digits, {}, "last_digits_of_the_features_change_no_pick", {"dtype": torch.float32, "noise": 2.0**-23}),
    (repeated_row, {}, "included_rows_come_first_and_excluded_ones_never", {"budget": 17}),
    (choosing_barred_rows, {"goes_on": True}, "included_rows_come_first_and_excluded_ones_never", {"budget": 17}),
    (first_rows, {"goes_on": True}, "excluding_alone_leaves_the_others_to_choose_from", {}),
    (unseeded, {}, "deciding_nothing_changes_nothing_and_leaves_the_pool_as_it_was", {}),
    (repeated_row, {}, "cancelling_from_a_report_ends_the_method", {}),
    (deaf, {}, "cancelling_from_a_report_ends_the_method", {}),
    (breathless, {}, "reports_have_words_and_never_pass_their_total", {}),
    (first_rows, {"summary": "No full stop"}, "every_param_has_a_help_text_and_every_method_its_source", {}),
    (first_rows, {"url": "somewhere"}, "every_param_has_a_help_text_and_every_method_its_source", {}),
    (first_rows, {"key": "My method"}, "its_key_is_one_word_of_a_command", {}),
]


@pytest.mark.parametrize(
    ("function", "options", "test", "given"), BROKEN, ids=[f"{each[0].__name__}-{each[2]}" for each in BROKEN]
)
def test_a_broken_method_fails_the_test_that_is_meant_for_it(suite, function, options, test, given):
    broken = getattr(suite(function, **options), f"test_{test}")
    with pytest.raises((AssertionError, ValueError, pytest.fail.Exception)):
        broken(**given)


def test_failures_show_the_values_compared(suite):
    with pytest.raises(AssertionError, match=r"16"):
        suite(one_short).test_exact_budget_of_distinct_rows_in_range(**ROWS)


def test_a_class_without_params_runs_the_defaults_and_one_with_params_runs_these(suite):
    plain = suite(first_rows)
    assert plain.run(plain.rows(9, 2), 3).params == {"step": 1}
    plain.params = {"step": 2}
    assert plain.run(plain.rows(9, 2), 3).params == {"step": 2}
    plain.test_params_that_ran_are_in_the_answer()


def test_what_a_method_cannot_promise_is_skipped_with_its_reason(suite):
    honest = suite(in_metres)
    honest.not_kept = {"unit": "It counts in metres."}
    with pytest.raises(pytest.skip.Exception, match="It counts in metres"):
        honest.test_the_unit_of_the_features_changes_no_pick(torch.float32, 1e3)


@pytest.mark.parametrize("missing", ["pytest", "hypothesis"])
def test_without_pytest_one_line_says_what_to_install(missing):
    code = f"""
import sys
sys.modules[{missing!r}] = None
try:
    import skmm_core.testing
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.stdout == f"skmm_core.testing needs {missing}; run: pip install pytest hypothesis\n"


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_no_other_part_of_the_engine_needs_pytest():
    others = [path for path in (ROOT / "skmm_core").rglob("*.py") if "testing" not in path.parts]
    assert len(others) > 100
    for path in others:
        assert not [name for name in imported(path) if name.startswith(("pytest", "hypothesis", "skmm_core.testing"))]
