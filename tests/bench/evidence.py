"""Measure every method on every data set of the evidence, seed by seed; stopped, it goes on where it was.

    python -m tests.bench.evidence --data FOLDER --out FILE

or in several processes, each with a file of its own, one thread each:

    OMP_NUM_THREADS=1 python -m tests.bench.evidence --data FOLDER --shard 1/2 --out ONE &
    OMP_NUM_THREADS=1 python -m tests.bench.evidence --data FOLDER --shard 2/2 --out TWO
    python -m tests.bench.evidence --merge ONE TWO --out assets/benchmarks/evidence.json

and then, which makes assets/docs/evidence.md and README's part of it:

    python -m tests.bench.evidence_page

FOLDER holds the npz files that `evidence_data` names; data sets whose files are missing are left out and named. Scores
that were measured another way, or with other versions of the libraries, are refused: give a new file.
"""

import argparse
import json
import sys
import time
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
import torch

from skmm_core.config import GradientParams, SketchParams
from skmm_core.errors import InputError
from skmm_core.methods.registry import compute_shared, get_method, reads_labels, select
from skmm_core.pool.making import make_pool
from skmm_core.pool.pool import Pool
from skmm_core.probes.linear_probe import score_probe
from skmm_core.probes.metrics import primary_metric
from tests.bench.evidence_data import BENCHMARKS, Benchmark, draw

# uniform's curve, in smallest budgets: what a score is worth is read off it
CURVE = (0.5, 0.75, 1, 1.5, 2.5, 3.5, 5, 7, 10, 14, 20, 30)
LARGEST = 600
YARDSTICKS = ("uniform", "uniform_stratified")
# how scores come about; a file says it, so that the page can, and no file mixes two ways
HOW = {
    "torch": torch.__version__,
    "numpy": np.__version__,
    "scikit_learn": sklearn.__version__,
    "drawn": "Every seed draws its own pool and its own test rows, and the methods of a seed see the same ones. The "
    "probe is tuned on the chosen points alone; no other label is read.",
}
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
    *(
        Configuration(key, key)
        for key in ("uniform", "skmm_cover", "skmm_whitened", "skmm_kernel", "skmm_direct", "skmm_variance")
    ),
    *(Configuration(key, key) for key in ("skmm", "ridge_leverage", "adaptive", "herding", "k_center")),
    Configuration("skmm, sampled", "skmm", _SAMPLED),
    *(Configuration(key, key) for key in ("facility_location", "graph_cut", "typiclust")),
    *(Configuration(key, key) for key in ("max_herding", "probcover", "active_ft", "kmeans_medoids")),
    *(Configuration(key, key) for key in ("uniform_stratified", "skmm_fit", "skmm_joint")),
    *(Configuration(key, key) for key in ("craig", "gradmatch", "glister", "margin")),
    *(Configuration(key, key) for key in ("grand", "el2n", "forgetting", "influence")),
    *(Configuration(key, key) for key in ("moderate", "ccs", "d2")),
    Configuration("facility_location: within classes", "facility_location", {"stratify": True}),
    *(Configuration(key, key) for key in ("u_herding", "dropquery", "badge")),
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
    for rank in (32, 64, 256):
        yield Configuration(f"skmm_cover: rank = {rank}", "skmm_cover", {"rank": rank})
    for power in (0.0, 0.3):
        yield Configuration(f"skmm_cover: power = {power}", "skmm_cover", {"power": power})
    for scale in (0.05, 0.2):
        yield Configuration(f"skmm_cover: scale = {scale}", "skmm_cover", {"scale": scale})
    yield Configuration("skmm_cover: no exchange", "skmm_cover", {"exchanges": 0})
    yield Configuration("skmm_whitened: scale = 0.1", "skmm_whitened", {"scale": 0.1})
    yield Configuration("skmm_fit: no exchange", "skmm_fit", {"exchanges": 0})
    for alpha in (0.1, 1.0, 10.0):
        yield Configuration(f"skmm_fit: alpha = {alpha}", "skmm_fit", {"alpha": alpha})
    yield Configuration("skmm_fit: rank = 64", "skmm_fit", {"rank": 64})
    for scaling in ("none", "unit", "columns"):
        yield Configuration(f"skmm_fit: scaling {scaling}", "skmm_fit", {"scaling": scaling})


