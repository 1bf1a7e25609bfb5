"""How well methods pick on the paper's Gaussian mixture: ridge risk, moment objective and trace score.

    python -m tests.bench.mixture                                            # the issue's four rows
    python -m tests.bench.mixture --c-s 1 .98 .95 --weights relative absolute  # explore SkMM's constants

Every row of the table is one configuration at one budget, over data seeds × run seeds. A run seed also draws the
sketch, so a configuration and its independently sampled counterpart share sketch and relaxed solution.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch

from skmm_core.data.builtin import gaussian_mixture
from skmm_core.data.builtin_list import GmmOptions
from skmm_core.methods.registry import select
from skmm_core.paper.mixture import SKETCH, PoolRidge
from skmm_core.pool.making import make_pool
from skmm_core.solvers.moments import trace_score, whitened_moment

SAMPLED = {"rounding": "sample", "polish": False}


@dataclass(frozen=True)
class Configuration:
    """One row of the table; `sampled` are the params of its independently sampled counterpart, if it has one."""

    name: str
    method: str
    params: Mapping[str, object]
    sampled: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Cell:
    """What one selection scored."""

    risk: float
    trace: float
    objective: float
    sampled_objective: float
    sampled_trace: float


def run_cells(
    configurations: list[Configuration], budgets: list[int], data_seeds: range, seeds: range
) -> Iterator[tuple[Configuration, int, Cell]]:
    """Select, fit and measure every configuration at every budget on every data seed with every run seed."""
    for data_seed in data_seeds:
        (features, *_), (targets, *_) = gaussian_mixture(GmmOptions(seed=data_seed))
        ridge = PoolRidge(features.double().numpy(), targets.double().numpy())
        for seed in seeds:
            pool = make_pool(features, sketch=SKETCH, seed=seed, device="cpu")
            for budget, configuration in product(budgets, configurations):
                found = select(pool, configuration.method, budget, params=configuration.params, seed=seed)
                sampled_objective = sampled_trace = math.nan
                if configuration.sampled is not None:
                    sampled = select(pool, configuration.method, budget, params=configuration.sampled, seed=seed)
                    sampled_objective = sampled.objective["rounded"]
                    sampled_trace = trace_score(whitened_moment(pool.moments, pool.sketched_rows(sampled.indices)))
                yield (
                    configuration,
                    budget,
                    Cell(
                        risk=ridge.risk(found.indices.numpy(), seed=seed) / ridge.full_risk,
                        trace=trace_score(whitened_moment(pool.moments, pool.sketched_rows(found.indices))),
                        objective=found.objective.get("rounded", math.nan),
                        sampled_objective=sampled_objective,
                        sampled_trace=sampled_trace,
                    ),
                )


def summarise(cells: list[Cell]) -> dict[str, float | None]:
    """Geometric mean of the risk over full-data risk, objectives and trace scores of one row of the table."""
    risks, traces, objectives, sampled, sampled_traces = np.array(
        [(c.risk, c.trace, c.objective, c.sampled_objective, c.sampled_trace) for c in cells]
    ).T
    figures = {
        "cells": len(cells),
        "risk_ratio": float(np.exp(np.log(risks).mean())),
        "trace_median": float(np.median(traces)),
        "sampled_trace_median": float(np.median(sampled_traces)),
        "unseen": int(np.isinf(traces).sum()),
        "objective_mean": float(objectives.mean()),
        "sampled_objective_mean": float(sampled.mean()),
        "objective_lower": float((objectives < sampled).mean()) if np.isfinite(sampled).all() else math.nan,
    }
    return {name: figure if math.isfinite(figure) else None for name, figure in figures.items()}


def configurations(options: argparse.Namespace) -> list[Configuration]:
    """The issue's rows, or the asked grid of SkMM constants beside uniform and the kernel."""
    uniform, kernel = Configuration("uniform", "uniform", {}), Configuration("skmm_kernel", "skmm_kernel", {})
    grid: dict[str, list[object]] = {
        key: values for key in ("c_s", "weights", "rounding") if (values := getattr(options, key)) is not None
    }
    if not grid:
        default = Configuration("skmm", "skmm", {}, SAMPLED)
        return [uniform, Configuration("skmm sampled", "skmm", SAMPLED, SAMPLED), default, kernel]
    rows = []
    for values in product(*grid.values()):
        params = dict(zip(grid, values, strict=True))
        name = "skmm " + " ".join(f"{key}={value}" for key, value in params.items())
        rows.append(Configuration(name, "skmm", params, {**params, **SAMPLED}))
    return [uniform, *rows, kernel]


def main() -> None:
    """Run the table and write JSON, then text, to standard output."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--c-s", type=float, nargs="+")
    parser.add_argument("--weights", nargs="+", choices=["relative", "absolute"])
    parser.add_argument("--rounding", nargs="+", choices=["matched", "balanced", "sample", "top"])
    parser.add_argument("--budgets", type=int, nargs="+", default=[48, 64, 80])
    parser.add_argument("--data-seeds", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=8)
    options = parser.parse_args()
    rows = configurations(options)
    cells: dict[tuple[str, int], list[Cell]] = {}
    for row, budget, cell in run_cells(rows, options.budgets, range(options.data_seeds), range(options.seeds)):
        cells.setdefault((row.name, budget), []).append(cell)
    table = [
        {"configuration": row.name, "budget": budget, **summarise(cells[row.name, budget])}
        for row, budget in product(rows, options.budgets)
    ]
    sys.stdout.write(
        json.dumps({"torch": torch.__version__, "sketch_dim": SKETCH.dim, "table": table}, indent=1) + "\n"
    )
    width = max(len(row.name) for row in rows)
    columns = list(table[0])[2:]
    sys.stdout.write(" ".join([f"{'configuration':{width}} {'n':>4}", *(f"{c:>22}" for c in columns)]) + "\n")
    for line in table:
        values = " ".join(f"{line[c]:>22.4g}" if line[c] is not None else f"{'-':>22}" for c in columns)
        sys.stdout.write(f"{line['configuration']:{width}} {line['budget']:>4} {values}\n")


if __name__ == "__main__":
    main()
