"""Measure every method on every data set of the evidence, seed by seed; stopped, it goes on where it was.

    python -m tests.bench.evidence --data FOLDER --out assets/benchmarks/evidence.json
    python -m tests.bench.evidence_page  # makes assets/docs/evidence.md of it

FOLDER holds the npz files that `evidence_data` names; data sets whose files are missing are left out and named.
"""

import argparse
import json
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
import torch

from skmm_core.config import GradientParams, SketchParams
from skmm_core.data.dataset import Dataset
from skmm_core.errors import InputError
from skmm_core.methods.registry import compute_shared, get_method, reads_labels, select
from skmm_core.pool.pool import Pool, make_pool
from skmm_core.probes.linear_probe import score_probe
from skmm_core.probes.metrics import primary_metric
from tests.bench.evidence_data import BENCHMARKS, Benchmark, draw

# uniform's curve, in smallest budgets: what a score is worth is read off it
CURVE = (0.5, 0.75, 1, 1.5, 2.5, 3.5, 5, 7, 10, 14, 20, 30)
LARGEST = 600
YARDSTICKS = ("uniform", "uniform_stratified")
_SAMPLED = {"rounding": "sample", "polish": False}


@dataclass(frozen=True)
class Configuration:
    """A method with its options.

    Attributes:
        name: key in the file.
        method: registry key.
        params: what differs from its defaults.
        sketch: how gradients are sketched.
        gradient: what is matched.
    """

    name: str
    method: str
    params: dict[str, Any] = field(default_factory=dict)
    sketch: SketchParams = field(default_factory=SketchParams)
    gradient: GradientParams = field(default_factory=GradientParams)

    @property
    def label_aware(self) -> bool:
        """Whether it plays in the league that sees the pool's labels."""
        return reads_labels(self.method, self.params, self.gradient)


METHODS = (
    *(Configuration(key, key) for key in ("uniform", "skmm_whitened", "skmm_kernel", "skmm_direct", "skmm_variance")),
    *(Configuration(key, key) for key in ("skmm", "ridge_leverage", "adaptive", "herding", "k_center")),
    Configuration("skmm, sampled", "skmm", _SAMPLED),
    *(Configuration(key, key) for key in ("facility_location", "graph_cut", "typiclust")),
    *(Configuration(key, key) for key in ("uniform_stratified", "skmm_fit", "skmm_joint")),
    *(Configuration(key, key) for key in ("craig", "gradmatch", "glister", "margin")),
    *(Configuration(key, key) for key in ("grand", "el2n", "forgetting", "influence")),
)


def _ablations() -> Iterator[Configuration]:
    for kind in ("gaussian", "rademacher", "srht", "sparse", "countsketch"):
        yield Configuration(f"skmm: sketch {kind}, m = 64", "skmm", sketch=SketchParams(kind=kind, dim=64))
    for dim in (16, 32, 128, 256):
        yield Configuration(f"skmm: sketch gaussian, m = {dim}", "skmm", sketch=SketchParams(dim=dim))
    for dim in (32, 128):
        yield Configuration(
            f"skmm_kernel: sketch gaussian, m = {dim}", "skmm_kernel", {"space": "sketch"}, SketchParams(dim=dim)
        )
    head = SketchParams(kind="kronecker", dim=128)
    for targets in ("labels", "random"):
        gradient = GradientParams(kind="head", targets=targets)
        yield Configuration(f"skmm: head gradients, {targets}", "skmm", {}, head, gradient)
    for c_s in (0.6, 0.8, 0.9):
        yield Configuration(f"skmm: c_s = {c_s}", "skmm", {"c_s": c_s})
    yield Configuration("skmm: weights absolute", "skmm", {"weights": "absolute"})
    for rounding in ("matched", "balanced", "sample", "top"):
        for polish in (False, True):
            params = {"rounding": rounding, "polish": polish}
            yield Configuration(f"skmm: rounding {rounding}, polish {'on' if polish else 'off'}", "skmm", params)
    yield Configuration("skmm_kernel: within classes", "skmm_kernel", {"stratify": True})
    yield Configuration("skmm_kernel: keep_rare off", "skmm_kernel", {"keep_rare": False})
    for power in (0.0, 0.6, 1.0):
        yield Configuration(f"skmm_whitened: power = {power}", "skmm_whitened", {"power": power})
    for scale in (0.02, 0.1, 0.3):
        yield Configuration(f"skmm_whitened: scale = {scale}", "skmm_whitened", {"scale": scale})
    for exchanges in (0,):
        yield Configuration("skmm_whitened: no exchange", "skmm_whitened", {"exchanges": exchanges})
        yield Configuration("skmm_fit: no exchange", "skmm_fit", {"exchanges": exchanges})
    for alpha in (0.1, 1.0, 10.0):
        yield Configuration(f"skmm_fit: alpha = {alpha}", "skmm_fit", {"alpha": alpha})
    yield Configuration("skmm_fit: rank = 64", "skmm_fit", {"rank": 64})
    for scaling in ("none", "unit", "columns"):
        yield Configuration(f"skmm_fit: scaling {scaling}", "skmm_fit", {"scaling": scaling})