ABLATIONS = tuple(_ablations())
ABLATED = ("flowers_mobilenet", "cifar", "cars_even", "digits", "table", "california", "mixture_noise")


def curve(benchmark: Benchmark, size: int) -> list[int]:
    """Budgets at which uniform is measured, ascending."""
    wanted = {round(benchmark.budgets[0] * times) for times in CURVE} | set(benchmark.budgets)
    return sorted(budget for budget in wanted if budget <= min(size, LARGEST))


class Draw:
    """One data set as one seed draws it, with what configurations share: pools, and the scores of points picked twice.

    Attributes:
        dataset: what was drawn.
    """

    def __init__(self, benchmark: Benchmark, folder: Path, seed: int) -> None:
        self.dataset = draw(benchmark, folder, seed)
        self._seed = seed
        self._pools: dict[tuple[str, str], Pool] = {}
        self._scores: dict[tuple[int, ...], float] = {}

    def takes(self, configuration: Configuration) -> bool:
        """Whether the task allows this configuration."""
        if configuration.params.get("stratify") and not self.dataset.n_classes:
            return False
        return not get_method(configuration.method).missing(self.dataset.task)

    def score(self, configuration: Configuration, budget: int) -> tuple[float, float]:
        """Test score of what a configuration picks, and the seconds that picking took.

        Raises:
            InputError: the options do not fit the data.
        """
        pool = self.pool(configuration)
        compute_shared(pool, [get_method(configuration.method)])
        found = select(pool, configuration.method, budget, params=configuration.params, seed=self._seed)
        picks = tuple(found.indices.tolist())
        if picks not in self._scores:
            metric = primary_metric(self.dataset.task.value).key
            self._scores[picks] = score_probe(self.dataset, found.indices).metrics[metric]
        return self._scores[picks], found.seconds

    def pool(self, configuration: Configuration) -> Pool:
        """What a configuration picks from, with its sketch and gradients."""
        sketch, gradient = str(configuration.sketch), str(configuration.gradient)
        same_gradient = [pool for (_, other), pool in self._pools.items() if other == gradient]
        if (sketch, gradient) not in self._pools:
            self._pools[sketch, gradient] = (
                same_gradient[0].reseeded(self._seed, sketch=configuration.sketch)
                if same_gradient
                else make_pool(
                    self.dataset,
                    sketch=configuration.sketch,
                    gradient=configuration.gradient,
                    seed=self._seed,
                    device="cpu",
                )
            )
        return self._pools[sketch, gradient]


class Study:
    """The scores so far, and the file they are in."""

    def __init__(self, path: Path, *, anew: bool = False) -> None:
        """Read the file, if it is there; `anew` replaces it when saved.

        Raises:
            ValueError: its scores were measured another way than this code measures.
        """
        self._path = path
        found = json.loads(path.read_text(encoding="utf-8")) if path.exists() and not anew else {}
        differs = [key for key, value in HOW.items() if found and found.get(key) != value]
        if differs:
            raise ValueError(f"{path} was measured with other {', '.join(differs)}; give a new file with --out")
        self.scores: list[list[Any]] = found.get("scores", [])
        self._done = {tuple(row[:4]): row[4] for row in self.scores}

    def measure(self, drawn: Draw, configuration: Configuration, budgets: Sequence[int], seed: int) -> None:
        """Score what is missing of one configuration on one draw."""
        for budget in budgets:
            cell = (drawn.dataset.name, configuration.name, budget, seed)
            if cell in self._done:
                continue
            try:
                value, seconds = drawn.score(configuration, budget)
            except InputError as error:  # a sketch wider than the data, labels that head gradients need
                sys.stderr.write(f"{drawn.dataset.name}: {configuration.name} left out: {error}\n")
                return
            self._add([*cell, round(value, 6), round(seconds, 4)])

    def take(self, other: "Study") -> None:
        """Take over the scores of another file.

        Raises:
            ValueError: both have a cell, with other scores.
        """
        for row in other.scores:
            cell = tuple(row[:4])
            if cell not in self._done:
                self._add(row)
            elif self._done[cell] != row[4]:
                raise ValueError(f"{cell} has two scores, {self._done[cell]} and {row[4]}")

    def _add(self, row: list[Any]) -> None:
        self.scores.append(row)
        self._done[tuple(row[:4])] = row[4]

    def save(self) -> None:
        """Write everything to the file, one line a cell."""
        rows = sorted(self.scores, key=lambda row: (row[0], row[3], row[1], row[2]))
        lines = ",\n".join(json.dumps(row) for row in rows)
        text = json.dumps(described({row[0] for row in rows}), indent=1)[:-2] + f',\n "scores": [\n{lines}\n]\n}}\n'
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".part")
        partial.write_text(text, encoding="utf-8")
        partial.replace(self._path)


