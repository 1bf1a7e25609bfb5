"""What it costs to pick among held rows: the objective of such picks over that of picks among all, on the whole pool.

    python -m tests.bench.held_rows --out assets/benchmarks/held-rows.json

Both are judged by the same objective, computed on all rows of pools that memory does hold.
"""

import argparse
import os
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skmm_core.bench.clustered import write_clustered
from skmm_core.bench.machine_facts import machine
from skmm_core.config import DatasetConfig
from skmm_core.data import load_dataset
from skmm_core.diagnostics import diagnose
from skmm_core.methods import get_method, select
from skmm_core.methods.fit_matching import SkmmFitParams, centred_targets, fitted_rows, scaled
from skmm_core.methods.kernel_matching import aim_at_pool, rarity
from skmm_core.methods.submodular import reference_rows
from skmm_core.methods.variance_matching import Design
from skmm_core.methods.whitened_matching import whitened_kernel
from skmm_core.pool import Pool, make_pool
from skmm_core.progress import ignore
from skmm_core.solvers import CoverAim, RidgeFit, gaussian_kernel, polynomial_kernel, pool_moments
from skmm_core.storage import write_json

DIMS, SEEDS = 64, 3


def main() -> None:
    """Measure all and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--held", type=int, default=20_000)
    parser.add_argument("--budget", type=int, default=200)
    options = parser.parse_args()
    ratios: dict[str, list[float]] = {key: [] for key in OBJECTIVES}
    for seed in range(SEEDS):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["SKMM_HOME"] = folder
            for key, ratio in compare(Path(folder), options.rows, options.held, options.budget, seed).items():
                ratios[key].append(ratio)
    found = {
        "bench": "held-rows",
        "machine": machine(torch.device("cpu")),
        "options": {"N": options.rows, "d": DIMS, "held": options.held, "n": options.budget, "seeds": SEEDS},
        "rows": [
            {"method": key, "objective": OBJECTIVES[key][0], "median": statistics.median(each), "worst": max(each)}
            for key, each in ratios.items()
        ],
    }
    write_json(options.out, found)


def compare(folder: Path, rows: int, held: int, budget: int, seed: int) -> dict[str, float]:
    """Objective of picks among held rows over that of picks among all, by method."""
    data, labels = folder / "rows.npy", folder / "labels.npy"
    np.save(labels, write_clustered(data, rows, DIMS, seed=seed) % 10)
    config = DatasetConfig(source=str(data), labels=str(labels))
    whole = make_pool(load_dataset(config))
    dataset = load_dataset(config.model_copy(update={"candidates": held}))
    part = make_pool(dataset)
    found = {}
    for key, (_, judge) in OBJECTIVES.items():
        among_all = select(whole, key, budget, seed=seed).indices
        among_held = dataset.rows[select(part, key, budget, seed=seed).indices]
        found[key] = judge(whole, among_held) / judge(whole, among_all)
    return found


def _radius(pool: Pool, picks: Tensor) -> float:
    return diagnose(pool, picks).coverage_radius


def _mean(pool: Pool, picks: Tensor) -> float:
    rows = pool.features.double()
    return float((rows[picks].mean(dim=0) - rows.mean(dim=0)).norm())


def _moments(pool: Pool, picks: Tensor) -> float:
    kernel = polynomial_kernel(pool.sketched)
    return kernel.squared_mmd(picks)


def _kernel(key: str) -> Callable[[Pool, Tensor], float]:
    def judge(pool: Pool, picks: Tensor) -> float:
        params: Any = get_method(key).parse({})
        if key == "skmm_kernel":
            importance = rarity(pool.moments.leverage)

            def make() -> Any:
                return gaussian_kernel(pool.features, normalise=True, scale=params.scale, seed=0)
        else:
            importance = torch.ones(pool.size)

            def make() -> Any:
                return whitened_kernel(pool.features, params, None)

        aim = aim_at_pool(pool, params, make, importance, seed=0, report=ignore)
        if key != "skmm_cover":
            return aim.squared_mmd(picks)
        return 1 - CoverAim(aim.kernel, aim.mean, reference_rows(pool)).value(picks)

    return judge


def _variance(pool: Pool, picks: Tensor) -> float:
    eigenvalues = pool.moments.eigenvalues
    design = Design(pool.moments, len(picks), 1e-2 * float(eigenvalues.mean()))
    design.rebuild(picks)
    return design.cost


def _fit(pool: Pool, picks: Tensor) -> float:
    params = SkmmFitParams()
    if pool.targets is None:
        raise ValueError("the rows have classes")
    targets = centred_targets(pool.targets)
    rows = fitted_rows(scaled(pool.features, "unit"), params.rank)
    targets = targets.to(rows)
    moments = pool_moments(rows, targets)
    fit = RidgeFit(rows[picks], targets[picks], moments, alpha=3.0, scale_free=True, caution=params.caution)
    for place in range(len(picks)):
        fit.add(torch.tensor(place))
    return 1 - fit.agreement


OBJECTIVES: dict[str, tuple[str, Callable[[Pool, Tensor], float]]] = {
    "k_center": ("largest distance to a pick", _radius),
    "herding": ("distance of the means", _mean),
    "skmm_direct": ("squared MMD", _moments),
    "skmm_kernel": ("squared MMD", _kernel("skmm_kernel")),
    "skmm_whitened": ("squared MMD", _kernel("skmm_whitened")),
    "skmm_cover": ("1 - (coverage - squared MMD)", _kernel("skmm_cover")),
    "skmm_variance": ("trace score", _variance),
    "skmm_fit": ("1 - agreement", _fit),
}

if __name__ == "__main__":
    main()
