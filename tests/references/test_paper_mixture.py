"""The paper's synthetic experiment: ridge by its definition, shortcuts that change nothing, cells that are kept."""

import numpy as np
import pytest
import torch

from skmm_core.config import DatasetConfig, PaperJob, RunConfig
from skmm_core.data.builtin_list import GmmOptions
from skmm_core.errors import Cancelled
from skmm_core.methods.registry import select
from skmm_core.paper.experiments import EXPERIMENTS
from skmm_core.paper.mixture import ALPHAS, Cell, Mixture, PoolRidge, is_fixed, run_mixtures
from skmm_core.paper.table import best_variant, metric_of

ROWS = {row.key: row for row in EXPERIMENTS["gmm"].rows}
SMALL = GmmOptions(N=90, r=120, clusters=4, K=4)


@pytest.fixture(scope="module")
def mixture():
    return Mixture(1, SMALL)


def slow_risk(features, targets, chosen, seed):
    """Ridge in feature space, one solve for every α and fold."""

    def fit(rows, alpha):
        x = features[rows]
        return np.linalg.solve(x.T @ x + alpha * np.eye(x.shape[1]), x.T @ targets[rows])

    halves = np.array_split(np.random.default_rng(seed).permutation(chosen), 2)
    errors = [
        sum(((features[b] @ fit(a, alpha) - targets[b]) ** 2).sum() for a, b in (halves, halves[::-1]))
        for alpha in ALPHAS
    ]
    theta = fit(chosen, ALPHAS[int(np.argmin(errors))])
    return ((features @ theta - targets) ** 2).mean()


@pytest.mark.parametrize("budget", [2, 9, 40])
def test_risk_through_the_gram_matrix_equals_ridge_by_its_definition(budget):
    random = np.random.default_rng(budget)
    features, targets = random.normal(size=(50, 30)), random.normal(size=50)
    chosen = random.permutation(50)[:budget]
    found = PoolRidge(features, targets).risk(chosen, seed=3)
    assert found == pytest.approx(slow_risk(features, targets, chosen, 3), rel=1e-6)


@pytest.mark.parametrize("key", [key for key, row in ROWS.items() if row.nested])
def test_the_beginning_of_a_nested_choice_is_the_smaller_choice(mixture, key):
    row = ROWS[key]
    largest = select(mixture.pool, row.method, 60, params=row.params, seed=5).indices
    for budget in (7, 23):
        assert torch.equal(
            largest[:budget], select(mixture.pool, row.method, budget, params=row.params, seed=5).indices
        )


def test_rows_called_fixed_choose_the_same_points_for_every_seed(mixture):
    fixed = [row for row in ROWS.values() if is_fixed(row)]
    assert [row.key for row in fixed] == ["herding"]
    for row in fixed:
        one, other = (select(mixture.pool.reseeded(seed), row.method, 20, seed=seed).indices for seed in (0, 1))
        assert torch.equal(one, other)


def test_a_pool_with_another_seed_is_that_of_a_fresh_one(mixture):
    _ = mixture.pool.feature_basis
    again, fresh = mixture.pool.reseeded(4), Mixture(1, SMALL).pool.reseeded(4)
    assert torch.equal(again.sketched, fresh.sketched)
    assert not torch.equal(again.sketched, mixture.pool.sketched)
    for key in ("leverage", "ridge_leverage", "skmm"):
        assert torch.equal(select(again, key, 12, seed=4).indices, select(fresh, key, 12, seed=4).indices)


def name(cell):
    return cell.row.key, cell.budget, cell.data_seed, cell.seed


def scored(cells, workers, report=lambda progress: None):
    found = {}
    run_mixtures(
        cells, SMALL, workers=workers, report=report, full=lambda seed, risk: None,
        keep=lambda cell, metrics, seconds: found.__setitem__(name(cell), metrics),
    )  # fmt: skip
    return found


def test_threads_and_order_change_no_score():
    rows = [ROWS[key] for key in ("uniform", "herding", "adaptive", "leverage", "skmm", "skmm_variance")]
    cells = [Cell(row, n, draw, seed) for draw in (0, 1) for seed in (0, 1, 2) for row in rows for n in (6, 20)]
    one = scored(cells, 1)
    assert scored(cells[::-1], 3) == one
    assert len(one) == len(cells)
    assert scored(cells[:5], 2) == {name(cell): one[name(cell)] for cell in cells[:5]}


def test_a_stop_ends_the_threads_and_keeps_what_was_finished():
    cells = [Cell(ROWS["skmm"], n, 0, seed) for seed in range(4) for n in (10, 20, 30)]
    kept = []

    def stop(progress):
        if kept:
            raise Cancelled

    with pytest.raises(Cancelled):
        run_mixtures(
            cells, SMALL, workers=2, report=stop, full=lambda seed, risk: None,
            keep=lambda cell, metrics, seconds: kept.append(cell),
        )  # fmt: skip
    assert 0 < len(kept) <= len(cells)


def test_a_run_makes_the_table_resumes_per_cell_and_names_the_best_variant(tmp_path, monkeypatch):
    import skmm_core.data
    from skmm_core.comparison.score_log import read_scores
    from skmm_core.paper.run import run_paper

    monkeypatch.setattr(skmm_core.data, "GmmOptions", lambda: SMALL)
    job = PaperJob(
        experiment="gmm", methods=("skmm", "skmm_variance", "leverage"), budgets=(8, 20), seeds=2, data_seeds=2
    )
    config = RunConfig(dataset=DatasetConfig(source="gmm"), job=job)
    whole = run_paper(config, job, tmp_path / "whole", device="cpu")

    def stop(progress):
        if progress.step >= 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        run_paper(config, job, tmp_path / "part", device="cpu", report=stop)
    before = read_scores(tmp_path / "part")
    assert 0 < len(before) < 2 * 4 * 2 * 2 * 2
    resumed = run_paper(config, job, tmp_path / "part", device="cpu")
    after = read_scores(tmp_path / "part")
    assert after.head(len(before)).equals(before), "a finished cell is never scored again"
    assert resumed["table"] == whole["table"]
    assert {cell["count"] for cell in whole["table"]} == {4}
    risks = after[(after["metric"] == "risk") & (after["method"] == "skmm") & (after["budget"] == 8)]["value"]
    cell = next(c for c in whole["table"] if (c["row"], c["budget"], c["metric"]) == ("skmm", 8, "risk"))
    assert cell["mean"] == pytest.approx(risks.mean())
    assert cell["median"] == pytest.approx(risks.median())
    assert cell["geometric_mean"] == pytest.approx(float(np.exp(np.log(risks).mean())))
    assert best_variant(whole, metric_of(whole, "risk")) in ("SkMM", "SkMM variance")
