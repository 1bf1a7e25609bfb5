"""The numbers of the Overview's sentence: what SkMM saves on handwritten digits, over many splits of them.

    python -m tests.bench.digits_splits

writes `assets/benchmarks/digits-splits.json` in some ten minutes. Every split draws pool and test rows anew, in
proportion to the classes. The strength of the probe is chosen inside the chosen points, so no label beside theirs is
read before the test.
"""

import argparse
import json
import platform
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import sklearn
import torch

from dashboard.services import demo, figures
from skmm_core.comparison import Comparison, summarise
from skmm_core.comparison.splits import compare_splits, split_savings
from skmm_core.config import CompareJob, SketchParams
from skmm_core.data import Dataset, load_dataset
from skmm_core.probes import primary_metric
from skmm_core.progress import Progress
from skmm_core.storage import write_text

SOURCE = "digits:seed={split},validation=no"
BUDGETS = (30, 60, 90, 140, 210)
SPLITS, SEEDS = 20, 8
METRIC = primary_metric("classification").key
_COLUMNS = ("split", "method", "budget", "seed", "value")


def load(split: int) -> Dataset:
    """The digits in one of the splits."""
    return load_dataset(SOURCE.format(split=split))


def measure(splits: Sequence[int], *, budgets: tuple[int, ...] = BUDGETS, seeds: int = SEEDS) -> dict[int, Comparison]:
    """Score the method of the Overview and random picks on splits."""
    # every split is a pool of its own, so its seeds draw no parts of it
    job = CompareJob(
        methods=(demo.METHOD, "uniform"), budgets=budgets, seeds=seeds, fixed_pool=True, learners=("linear",)
    )
    return compare_splits(load, splits, job, sketch=SketchParams(), device="cpu", report=_tell)


def _tell(progress: Progress) -> None:
    if progress.step == progress.total:
        sys.stderr.write(f"{progress.phase}\n")


def record(found: Mapping[int, Comparison], *, seeds: int = SEEDS) -> dict[str, Any]:
    """What is written: the savings that the page reads, all scores that they are made of, and where these are from."""
    dataset = load(0)
    rows = pd.concat([each.scores.assign(split=split) for split, each in found.items()])
    rows = rows[rows["metric"] == METRIC]
    return {
        "made_by": "python -m tests.bench.digits_splits",
        "versions": {
            "python": platform.python_version(),
            **{each.__name__: each.__version__ for each in (np, sklearn, torch)},
        },
        "source": SOURCE,
        "pool": dataset.pool_size,
        "test": len(dataset.split.test),
        "validation_rows": len(dataset.split.validation),
        "method": demo.METHOD,
        "budget": demo.BUDGET,
        "seeds": seeds,
        "metric": METRIC,
        "savings": kept(split_savings(found, demo.METHOD, demo.BUDGET)),
        "full": {split: each.full[METRIC] for split, each in found.items()},
        "columns": _COLUMNS,
        "scores": rows[list(_COLUMNS)].values.tolist(),
    }


def kept(savings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of each row what a page needs; whether a split by itself proves anything is not the question here."""
    return [
        {name: row[name] for name in ("split", "budget", "score", "uniform_budget", "factor", "relation", "bound")}
        for row in savings
    ]


def again(made: Mapping[str, Any]) -> dict[int, Comparison]:
    """The comparisons of a record, summarised anew from its scores."""
    scores = pd.DataFrame(made["scores"], columns=made["columns"])
    scores = scores.assign(metric=made["metric"], dataset="digits", seconds=0.0)
    return {
        int(str(split)): summarise(rows.assign(split="test"), {}, "classification")
        for split, rows in scores.groupby("split")
    }


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=SPLITS)
    torch.set_num_threads(1)
    made = record(measure(range(parser.parse_args().splits)))
    scores = ",\n".join(json.dumps(row) for row in made.pop("scores"))
    head = json.dumps(made, indent=1)
    write_text(figures.digits_splits_file(), f'{head[:-2]},\n "scores": [\n{scores}\n ]\n}}\n')


if __name__ == "__main__":
    main()
