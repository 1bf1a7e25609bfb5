"""How often a comparison calls a method better or worse that is not: methods that pick rows for no good reason.

    python -m tests.bench.null_comparisons --repetitions 400 --out assets/benchmarks/null-comparisons.json

Every repetition draws a pool and test rows anew from all rows of the digits and compares with the real probe. The
methods are equal to uniform by construction: fixed ones take the rows with the smallest hash of their content, so they
always pick the same from the same rows, as deterministic methods do; random ones draw. Both claims are tried, about
data like these and about this very pool, and one method alone as well as several with Holm's correction.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from skmm_core.comparison.cells import compare
from skmm_core.comparison.summary import REFERENCE, Comparison, Verdict, verdict
from skmm_core.config import CompareJob, SketchParams
from skmm_core.data.dataset import Dataset, Split, content_fingerprint
from skmm_core.data.load import load_dataset
from skmm_core.methods import registry
from skmm_core.methods.registry import Family, Picks, register
from skmm_core.methods.spec import NoParams
from skmm_core.pool.pool import Pool
from skmm_core.probes.metrics import Metric, primary_metric
from skmm_core.storage.writing import write_json

Draw = Callable[[np.random.Generator], Dataset]
METHODS = 4


@dataclasses.dataclass(frozen=True)
class Rates:
    """Of so many repetitions, those in which any method was called better, or worse."""

    repetitions: int
    better: int
    worse: int


@contextmanager
def null_methods(salt: int) -> Iterator[None]:
    """Register `fixed_0` … and `random_0` …, which pick by a hash of the rows, and by chance."""
    registry.list_own_methods()
    known = dict(registry._REGISTRY)
    try:
        for number in range(METHODS):
            for kind in ("fixed", "random"):
                register(
                    key=f"{kind}_{number}",
                    title=f"{kind} {number}",
                    family=Family.SAMPLING,
                    summary="Picks for no good reason.",
                    paper="None",
                    url="https://example.org",
                    params=NoParams,
                    random=kind == "random",
                )(_picker(kind == "random", salt, number))
        yield
    finally:
        registry._REGISTRY.clear()
        registry._REGISTRY.update(known)


def _picker(random: bool, salt: int, number: int) -> Any:
    def pick(pool: Pool, budget: int, params: NoParams, *, seed: int, report: Any) -> Picks:
        draw = np.random.default_rng([salt, number, seed] if random else [salt, number])
        if random:
            return Picks(torch.from_numpy(draw.permutation(pool.size)[:budget]))
        # the digits after the first few of a projection are as good as random, and depend on nothing but the row
        hashes = (pool.features.double().numpy() @ draw.normal(size=pool.features.shape[1])) * 1e5 % 1
        return Picks(torch.from_numpy(np.argsort(hashes, kind="stable")[:budget]))

    return pick


def comparisons(
    draw: Draw, *, kind: str, methods: int, budget: int, seeds: int, fixed_pool: bool, repetitions: int, start: int = 0
) -> Iterator[Comparison]:
    """Compare that many times, each time on data drawn anew.

    Args:
        draw: makes a dataset.
        kind: "fixed" or "random".
        methods: that are compared together.
        budget: points picked.
        seeds: of each comparison.
        fixed_pool: which claim.
        repetitions: number of comparisons.
        start: of the seeds of the repetitions.
    """
    keys = tuple(f"{kind}_{number}" for number in range(methods))
    job = CompareJob(methods=keys, budgets=(budget,), seeds=seeds, fixed_pool=fixed_pool, learners=("linear",))
    for repetition in range(start, start + repetitions):
        dataset = draw(np.random.default_rng([repetition, 1]))
        with null_methods(repetition):
            yield compare(dataset, job, sketch=SketchParams(kind="none"), device="cpu")


def counted(found: Iterable[Comparison], metric: Metric) -> Rates:
    """Count in how many comparisons any method is called better, or worse."""
    repetitions = better = worse = 0
    for each in found:
        rows = each.summary[(each.summary["metric"] == metric.key) & (each.summary["method"] != REFERENCE)]
        said = {
            verdict(row.vs_lo, row.vs_hi, row.p_holm, higher_is_better=metric.higher_is_better)
            for row in rows.itertuples()
        }
        repetitions, better, worse = (
            repetitions + 1, better + (Verdict.BETTER in said), worse + (Verdict.WORSE in said),
        )  # fmt: skip
    return Rates(repetitions, better, worse)


def resplit(whole: Dataset, pool_size: int, test_size: int) -> Draw:
    """Draw a pool and test rows from all rows of a dataset; no row is for validation."""

    def draw(random: np.random.Generator) -> Dataset:
        order = torch.from_numpy(random.permutation(len(whole.ids)))
        split = Split(order[:pool_size], order[:0], order[pool_size : pool_size + test_size])
        fingerprint = content_fingerprint(whole.features[:1], None, (), split)
        return dataclasses.replace(whole, split=split, fingerprint=fingerprint)

    return draw


def main() -> None:
    """Run all claims and write the rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=400)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--budget", type=int, default=50)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    draw, metric = resplit(load_dataset("digits"), 1078, 360), primary_metric("classification")
    rows = []
    for fixed_pool in (False, True):
        for kind in ("fixed", "random"):
            for methods in (1, METHODS):
                setting = {"kind": kind, "methods": methods, "fixed_pool": fixed_pool}
                asked = {"budget": options.budget, "seeds": options.seeds, "repetitions": options.repetitions}
                found = counted(comparisons(draw, **setting, **asked, start=options.start), metric)
                rows.append({**setting, **dataclasses.asdict(found)})
                sys.stdout.write(json.dumps(rows[-1]) + "\n")
                sys.stdout.flush()
    if options.out:
        write_json(options.out, {"dataset": "digits", "budget": options.budget, "seeds": options.seeds, "rows": rows})


if __name__ == "__main__":
    main()