ABLATIONS = tuple(_ablations())
ABLATED = (
    *("cifar", "cifar_tail", "cars_even", "cars_odd_tail", "digits", "table", "diabetes", "california"),
    *("mixture", "mixture_noise", "mixture_equal"),
)


def curve(benchmark: Benchmark, size: int) -> list[int]:
    """Budgets at which uniform is measured, ascending."""
    wanted = {round(benchmark.budgets[0] * times) for times in CURVE} | set(benchmark.budgets)
    return sorted(budget for budget in wanted if budget <= min(size, LARGEST))


class Study:
    """The scores so far, and the file they are in."""

    def __init__(self, path: Path) -> None:
        self._path = path
        found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        self.scores: list[list[Any]] = found.get("scores", [])
        self._done = {tuple(row[:4]) for row in self.scores}

    def ablate(self, benchmark: Benchmark, folder: Path, seed: int) -> None:
        """Fill in the ablations that are missing of one data set and seed, at the middle budget."""
        dataset, pools = draw(benchmark, folder, seed), dict[str, Pool]()
        for configuration in ABLATIONS:
            self._row(dataset, configuration, [benchmark.budgets[1]], seed, pools)

    def measure(self, benchmark: Benchmark, folder: Path, seed: int) -> None:
        """Fill in what is missing of one data set and seed."""
        dataset = draw(benchmark, folder, seed)
        size = dataset.pool_size
        pools: dict[str, Pool] = {}
        for configuration in METHODS:
            budgets = curve(benchmark, size) if configuration.name in YARDSTICKS else list(benchmark.budgets)
            self._row(dataset, configuration, budgets, seed, pools)

    def _row(
        self, dataset: Dataset, configuration: Configuration, budgets: list[int], seed: int, pools: dict[str, Pool]
    ) -> None:
        spec = get_method(configuration.method)
        if spec.missing(dataset.task) or (configuration.params.get("stratify") and not dataset.n_classes):
            return
        if all((dataset.name, configuration.name, budget, seed) in self._done for budget in budgets):
            return
        key = f"{configuration.sketch}{configuration.gradient}"
        if key not in pools:
            pools[key] = make_pool(
                dataset, sketch=configuration.sketch, gradient=configuration.gradient, seed=seed, device="cpu"
            )
        try:
            compute_shared(pools[key], [spec])
            for budget in budgets:
                self._score(dataset, configuration, budget, seed, pools[key])
        except InputError as error:  # a sketch wider than the data, labels that head gradients need
            sys.stderr.write(f"{dataset.name}: {configuration.name} left out: {error}\n")

    def _score(self, dataset: Dataset, configuration: Configuration, budget: int, seed: int, pool: Pool) -> None:
        if (cell := (dataset.name, configuration.name, budget, seed)) in self._done:
            return
        found = select(pool, configuration.method, budget, params=configuration.params, seed=seed)
        value = score_probe(dataset, found.indices).metrics[primary_metric(dataset.task.value).key]
        self.scores.append([*cell, round(value, 6), round(found.seconds, 4)])
        self._done.add(cell)

    def save(self) -> None:
        """Write everything to the file, one line a cell."""
        used = {row[0] for row in self.scores}
        about = {
            "torch": torch.__version__,
            "numpy": np.__version__,
            "scikit_learn": sklearn.__version__,
            "benchmarks": {
                each.name: {
                    "title": each.title,
                    "half": each.half,
                    "budgets": each.budgets,
                    "metric": primary_metric("regression" if each.numbers else "classification").key,
                }
                for each in BENCHMARKS
                if each.name in used
            },
            "label_aware": sorted(each.name for each in (*METHODS, *ABLATIONS) if each.label_aware),
            "ablations": [each.name for each in ABLATIONS],
            "columns": ["dataset", "configuration", "budget", "seed", "value", "seconds"],
        }
        rows = sorted(self.scores, key=lambda row: (row[0], row[3], row[1], row[2]))
        lines = ",\n".join(json.dumps(row) for row in rows)
        text = json.dumps(about, indent=1)[:-2] + f',\n "scores": [\n{lines}\n]\n}}\n'
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".part")
        partial.write_text(text, encoding="utf-8")
        partial.replace(self._path)


def main() -> None:
    """Run what is missing, seed by seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the npz files")
    parser.add_argument("--out", type=Path, default=Path("assets/benchmarks/evidence.json"))
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--only", nargs="+", default=[each.name for each in BENCHMARKS])
    parser.add_argument("--part", choices=["all", "methods", "ablations"], default="all")
    options = parser.parse_args()
    study = Study(options.out)
    chosen = [each for each in BENCHMARKS if each.name in options.only]
    steps = [(study.measure, each) for each in chosen if options.part != "ablations"]
    steps += [(study.ablate, each) for each in chosen if each.name in ABLATED and options.part != "methods"]
    warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")
    for seed in range(options.seeds):
        for step, benchmark in steps:
            began = time.perf_counter()
            try:
                step(benchmark, options.data, seed)
            except FileNotFoundError as error:
                sys.stderr.write(f"{benchmark.title} left out: {error}\n")
                continue
            study.save()
            sys.stderr.write(f"seed {seed} {benchmark.name}: {time.perf_counter() - began:.0f} s\n")


if __name__ == "__main__":
    main()
