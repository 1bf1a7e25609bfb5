"""Methods on pools of 50,000 and a million points, and what the shortcut of kernel matching costs in quality.

    python -m tests.bench.large_pools --out assets/benchmarks/large-pools.json

Above 20,000 points the kernel mean is made with few random rows. Its price is measured where the exact mean can be had
too: at N = 20,000 with either, both sets of picks judged by the exact squared MMD.
"""

import argparse
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from skmm_core.bench.clustered import clustered_features
from skmm_core.bench.machine_facts import machine, measured
from skmm_core.config import SketchParams
from skmm_core.methods.registry import select
from skmm_core.pool.making import make_pool
from skmm_core.pool.pool import Pool
from skmm_core.solvers import mean_embedding, mmd
from skmm_core.solvers.kernels import gaussian_kernel
from skmm_core.storage.writing import write_json

KEYS = ("k_center", "herding", "skmm_direct", "skmm_kernel", "skmm_whitened")
PLAIN = {"keep_rare": False}
CPU = torch.device("cpu")


def main() -> None:
    """Measure all and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scale", type=float, default=1.0, help="Share of the points; below 1 for a quick look.")
    options = parser.parse_args()
    middle, large = round(50_000 * options.scale), round(1_000_000 * options.scale)
    rows = [time_whole(key, middle, 128, middle // 50) for key in KEYS]
    rows.append(time_whole("skmm_variance", large, 128, large // 100))
    found = {
        "bench": "large-pools",
        "machine": machine(CPU),
        "methods": rows,
        "kernel_reference": kernel_reference(round(20_000 * options.scale), 128, 1000),
    }
    write_json(options.out, found)


def pool_of(size: int, dims: int) -> Pool:
    """Made-up features, not sketched: d is the m of the methods that match moments."""
    return make_pool(clustered_features(size, dims)[0], sketch=SketchParams(kind="none"), seed=0, device="cpu")


def time_whole(method: str, size: int, dims: int, budget: int) -> dict[str, Any]:
    """Seconds and memory of one selection, with all that it needs computed within."""
    pool = pool_of(size, dims)
    with measured(CPU) as cost:
        select(pool, method, budget)
    return {"method": method, "N": size, "d": dims, "n": budget, "seconds": cost.seconds, "peak_mb": cost.peak_mb}


def kernel_reference(size: int, dims: int, budget: int) -> dict[str, Any]:
    """Exact squared MMD of picks made with the exact kernel mean, with a sampled one, and of random picks."""
    pool = pool_of(size, dims)
    with measured(CPU) as exact_cost:
        exact = select(pool, "skmm_kernel", budget, params=PLAIN).indices
    with patch.object(mean_embedding, "EXACT_LIMIT", size - 1), measured(CPU) as sampled_cost:
        sampled = select(pool, "skmm_kernel", budget, params=PLAIN).indices
    random = select(pool, "uniform", budget).indices
    kernel = gaussian_kernel(pool.gradients, normalise=True, scale=0.1, seed=0)
    mean = mean_embedding.kernel_mean(kernel, torch.ones(size), seed=0)
    constant = float(mean.double().mean())
    values = {
        name: mmd.squared_mmd(kernel, mean, picks, constant)
        for name, picks in (("exact", exact), ("sampled", sampled), ("uniform", random))
    }
    drawn = mean_embedding.LANDMARKS + mean_embedding.OTHERS
    seconds = {"exact_seconds": exact_cost.seconds, "sampled_seconds": sampled_cost.seconds}
    return {"N": size, "d": dims, "n": budget, "reference_rows": drawn, "squared_mmd": values, **seconds}


if __name__ == "__main__":
    main()
