"""Pick, label, pick again: how methods do in five rounds on data of which every label is known.

    OMP_NUM_THREADS=1 python -m tests.bench.rounds_study --data FOLDER --work FOLDER   # some ten minutes on one core
    python -m tests.bench.evidence_page

writes `assets/benchmarks/rounds.json`, of which the page makes a section. It is `compare --rounds 5` on one draw of
each data set, in ten parts without a common row; called again with the same work folder, it continues.
"""

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from skmm_core.comparison import (
    Comparison,
    ScoreTable,
    compare,
    compared,
    holm,
    round_budgets,
    verdict,
)
from skmm_core.config import CompareJob, SketchParams
from skmm_core.probes import primary_metric
from skmm_core.storage import write_text
from tests.bench.evidence_data import BENCHMARKS, Benchmark, draw

SOURCE = Path(__file__).resolve().parents[2] / "assets/benchmarks/rounds.json"
ROUNDS, LEARNER = 5, "linear"
SEEDS = 10  # with eight, no test of seven methods could fall below .05 after Holm
COVER = "skmm_cover"
MODELS = ("margin", "entropy", "badge", "u_herding", "dropquery")  # these ask a head trained on the labels so far
METHODS = ("uniform", COVER, "typiclust", *MODELS)
METRIC = primary_metric("classification").key
# data set: points after the last round, rows of the pool, test rows
SIZES = {
    "digits": (50, 1400, 397),
    "cifar": (100, 10_000, 2000),
    "flowers_mobilenet": (50, 2400, 717),
    "fashion": (100, 8000, 2000),
}
_KEPT = ["method", "budget", "mean", "lo", "hi", "vs_uniform", "vs_lo", "vs_hi", "wins", "p_holm"]


def measure(benchmark: Benchmark, data: Path, work: Path, *, seeds: int = SEEDS) -> dict[str, Any]:
    """The comparison on one data set, and every method that asks a model beside coverage without labels."""
    most, pool, test = SIZES[benchmark.name]
    dataset = draw(dataclasses.replace(benchmark, pool=pool, test=test), data, 0)
    ends = round_budgets((most,), ROUNDS)
    job = CompareJob(methods=METHODS, budgets=ends, rounds=ROUNDS, seeds=seeds, learners=(LEARNER,))
    found = compare(dataset, job, sketch=SketchParams(), device="cpu", folder=work / benchmark.name)
    summary = found.summary[found.summary["metric"] == METRIC][_KEPT]
    scores = found.scores[found.scores["metric"] == METRIC]
    return {
        "title": benchmark.title,
        "pool": dataset.pool_size,
        "test": len(dataset.split.test),
        "ends": list(ends),
        "full": round(found.full[METRIC], 6),
        "claim": found.claim,
        "summary": _rounded(json.loads(summary.to_json(orient="records"))),
        "beside_cover": _rounded(beside_cover(found, ends)),
        "savings": [
            {name: row[name] for name in ("method", "budget", "factor", "relation", "bound", "tie")}
            for row in found.savings
            if row["budget"] == most
        ],
        "scores": [[row.method, row.budget, row.seed, round(row.value, 6)] for row in scores.itertuples()],
    }


def beside_cover(found: Comparison, ends: tuple[int, ...]) -> list[dict[str, Any]]:
    """Paired differences of the methods that ask a model from coverage; p-values are corrected within a round."""
    table, rows = ScoreTable(found.scores, METRIC), []
    for end in ends:
        cover, family = table.get(COVER, end), []
        for method in MODELS:
            mine = table.get(method, end)
            if mine is not None and cover is not None:
                pair = compared(mine, cover, higher_is_better=True)
                gap = pair.difference
                family.append(
                    {"method": method, "budget": end, "gap": gap.mean, "lo": gap.lo, "hi": gap.hi, "p": pair.p}
                )
        for row, adjusted in zip(family, holm([row["p"] for row in family]), strict=True):
            row["p"] = float(adjusted)
            row["verdict"] = verdict(row["lo"], row["hi"], row["p"], higher_is_better=True).value
        rows += family
    return rows


def _rounded(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: round(v, 6) if isinstance(v, float) else v for name, v in row.items()} for row in rows]


def save(path: Path, found: dict[str, Any]) -> None:
    """One line a score."""
    about = {"made_by": "python -m tests.bench.rounds_study", "rounds": ROUNDS, "seeds": SEEDS, "learner": LEARNER}
    about |= {"metric": METRIC, "versions": {each.__name__: each.__version__ for each in (np, torch)}}
    parts = []
    for name, each in found.items():
        rows = {key: ",\n  ".join(json.dumps(row) for row in each[key]) for key in _LISTS}
        head = json.dumps({key: value for key, value in each.items() if key not in _LISTS})
        parts.append(f'"{name}": {head[:-1]}' + "".join(f', "{key}": [\n  {rows[key]}]' for key in _LISTS) + "}")
    write_text(path, f'{json.dumps(about)[:-1]},\n"data": {{\n' + ",\n".join(parts) + "\n}}\n")


_LISTS = ("summary", "beside_cover", "savings", "scores")


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the npz files")
    parser.add_argument("--work", type=Path, required=True, help="folder of the scores so far")
    parser.add_argument("--out", type=Path, default=SOURCE)
    parser.add_argument("--only", nargs="+", default=list(SIZES))
    options = parser.parse_args()
    torch.set_num_threads(1)
    named, found = {benchmark.name: benchmark for benchmark in BENCHMARKS}, {}
    for name in options.only:
        began = time.perf_counter()
        found[name] = measure(named[name], options.data, options.work)
        sys.stderr.write(f"{name}: {time.perf_counter() - began:.0f} s\n")
        save(options.out, found)


if __name__ == "__main__":
    main()
