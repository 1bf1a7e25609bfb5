"""From the cells of `evidence.json` to what the evidence page says: ranks, factors and paired tests of each league."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skmm_core.comparison.ranks import Friedman, critical_difference, friedman, ranks
from skmm_core.comparison.savings import Relation, data_saving
from skmm_core.comparison.statistics import Paired, holm, paired_difference

OURS = "skmm"
CLASSES, NUMBERS = "accuracy", "mae"  # metrics


@dataclass(frozen=True)
class Factor:
    """How many times as many points a reference needs; `known` is False where its curve does not reach so far."""

    value: float
    known: bool


@dataclass(frozen=True)
class Standing:
    """A method in its league.

    Attributes:
        rank: mean rank over data sets, budgets and seeds; 1 is best.
        better, tied, worse: cells (data set and budget) by the paired interval against the reference.
        p: sign-flip test over data sets of how much better its mean rank is than the reference's, corrected after
            Holm over the methods; 1 for the reference.
    """

    rank: float
    better: int
    tied: int
    worse: int
    p: float


class Evidence:
    """Scores with their sides: larger is better in `signed`, whatever the metric."""

    def __init__(self, about: dict[str, Any]) -> None:
        """Take the parsed file."""
        self.about = about
        scores = pd.DataFrame(about["scores"], columns=about["columns"])
        sides = {name: -1.0 if each["metric"] == "mae" else 1.0 for name, each in about["benchmarks"].items()}
        self.scores = scores.assign(signed=scores["value"] * scores["dataset"].map(sides))
        self.aware = set(about["label_aware"])
        self.ablations = set(about["ablations"])

    @classmethod
    def read(cls, path: Path) -> "Evidence":
        """Read the file that `evidence` wrote."""
        return cls(json.loads(path.read_text(encoding="utf-8")))

    @cached_property
    def cells(self) -> dict[tuple[str, str, int], "pd.Series[float]"]:
        """(data set, configuration, budget) -> signed score by seed."""
        grouped = self.scores.groupby(["dataset", "configuration", "budget"])
        return {
            (str(key[0]), str(key[1]), int(key[2])): group.set_index("seed")["signed"].sort_index()
            for key, group in ((tuple(key), group) for key, group in grouped)  # type: ignore[arg-type]
        }

    def datasets(self, *, half: str | None = None, metric: str | None = None) -> list[str]:
        """Data sets of a half, or of all, with a metric, or any."""
        return [
            name
            for name, each in self.about["benchmarks"].items()
            if half in (None, each["half"]) and metric in (None, each["metric"])
        ]

    def budgets(self, dataset: str, *, low: bool = False) -> list[int]:
        """Budgets of a data set; the low ones are the lower half, the middle one among them."""
        every = list(self.about["benchmarks"][dataset]["budgets"])
        return every[: (len(every) + 1) // 2] if low else every

    def methods(self, datasets: Sequence[str], *, aware: bool) -> list[str]:
        """Configurations of a league that ran on all of these data sets, uniform first."""
        names = [n for n in dict.fromkeys(self.scores["configuration"]) if n not in self.ablations]
        mine = [n for n in names if (n in self.aware) == aware and n != "uniform"]
        everywhere = [n for n in mine if all((d, n, b) in self.cells for d in datasets for b in self.budgets(d))]
        return ["uniform", *sorted(everywhere)]

    def blocks(self, datasets: Sequence[str], methods: Sequence[str]) -> pd.DataFrame:
        """Signed scores, one row a (data set, budget, seed) that all methods have, one column a method."""
        found = []
        for dataset in datasets:
            for budget in self.budgets(dataset):
                wide = pd.DataFrame({method: self.cells[dataset, method, budget] for method in methods}).dropna()
                found.append(wide.assign(dataset=dataset, budget=budget))
        return pd.concat(found)

    def standings(self, datasets: Sequence[str], methods: Sequence[str], reference: str) -> dict[str, Standing]:
        """Mean rank and paired verdicts of every method."""
        blocks = self.blocks(datasets, methods)
        mean = ranks(blocks[list(methods)].to_numpy(), higher_is_better=True).mean(axis=0)
        counts = {method: [0, 0, 0] for method in methods}
        for dataset in datasets:
            for budget in self.budgets(dataset):
                for method, pair in self.pairs(dataset, methods, reference, budget).items():
                    sure = pair.difference.lo > 0 or pair.difference.hi < 0
                    counts[method][1 if not sure else 0 if pair.difference.mean > 0 else 2] += 1
        p_values = self.tests_over_datasets(datasets, methods, reference)
        return {m: Standing(float(r), *counts[m], p_values.get(m, 1.0)) for m, r in zip(methods, mean, strict=True)}

    def tests_over_datasets(self, datasets: Sequence[str], methods: Sequence[str], reference: str) -> dict[str, float]:
        """Paired by data set: with few seeds no test within one data set survives a correction over many methods."""
        by_dataset = self.ranked(datasets, methods)
        others = [method for method in methods if method != reference]
        found = [
            paired_difference(by_dataset[method], by_dataset[reference], higher_is_better=False).p for method in others
        ]
        return dict(zip(others, map(float, holm(found)), strict=True))

    def ranked(self, datasets: Sequence[str], methods: Sequence[str]) -> pd.DataFrame:
        """Mean rank by data set (rows) and method (columns), over budgets and seeds."""
        blocks = self.blocks(datasets, methods)
        blocks[list(methods)] = ranks(blocks[list(methods)].to_numpy(), higher_is_better=True)
        return blocks.groupby("dataset")[list(methods)].mean()

    def pairs(self, dataset: str, methods: Sequence[str], reference: str, budget: int) -> dict[str, Paired]:
        """Every other method against the reference, seed by seed, with p corrected after Holm over the methods."""
        others = [method for method in methods if method != reference]
        found = []
        for method in others:
            both = pd.DataFrame(
                {"mine": self.cells[dataset, method, budget], "theirs": self.cells[dataset, reference, budget]}
            ).dropna()
            found.append(paired_difference(both["mine"], both["theirs"], higher_is_better=True))
        corrected = holm([pair.p for pair in found]) if found else []
        return {
            method: Paired(pair.difference, pair.wins, pair.pairs, float(p))
            for method, pair, p in zip(others, found, corrected, strict=True)
        }

    def best_baseline(self, dataset: str, methods: Sequence[str], budget: int) -> str:
        """The method with the best mean that is not ours."""
        rivals = [method for method in methods if not method.startswith(OURS)]
        return max(rivals, key=lambda method: float(self.cells[dataset, method, budget].mean()))

    def factor(self, dataset: str, method: str, budget: int, reference: str) -> Factor:
        """Points that the reference needs for the method's score over the method's own points."""
        mine = self.cells[dataset, method, budget]
        own, other = (self._curve(dataset, each, mine.index) for each in (method, reference))
        sides = (side for curve in (own, other) for side in (curve.columns.to_numpy(), curve.to_numpy().T))
        saving = data_saving(budget, *sides, higher_is_better=True)
        if saving.factor is not None:
            return Factor(saving.factor, True)
        if saving.relation is Relation.SATURATED:
            return Factor(1.0, False)
        return Factor(float(saving.bound or budget) / budget, False)

    def _curve(self, dataset: str, method: str, seeds: "pd.Index[Any]") -> pd.DataFrame:
        """Signed scores, one row a seed, one column a budget for which there are all of these seeds."""
        curve = {b: s for (d, c, b), s in sorted(self.cells.items()) if (d, c) == (dataset, method)}
        return pd.DataFrame(curve).loc[seeds].dropna(axis=1)

    def mean_factor(self, datasets: Sequence[str], method: str, reference: str) -> Factor:
        """Geometric mean over the low budgets of a data set, then over data sets."""
        every = [
            [self.factor(dataset, method, budget, reference) for budget in self.budgets(dataset, low=True)]
            for dataset in datasets
        ]
        logs = [float(np.mean([np.log(each.value) for each in mine])) for mine in every]
        return Factor(float(np.exp(np.mean(logs))), all(each.known for mine in every for each in mine))

    def friedman(self, datasets: Sequence[str], methods: Sequence[str]) -> tuple[Friedman, float, dict[str, float]]:
        """Test, critical difference and mean ranks, with data sets as blocks, whose budgets and seeds are averaged."""
        again = ranks(self.ranked(datasets, methods).to_numpy(), higher_is_better=False)
        mean = dict(zip(methods, map(float, again.mean(axis=0)), strict=True))
        return friedman(again), critical_difference(len(methods), len(datasets)), mean
