"""Published implementations beside ours on the same input and objective: objective values, seconds, their ratio.

    pip install apricot-select goodpoints lightly-mundig
    python -m tests.bench.peers --data FOLDER --out assets/benchmarks/peers.json

apricot-select (Schreiber, Bilmes & Noble, 2020) maximises facility location and graph cut on a similarity matrix, which
is made within its time; goodpoints (Dwivedi & Mackey, 2021) thins by kernel to a small maximum mean discrepancy. Both
sides take turns, and each gets its fastest of several runs. What lightly-mundig picks is compared by scores, see
`peer_selections`, where FOLDER holds the features of CIFAR-10 that `evidence_data` names.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skmm_core.bench.clustered import clustered_features
from skmm_core.bench.machine_facts import machine
from skmm_core.methods.registry import select
from skmm_core.pool.making import make_pool
from skmm_core.solvers.kernels import gaussian_kernel
from skmm_core.storage.writing import write_json
from tests.bench.peer_selections import selections

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
REPEATS = 2
KERNEL = {"normalise": False, "keep_rare": False, "scale": 1.0}


def main() -> None:
    """Measure all and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the npz files")
    parser.add_argument("--sizes", type=int, nargs="+", default=[2000, 10_000])
    parser.add_argument("--dims", type=int, default=128)
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for size in options.sizes:
        rows += submodular(size, options.dims, size // 10)
    rows += kernels(4096, options.dims)
    found = {"bench": "peers", "machine": machine(torch.device("cpu")), "rows": rows}
    picks = selections(options.data)
    write_json(options.out, found if picks is None else found | {"selections": picks})


def submodular(size: int, dims: int, budget: int) -> list[dict[str, Any]]:
    """Facility location and graph cut against apricot, on s = (1 + cos)/2; larger values are better."""
    from apricot import FacilityLocationSelection, GraphCutSelection

    features, _ = clustered_features(size, dims)
    unit = features.double().numpy()
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    redundancy = size / (2 * budget)

    def matrix() -> Array:
        return np.asarray((1 + unit @ unit.T) / 2)

    def location() -> Rows:
        return np.asarray(
            FacilityLocationSelection(budget, metric="precomputed", optimizer="lazy").fit(matrix()).ranking
        )

    def cut() -> Rows:
        found = GraphCutSelection(budget, metric="precomputed", alpha=1 / redundancy, optimizer="naive").fit(matrix())
        return np.asarray(found.ranking)

    similarity = matrix()
    where = {"N": size, "d": dims, "n": budget}
    return [
        {"method": "facility_location", "peer": "apricot FacilityLocationSelection", **where, "better": "larger"}
        | beside(ours(features, "facility_location", budget), location, lambda p: similarity[:, p].max(axis=1).mean()),
        {"method": "graph_cut", "peer": "apricot GraphCutSelection", **where, "better": "larger"}
        | beside(
            ours(features, "graph_cut", budget),
            cut,
            lambda p: (similarity[:, p].sum() - redundancy * similarity[np.ix_(p, p)].sum()) / size,
        ),
    ]


def kernels(size: int, dims: int) -> list[dict[str, Any]]:
    """Kernel moment matching against goodpoints, by the squared MMD of a Gaussian kernel; smaller is better."""
    from goodpoints import compress, herding, kt

    features, _ = clustered_features(size, dims)
    rows = features.double().numpy()
    made = gaussian_kernel(features, normalise=False, scale=KERNEL["scale"], seed=0)
    whole = made.columns(torch.arange(size)).double().numpy()
    width = 2 * made.bandwidth

    def kernel(y: Array, x: Array) -> Array:
        return np.asarray(np.exp(-((x - y) ** 2).sum(axis=1) / width))

    def matrix() -> Array:
        squared = (rows**2).sum(axis=1)
        return np.asarray(np.exp((2 * rows @ rows.T - squared[:, None] - squared) / width))

    def thinned() -> Rows:
        return np.asarray(kt.thin_K(made_matrix := matrix(), made_matrix, 4, seed=0, unique=True))

    def herded() -> Rows:
        return np.asarray(herding.herding(rows, 4, kernel, unique=True))

    def compressed() -> Rows:
        found = compress.compresspp_kt(rows, b"gaussian", k_params=np.array([width]), g=4, seed=0)
        return np.asarray(found)

    def mmd(picks: Rows) -> float:
        return float(whole.mean() - 2 * whole[:, picks].mean() + whole[np.ix_(picks, picks)].mean())

    found = []
    for name, peer, budget in (
        ("kernel thinning", thinned, size // 16),
        ("kernel herding", herded, size // 16),
        ("Compress++ (compiled)", compressed, 64),
    ):
        row = {"method": "skmm_kernel", "peer": f"goodpoints {name}", "N": size, "d": dims, "n": budget}
        mine = ours(features, "skmm_kernel", budget, KERNEL)
        found.append(row | {"better": "smaller"} | beside(mine, peer, mmd))
    return found


def ours(features: torch.Tensor, method: str, budget: int, params: dict[str, Any] | None = None) -> Callable[[], Rows]:
    """Our picks, with all that they need computed within."""

    def pick() -> Rows:
        found = select(make_pool(features, device="cpu"), method, budget, params=params)
        return np.asarray(found.indices.numpy())

    return pick


def beside(mine: Callable[[], Rows], peer: Callable[[], Rows], value: Callable[[Rows], float]) -> dict[str, Any]:
    """Run both in turn; objective values are computed alike, from the picks."""
    seconds: tuple[list[float], list[float]] = ([], [])
    picks = [np.zeros(0, dtype=np.int64)] * 2
    for _ in range(REPEATS):
        for side, run in enumerate((mine, peer)):
            began = time.perf_counter()
            picks[side] = run()
            seconds[side].append(time.perf_counter() - began)
    return {
        "objective": float(value(picks[0])),
        "peer_objective": float(value(picks[1])),
        "same_picks": float(np.isin(picks[0], picks[1]).mean()),
        "seconds": min(seconds[0]),
        "peer_seconds": min(seconds[1]),
        "ratio": min(seconds[1]) / min(seconds[0]),
    }


if __name__ == "__main__":
    main()
