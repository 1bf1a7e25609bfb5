"""Score the picks of the defaults and of their nearest rivals under every learner, on the draws of the evidence.

    python -m tests.bench.learner_study --data FOLDER

or in several processes, each with a file of its own, one thread each, as `tests.bench.evidence` is run:

    OMP_NUM_THREADS=1 python -m tests.bench.learner_study --data FOLDER --shard 1/2 --out ONE &
    OMP_NUM_THREADS=1 python -m tests.bench.learner_study --data FOLDER --shard 2/2 --out TWO
    python -m tests.bench.learner_study --merge ONE TWO

writes `assets/benchmarks/learners.json`, which `python -m tests.bench.evidence_page` makes a part of the evidence of.
Scores under the linear probe are those of `evidence.json`: a seed draws the same rows in both.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skmm_core.methods.registry import get_method, select
from skmm_core.probes.learners import LINEAR, cheap_learners
from skmm_core.probes.metrics import primary_metric
from skmm_core.probes.pool_learners import score_learner
from skmm_core.storage.writing import write_text
from tests.bench.evidence import HOW, Configuration, Draw, shard_of, steps
from tests.bench.evidence_data import BENCHMARKS, Benchmark

SOURCE = Path(__file__).resolve().parents[2] / "assets/benchmarks/learners.json"
METHODS = ("uniform", "skmm_cover", "facility_location", "max_herding", "typiclust", "uniform_stratified", "skmm_fit")
# one data set of every kind that learners can tell apart: no variants with a long tail or wrong labels, no mixtures
DATASETS = (
    *("flowers_mobilenet", "flowers_efficientnet", "cifar", "cars_even", "cars_odd", "digits", "fashion"),
    *("fashion_network", "ages", "years_even", "years_odd", "table", "diabetes", "california"),
)
COLUMNS = ["dataset", "method", "learner", "budget", "seed", "value", "settled"]


def measure(benchmark: Benchmark, folder: Path, seed: int) -> Iterator[list[Any]]:
    """Rows of one draw."""
    drawn = Draw(benchmark, folder, seed)
    dataset, task = drawn.dataset, drawn.dataset.task.value
    for method in METHODS:
        if get_method(method).missing(dataset.task) or (method == "uniform_stratified" and not dataset.n_classes):
            continue
        pool = drawn.pool(Configuration(method, method))
        for budget in benchmark.budgets:
            picks = select(pool, method, budget, seed=seed).indices
            for learner in cheap_learners(task):
                if learner != LINEAR:
                    found = score_learner(dataset, picks, learner)
                    value = round(found.metrics[primary_metric(task).key], 6)
                    yield [benchmark.name, method, learner, budget, seed, value, found.settled]


def save(path: Path, rows: list[list[Any]]) -> None:
    """One line a score."""
    about = json.dumps(HOW | {"columns": COLUMNS}, indent=1)
    lines = ",\n".join(json.dumps(row) for row in sorted(rows, key=lambda row: (row[0], row[4], *row[1:4])))
    write_text(path, f'{about[:-2]},\n "scores": [\n{lines}\n]\n}}\n')


def main() -> None:
    """Measure, or merge what several processes measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the npz files")
    parser.add_argument("--out", type=Path, default=SOURCE)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--only", nargs="+", default=list(DATASETS))
    parser.add_argument("--shard", type=shard_of, default=(1, 1), metavar="K/M", help="measure the K-th of M parts")
    parser.add_argument("--merge", nargs="+", type=Path, default=[], metavar="FILE", help="put these into --out")
    options = parser.parse_args()
    if options.merge:
        save(options.out, [row for path in options.merge for row in json.loads(path.read_text("utf-8"))["scores"]])
        return
    rows: list[list[Any]] = []
    for seed, benchmark in steps([b for b in BENCHMARKS if b.name in options.only], options.seeds, *options.shard):
        began = time.perf_counter()
        rows += measure(benchmark, options.data, seed)
        save(options.out, rows)
        sys.stderr.write(f"seed {seed} {benchmark.name}: {time.perf_counter() - began:.0f} s\n")


if __name__ == "__main__":
    main()
