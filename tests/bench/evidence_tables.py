"""From the cells of `evidence.json` to what the evidence page says: ranks, factors and paired tests of each league.

Data sets of one family are averaged before anything is compared: see `skmm_core.comparison.families`.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skmm_core.comparison.families import family_means, student_interval
from skmm_core.comparison.ranks import Friedman, critical_difference, friedman, ranks
from skmm_core.comparison.savings import Relation, Saving, data_saving
from skmm_core.comparison.statistics import Interval, Paired, holm, paired_difference

OURS = "skmm"
CLASSES, NUMBERS = "accuracy", "mae"  # metrics
SURE = 0.05  # a p-value up to this is a claim


@dataclass(frozen=True)
class Factor:
    """How many times as many points a reference needs, on one data set at one budget.

    Attributes:
        value: the factor; where its relation is not ABOUT, the bound on it that was measured, or 1 when SATURATED.
        relation: how it is known.
        lo, hi: 95 % interval over seeds; None where it leaves the measured range.
    """

    value: float
    relation: Relation
    lo: float | None
    hi: float | None


@dataclass(frozen=True)
class MeanFactor:
    """Geometric mean of factors at the low budgets: within a data set, then a family, then over families.

    Attributes:
        value: bounds stand in for factors that are only bounded.
        lo, hi: Student's 95 % interval over families, of the logarithms; NaN with one family.
        families: how many there are.
        relations: how many of the factors are known in which way.
    """

    value: float
    lo: float
    hi: float
    families: int
    relations: Counter[Relation]


@dataclass(frozen=True)
class Standing:
    """A method in its league.

    Attributes:
        rank: mean over families of the mean rank over a family's data sets, budgets and seeds; 1 is best.
        better, tied, worse: families by :meth:`Evidence.verdict` against the reference.
        p: sign-flip test over families of how much better its mean rank is than the reference's, corrected after
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
        self._factors: dict[tuple[str, str, int, str], Factor] = {}
        self._ranked: dict[tuple[tuple[str, ...], tuple[str, ...]], pd.DataFrame] = {}
        self._verdicts: dict[tuple[tuple[str, ...], str, str], int] = {}

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

    @cached_property
    def _configurations(self) -> tuple[str, ...]:
        """All that ran, in the order of the scores."""
        return tuple(map(str, self.scores["configuration"].unique()))

    @cached_property
    def _curves(self) -> dict[tuple[str, str], pd.DataFrame]:
        """(data set, configuration) -> signed scores, one row a seed, one column a budget, ascending."""
        found: dict[tuple[str, str], dict[int, pd.Series[float]]] = {}
        for (dataset, configuration, budget), scores in sorted(self.cells.items(), key=lambda cell: cell[0]):
            found.setdefault((dataset, configuration), {})[budget] = scores
        return {key: pd.DataFrame(curve) for key, curve in found.items()}

    def datasets(self, *, half: str | None = None, metric: str | None = None) -> list[str]:
        """Data sets of a half, or of all, with a metric, or any."""
        return [
            name
            for name, each in self.about["benchmarks"].items()
            if half in (None, each["half"]) and metric in (None, each["metric"])
        ]

    def family(self, dataset: str) -> str:
        """Of a data set."""
        return str(self.about["benchmarks"][dataset]["family"])

    def families(self, datasets: Sequence[str]) -> dict[str, list[str]]:
        """The data sets of each family, in the order in which families first occur."""
        found: dict[str, list[str]] = {}
        for dataset in datasets:
            found.setdefault(self.family(dataset), []).append(dataset)
        return found

    def budgets(self, dataset: str, *, low: bool = False) -> list[int]:
        """Budgets of a data set; the low ones are the lower half, the middle one among them."""
        every = list(self.about["benchmarks"][dataset]["budgets"])
        return every[: (len(every) + 1) // 2] if low else every

    def methods(self, datasets: Sequence[str], *, aware: bool) -> list[str]:
        """Configurations of a league that ran on all of these data sets, uniform first."""
        names = [n for n in self._configurations if n not in self.ablations]
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

    def ranked(self, datasets: Sequence[str], methods: Sequence[str]) -> pd.DataFrame:
        """Mean rank by family (rows) and method (columns): over budgets and seeds, then over a family's data sets."""
        key = (tuple(datasets), tuple(methods))
        if key not in self._ranked:
            self._ranked[key] = self._mean_ranks(datasets, methods)
        return self._ranked[key]

    def _mean_ranks(self, datasets: Sequence[str], methods: Sequence[str]) -> pd.DataFrame:
        blocks = self.blocks(datasets, methods)
        blocks[list(methods)] = ranks(blocks[list(methods)].to_numpy(), higher_is_better=True)
        by_dataset = blocks.groupby("dataset")[list(methods)].mean().loc[list(datasets)]
        means = family_means(by_dataset, [self.family(dataset) for dataset in datasets])
        return pd.DataFrame(means, index=list(self.families(datasets)), columns=list(methods))

    def standings(self, datasets: Sequence[str], methods: Sequence[str], reference: str) -> dict[str, Standing]:
        """Mean rank over families, verdicts by family and the test over families of every method."""
        mean = self.ranked(datasets, methods).mean()
        p_values = self.tests_over_families(datasets, methods, reference)
        found = {}
        for method in methods:
            verdicts = Counter(
                self.verdict(mine, method, reference) if method != reference else 0
                for mine in self.families(datasets).values()
            )
            counts = (verdicts[1], verdicts[0], verdicts[-1])
            found[method] = Standing(float(mean[method]), *counts, p_values.get(method, 1.0))
        return found

    def tests_over_families(self, datasets: Sequence[str], methods: Sequence[str], reference: str) -> dict[str, float]:
        """p-values of the mean ranks, paired by family: families are what is independent."""
        by_family = self.ranked(datasets, methods)
        others = [method for method in methods if method != reference]
        found = [
            paired_difference(by_family[method], by_family[reference], higher_is_better=False).p for method in others
        ]
        return dict(zip(others, map(float, holm(found)), strict=True))

    def verdict(self, datasets: Sequence[str], method: str, reference: str) -> int:
        """1 when better than the reference on these data sets of one family, -1 when worse, 0 for a tie.

        Each seed gives one number, the wins less the losses over data sets and budgets; a claim is made when the
        sign-flip test of these numbers has p up to 0.05.
        """
        key = (tuple(datasets), method, reference)
        if key not in self._verdicts:
            cells = [(dataset, budget) for dataset in datasets for budget in self.budgets(dataset)]
            signs = pd.concat(
                [np.sign(self.cells[d, method, b] - self.cells[d, reference, b]) for d, b in cells], axis=1
            )
            balance = signs.mean(axis=1).to_numpy()
            p = paired_difference(balance, 0 * balance, higher_is_better=True).p
            self._verdicts[key] = int(np.sign(balance.mean())) if p <= SURE else 0
        return self._verdicts[key]

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
        key = (dataset, method, budget, reference)
        if key not in self._factors:
            seeds = self.cells[dataset, method, budget].index
            own, other = (self._curves[dataset, each].loc[seeds].dropna(axis=1) for each in (method, reference))
            sides = (side for curve in (own, other) for side in (curve.columns.to_numpy(), curve.to_numpy().T))
            saving = data_saving(budget, *sides, higher_is_better=True)
            self._factors[key] = _factor(budget, saving)
        return self._factors[key]

    def family_factors(self, datasets: Sequence[str], method: str, reference: str) -> dict[str, float]:
        """Geometric mean factor of each family at the low budgets, bounds standing in."""
        logs = [
            np.mean([np.log(self.factor(d, method, b, reference).value) for b in self.budgets(d, low=True)])
            for d in datasets
        ]
        means = np.exp(family_means(logs, [self.family(dataset) for dataset in datasets]))
        return dict(zip(self.families(datasets), map(float, means), strict=True))

    def mean_factor(self, datasets: Sequence[str], method: str, reference: str) -> MeanFactor:
        """Of the families that these data sets are of."""
        by_family = list(self.family_factors(datasets, method, reference).values())
        found = student_interval(np.log(by_family))
        relations = Counter(
            self.factor(d, method, b, reference).relation for d in datasets for b in self.budgets(d, low=True)
        )
        ends = (float(np.exp(end)) for end in (found.mean, found.lo, found.hi))
        return MeanFactor(*ends, len(by_family), relations)

    def lean(self) -> MeanFactor:
        """Factor of uniform on half of its seeds over uniform on the other half, for three ways to halve, both ways.

        Nothing differs but the draw, so the factor of identical methods; each half has half as many seeds as a method.
        """
        datasets, relations, logs = self.datasets(), Counter[Relation](), []
        for dataset in datasets:
            curve = self._curves[dataset, "uniform"]
            curve = curve.dropna(axis=1, thresh=len(curve) // 2 + 1).dropna()  # some pools are too small for a budget
            place = np.arange(len(curve) // 4 * 4)
            mine = []
            for half in (place % 2 == 0, place % 4 < 2, place < len(place) // 2):
                for own, other in ((half, ~half), (~half, half)):
                    for budget in self.budgets(dataset, low=True):
                        budgets = self.budgets(dataset)
                        sides = (budgets, curve[budgets].to_numpy()[place][own].T)
                        others = (curve.columns.to_numpy(), curve.to_numpy()[place][other].T)
                        found = _factor(budget, data_saving(budget, *sides, *others, higher_is_better=True))
                        mine.append(np.log(found.value))
                        relations[found.relation] += 1
            logs.append(np.mean(mine))
        by_family = family_means(logs, [self.family(dataset) for dataset in datasets])
        found = student_interval(by_family)
        return MeanFactor(*(float(np.exp(end)) for end in (found.mean, found.lo, found.hi)), len(by_family), relations)

    def ratio(self, datasets: Sequence[str], method: str, rival: str, reference: str = "uniform") -> Interval:
        """A method's mean factor over a rival's, paired by family, with Student's interval over families."""
        mine, theirs = (list(self.family_factors(datasets, each, reference).values()) for each in (method, rival))
        found = student_interval(np.log(mine) - np.log(theirs))
        return Interval(*(float(np.exp(end)) for end in (found.mean, found.lo, found.hi)))

    def friedman(self, datasets: Sequence[str], methods: Sequence[str]) -> tuple[Friedman, float, dict[str, float]]:
        """Test, critical difference and mean ranks, with families as blocks."""
        again = ranks(self.ranked(datasets, methods).to_numpy(), higher_is_better=False)
        mean = dict(zip(methods, map(float, again.mean(axis=0)), strict=True))
        return friedman(again), critical_difference(len(methods), len(again)), mean


def _factor(budget: int, saving: Saving) -> Factor:
    bound = 1.0 if saving.relation is Relation.SATURATED else float(saving.bound or budget) / budget
    return Factor(bound if saving.factor is None else saving.factor, saving.relation, saving.lo, saving.hi)
