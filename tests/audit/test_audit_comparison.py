"""Null simulations of a whole comparison, probe and all: a method that is no better must not be called so."""

import numpy as np
import pytest
import torch

from skmm_core.comparison import compare, judged
from skmm_core.config import CompareJob, DatasetConfig, SketchParams
from skmm_core.data import load_dataset
from skmm_core.methods import Family, MethodParams, Picks, list_methods, register
from skmm_core.probes import METRICS

_REPEATS = 120
_FIXED, _RANDOM = ("audit_fixed_a", "audit_fixed_b", "audit_fixed_c"), "audit_random"
_TITLES = {
    "family": Family.SAMPLING,
    "summary": "A null method.",
    "paper": "none",
    "url": "https://example.org",
    "params": MethodParams,
}


def null_methods():
    """Three that take the rows with the smallest far digits of a projection, by content alone, and one random."""
    if any(spec.key == _RANDOM for spec in list_methods()):
        return

    def fixed(place):
        def run(pool, budget, params, *, seed, report):
            direction = np.random.default_rng(place).normal(size=pool.features.shape[1])
            digits = pool.features.double().numpy() @ direction * 1e5 % 1
            return Picks(torch.from_numpy(np.argsort(digits)[:budget]))

        return run

    for place, key in enumerate(_FIXED):
        register(key=key, title=key, **_TITLES)(fixed(place))

    @register(key=_RANDOM, title=_RANDOM, random=True, **_TITLES)
    def random(pool, budget, params, *, seed, report):
        return Picks(torch.tensor(np.random.default_rng(seed + 777).permutation(pool.size)[:budget]))


@pytest.mark.parametrize("fixed_pool", [False, True], ids=["data like these", "this very pool"])
@pytest.mark.parametrize("methods", [_FIXED[:1], _FIXED, (_RANDOM,)], ids=["one fixed", "three fixed", "one random"])
def test_methods_that_are_random_picks_are_seldom_told_apart(methods, fixed_pool, tmp_path, audit):
    """120 comparisons of 8 seeds, probe of numbers: any method better, and any worse, in at most 5 % of them each."""
    null_methods()
    metric, said = METRICS["regression"][0], {"better": 0, "worse": 0}
    for repeat in range(_REPEATS):
        rng = np.random.default_rng(repeat)
        x = rng.normal(size=(160, 4))
        y = x @ rng.normal(size=4) + rng.normal(size=160)
        file = tmp_path / f"{repeat}.npz"
        np.savez(file, X=x[:100], y=y[:100], X_test=x[100:], y_test=y[100:])
        made = load_dataset(DatasetConfig(source=str(file)))
        job = CompareJob(methods=methods, budgets=(12,), seeds=8, fixed_pool=fixed_pool, learners=("linear",))
        found = compare(made, job, sketch=SketchParams(kind="none"), device="cpu")
        verdicts = {row.verdict(higher_is_better=False).value for row in judged(found.summary, [], metric.key)}
        for word in said:
            said[word] += word in verdicts
    for word, count in said.items():
        excess = (count / _REPEATS - 0.05) / np.sqrt(0.05 * 0.95 / _REPEATS)
        audit.at_most(
            "statistic compare", f"'{word}' under the null, above 5 %", excess, within=2.6, unit="standard errors"
        )