def described(used: Collection[str]) -> dict[str, Any]:
    """What stands in a file beside the scores, for these data sets."""
    return HOW | {
        "benchmarks": {
            each.name: {
                "title": each.title,
                "half": each.half,
                "family": each.family,
                "budgets": each.budgets,
                "classes": each.classes,
                "test": each.test,
                "metric": primary_metric("regression" if each.numbers else "classification").key,
            }
            for each in BENCHMARKS
            if each.name in used
        },
        "label_aware": sorted(each.name for each in (*METHODS, *ABLATIONS) if each.label_aware),
        "ablations": [each.name for each in ABLATIONS],
        "columns": ["dataset", "configuration", "budget", "seed", "value", "seconds"],
    }


def planned(benchmark: Benchmark, size: int, part: str) -> Iterator[tuple[Configuration, list[int]]]:
    """Configurations to measure on a data set with a pool of this size, and their budgets."""
    if part != "ablations":
        for configuration in METHODS:
            yardstick = configuration.name in YARDSTICKS
            yield configuration, curve(benchmark, size) if yardstick else list(benchmark.budgets)
    if part != "methods" and benchmark.name in ABLATED:
        yield from ((configuration, [benchmark.budgets[1]]) for configuration in ABLATIONS)


def steps(chosen: Sequence[Benchmark], seeds: int, shard: int, shards: int) -> list[tuple[int, Benchmark]]:
    """What one of several processes measures: (seed, data set) dealt out so that each gets every data set."""
    return [
        (seed, benchmark)
        for seed in range(seeds)
        for place, benchmark in enumerate(chosen)
        if (seed + place) % shards == shard - 1
    ]


def run(study: Study, folder: Path, todo: Sequence[tuple[int, Benchmark]], part: str) -> None:
    """Measure what is missing, and save after every data set and seed."""
    for seed, benchmark in todo:
        began, spent = time.perf_counter(), time.process_time()
        try:
            drawn = Draw(benchmark, folder, seed)
        except FileNotFoundError as error:
            sys.stderr.write(f"{benchmark.title} left out: {error}\n")
            continue
        for configuration, budgets in planned(benchmark, drawn.dataset.pool_size, part):
            if drawn.takes(configuration):
                study.measure(drawn, configuration, budgets, seed)
        study.save()
        wall, own = time.perf_counter() - began, time.process_time() - spent
        sys.stderr.write(f"seed {seed} {benchmark.name}: {wall:.0f} s, {own:.0f} s of them at work\n")


def shard_of(text: str) -> tuple[int, int]:
    shard, _, shards = text.partition("/")
    if not (shard.isdigit() and shards.isdigit() and 1 <= int(shard) <= int(shards)):
        raise argparse.ArgumentTypeError(f"{text!r} is no shard; give one like 1/2")
    return int(shard), int(shards)


def main() -> None:
    """Measure what is missing, or merge what several processes measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the npz files")
    parser.add_argument("--out", type=Path, default=Path("assets/benchmarks/evidence.json"))
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--only", nargs="+", default=[each.name for each in BENCHMARKS])
    parser.add_argument("--part", choices=["all", "methods", "ablations"], default="all")
    parser.add_argument("--shard", type=shard_of, default=(1, 1), metavar="K/M", help="measure the K-th of M parts")
    parser.add_argument("--merge", nargs="+", type=Path, default=[], metavar="FILE", help="put these into a new --out")
    options = parser.parse_args()
    study = Study(options.out, anew=bool(options.merge))
    if options.merge:
        for path in options.merge:
            study.take(Study(path))
        study.save()
        return
    warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")
    chosen = [each for each in BENCHMARKS if each.name in options.only]
    run(study, options.data, steps(chosen, options.seeds, *options.shard), options.part)


if __name__ == "__main__":
    main()
