"""What other tools pick beside what we pick, by the score of a linear probe and in seconds.

lightly-mundig is the engine that LightlyStudio selects with: "diverse" is k-center from the first row on the rows as
they are; "diverse + typicality" multiplies it with how typical a row is among its 20 nearest neighbours, the number of
LightlyStudio, both in strength 1, its default. Twice the strength for diversity, as in an example of its README, scores
lower below 100 points. Every seed draws its own pool and test rows, and all take turns on them.
"""

import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skmm_core.bench.machine_facts import machine
from skmm_core.data import Dataset
from skmm_core.errors import InputError
from skmm_core.methods.registry import get_method, recommended_method, select
from skmm_core.pool.making import make_pool
from skmm_core.probes.linear_probe import score_probe
from tests.bench.evidence_data import BENCHMARKS, draw

Rows = NDArray[np.int64]
Pick = Callable[[Dataset, int, int], Rows]
DIVERSE, TYPICAL = "lightly-mundig diverse", "lightly-mundig diverse + typicality"
OTHERS = ("max_herding", "uniform")
BUDGETS, SEEDS = (20, 50, 100, 200), 8
NEIGHBOURS, STRENGTH = 20, 1.0


def selections(folder: Path) -> dict[str, Any] | None:
    """Scores and seconds of every method, budget and seed on CIFAR-10; None where the data or the tool is missing."""
    try:
        version = metadata.version("lightly-mundig")
        benchmark = next(each for each in BENCHMARKS if each.name == "cifar")
        scores: list[list[Any]] = []
        for seed in range(SEEDS):
            dataset = draw(benchmark, folder, seed)
            scores += _measured(dataset, seed)
            sys.stderr.write(f"seed {seed} of {benchmark.title}\n")
    except (FileNotFoundError, metadata.PackageNotFoundError) as error:
        sys.stderr.write(f"selections left out: {error}\n")
        return None
    return {
        "data": benchmark.title,
        "N": dataset.pool_size,
        "d": dataset.features.shape[1],
        "test": benchmark.test,
        "seeds": SEEDS,
        "budgets": BUDGETS,
        "default": recommended_method(uses_labels=False).key,
        "versions": {"lightly-mundig": version},
        "machine": machine(torch.device("cpu")),
        "columns": ["method", "budget", "seed", "accuracy", "seconds"],
        "scores": scores,
    }


def _measured(dataset: Dataset, seed: int) -> list[list[Any]]:
    found = []
    sides = list(pickers().items())
    for turn, budget in enumerate(BUDGETS):
        for name, pick in sides[turn % len(sides) :] + sides[: turn % len(sides)]:
            began = time.perf_counter()
            picks = pick(dataset, budget, seed)
            seconds = time.perf_counter() - began
            accuracy = score_probe(dataset, torch.as_tensor(picks)).metrics["accuracy"]
            found.append([name, budget, seed, round(accuracy, 6), round(seconds, 4)])
    return found


def pickers() -> dict[str, Pick]:
    """Both of the peer's, our default, and those of our other methods that this version has."""
    ours = [recommended_method(uses_labels=False).key, *(key for key in OTHERS if _known(key))]
    return {DIVERSE: _diverse, TYPICAL: _typical, **{key: _ours(key) for key in dict.fromkeys(ours)}}


def _known(key: str) -> bool:
    try:
        return bool(get_method(key))
    except InputError:
        return False


def _ours(method: str) -> Pick:
    """Our picks, with all that they need computed within."""

    def pick(dataset: Dataset, budget: int, seed: int) -> Rows:
        found = select(make_pool(dataset, seed=seed, device="cpu"), method, budget, seed=seed)
        return np.asarray(found.indices.numpy())

    return pick


def _diverse(dataset: Dataset, budget: int, seed: int) -> Rows:
    return _mundig(_pool_rows(dataset), budget, [])


def _typical(dataset: Dataset, budget: int, seed: int) -> Rows:
    from lightly_mundig import Typicality

    rows = _pool_rows(dataset)
    return _mundig(rows, budget, Typicality(rows).calculate_typicality(NEIGHBOURS))


def _mundig(rows: NDArray[np.float32], budget: int, typicality: list[float]) -> Rows:
    from lightly_mundig import Selection

    selection = Selection()
    selection.add_diversifying_strategy(rows, STRENGTH)
    if typicality:
        selection.add_weighting_strategy(typicality, STRENGTH)
    return np.asarray(selection.run_selection([], len(rows), budget), dtype=np.int64)


def _pool_rows(dataset: Dataset) -> NDArray[np.float32]:
    return np.asarray(dataset.features[dataset.split.train].numpy(), dtype=np.float32)
