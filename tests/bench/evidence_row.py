"""Measure one row of the evidence anew, and say whether it comes out as it stands there.

    python -m tests.bench.evidence_row cars_odd skmm_cover --data FOLDER

Scores of the method at its budgets and uniform's curve are measured on the same draws as the committed ones, or, with
`--first-seed 100`, on new ones. It takes one to two minutes on one core.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from skmm_core.comparison.statistics import Interval, bootstrap_interval
from tests.bench.evidence import METHODS, Draw, curve, described
from tests.bench.evidence_data import BENCHMARKS
from tests.bench.evidence_page import SOURCE
from tests.bench.evidence_tables import Evidence
from tests.bench.evidence_words import factor_text, score_text


def measured(dataset: str, method: str, folder: Path, seeds: range) -> Evidence:
    """Scores of a method and of uniform on one data set."""
    benchmark = next(each for each in BENCHMARKS if each.name == dataset)
    wanted = {each.name: each for each in METHODS if each.name in (method, "uniform")}
    rows: list[list[Any]] = []
    for seed in seeds:
        drawn = Draw(benchmark, folder, seed)
        for name, configuration in wanted.items():
            every = curve(benchmark, len(drawn.dataset.split.train))
            for budget in every if name == "uniform" else benchmark.budgets:
                value, seconds = drawn.score(configuration, budget)
                rows.append([dataset, name, budget, seed, value, seconds])
    return Evidence(described({dataset}) | {"scores": rows})


def rows_of(anew: Evidence, committed: Evidence, dataset: str, method: str) -> list[tuple[str, bool]]:
    """A line for every budget, and whether the new mean lies in the committed interval or their intervals meet."""
    found = []
    for budget in committed.budgets(dataset):
        metric = committed.about["benchmarks"][dataset]["metric"]
        now, then = (bootstrap_interval(each.cells[dataset, method, budget]) for each in (anew, committed))
        factors = [factor_text(each.factor(dataset, method, budget, "uniform")) for each in (anew, committed)]
        agrees = then.lo <= now.hi and now.lo <= then.hi
        texts = [_text(each, metric) for each in (now, then)]
        line = f"n = {budget}: {texts[0]}, × uniform {factors[0]}; in the evidence {texts[1]}, × uniform {factors[1]}"
        found.append((f"{line}: {'agrees' if agrees else 'DIFFERS'}", agrees))
    return found


def _text(found: Interval, metric: str) -> str:
    ends = sorted([found.lo, found.hi], key=abs)
    return f"{score_text(found.mean, metric)} [{score_text(ends[0], metric)}, {score_text(ends[1], metric)}]"


def main() -> None:
    """Print the row; ends with 1 where it differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", choices=[each.name for each in BENCHMARKS])
    parser.add_argument("method", choices=[each.name for each in METHODS if each.name != "uniform"])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the npz files")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--first-seed", type=int, default=0)
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    anew = measured(options.dataset, options.method, options.data, seeds)
    found = rows_of(anew, Evidence.read(SOURCE), options.dataset, options.method)
    sys.stdout.write(
        "\n".join([f"{options.dataset}, {options.method}, {options.seeds} draws:", *(r for r, _ in found)])
    )
    sys.stdout.write("\n")
    sys.exit(0 if all(agrees for _, agrees in found) else 1)


if __name__ == "__main__":
    main()
