"""Multinomial logistic regression that works from one row a class on, tuned by what it says of held-out rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmm_core.progress import Progress, Report
from skmm_core.solvers.held_out import HeldOut, Verdict, judge
from skmm_core.solvers.softmax import fit_softmax, rotate

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
# mean squared length of a row over the penalty: what a fit may do with one row, whatever the unit and number of columns
STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
ENOUGH = 3e-3  # tolerance of fits that are only compared
MODERATE = 3.0  # kept unless held-out rows clearly say otherwise


@dataclass(frozen=True)
class Choice:
    """One member of the family.

    Attributes:
        strength: of `STRENGTHS`.
        even: whether classes weigh alike, whatever their numbers of rows.
    """

    strength: float
    even: bool


class LogisticFamily:
    """Fits on the same rows, by strength and by weights of the classes.

    Three things make a fit of few rows sound. The intercept is one more coefficient, see :func:`with_constant`. Classes
    weigh alike unless held-out rows clearly tell that their numbers matter. And targets are smoothed by about as much
    as two rows of doubt a class (Platt 1999 does so for two classes): the more rows the less, and nothing of it remains
    with many.
    """

    def __init__(self, features: Array, labels: Labels, held_out: HeldOut, report: Report) -> None:
        """Keep (n, d) rows with (n,) classes 0..K-1, all present, and what to judge fits by."""
        self._unit = float(np.sqrt((features**2).sum(axis=1).mean())) or 1.0
        self._constant = constant_of(features)
        self._rotated = rotate(with_constant(features, self._constant))
        self._labels, self._held_out, self._report = labels, held_out, report
        self._classes = int(labels.max()) + 1
        self._smoothing = 1 / (len(labels) / self._classes + 2)
        other = held_out.rows
        self._other = None if other is None else with_constant(other, self._constant) @ self._rotated.basis
        self._starts: dict[int, Array] = {}
        self._judged: dict[Choice, tuple[Verdict, Array]] = {}

    def tune(self) -> Choice:
        """Walk either way from the moderate strength while the held-out loss falls; then let classes weigh by rows.

        What is chosen beats the moderate fit by more than one standard error, or is the moderate fit.
        """
        moderate = best = Choice(MODERATE, True)
        middle = STRENGTHS.index(MODERATE)
        for strengths in (STRENGTHS[:middle][::-1], STRENGTHS[middle + 1 :]):
            for strength in strengths:
                choice = Choice(strength, True)
                if self.verdict(choice).total >= self.verdict(best).total:
                    break
                best = choice
            if self.verdict(best).clearly_beats(self.verdict(moderate)):
                break
        uneven = Choice(best.strength, False)
        best = min((best, uneven), key=lambda choice: self.verdict(choice).total)
        return best if self.verdict(best).clearly_beats(self.verdict(moderate)) else moderate

    def penalty(self, choice: Choice) -> float:
        """Weight of ½‖coef‖² beside the summed loss."""
        return self._unit**2 / choice.strength

    def fit(self, choice: Choice) -> tuple[Array, Array]:
        """(d, K) coefficients and (K,) intercepts by all rows."""
        coef = self._rotated.basis @ self._solve(np.ones(len(self._labels), bool), choice, -1, tolerance=1e-4)[0]
        return coef[:-1], self._constant * coef[-1]

    def verdict(self, choice: Choice) -> Verdict:
        """What the held-out rows say of a fit."""
        return self._judge(choice)[0]

    def held_out_scores(self, choice: Choice) -> Array:
        """(m, K) scores of the held-out rows; -∞ for a class that the fit has not seen."""
        return self._judge(choice)[1]

    def judge(self, scores: Array, expected: float) -> Verdict:
        """What the held-out rows say of other scores."""
        return judge(scores, self._held_out.truth, smoothing=self._smoothing, expected=expected)

    def _judge(self, choice: Choice) -> tuple[Verdict, Array]:
        if choice not in self._judged:
            scores = self._scores(choice)
            self._judged[choice] = self.judge(scores, 1.0), scores
        return self._judged[choice]

    def _scores(self, choice: Choice) -> Array:
        if self._other is not None:
            coef: Array = self._solve(np.ones(len(self._labels), bool), choice, -1)[0]
            return self._other @ coef
        scores = np.full((len(self._labels), self._classes), -np.inf)
        for each in range(int(self._held_out.fold.max()) + 1):
            out = self._held_out.fold == each
            coef, seen = self._solve(~out, choice, each)
            scores[np.ix_(out, seen)] = self._rotated.rows[out] @ coef
        return scores

    def _solve(
        self, kept: NDArray[np.bool_], choice: Choice, name: int, tolerance: float = ENOUGH
    ) -> tuple[Array, Labels]:
        """(p, k) coefficients by the rows kept, and the k classes among them."""
        self._report(Progress("Training the probe", 0))
        seen, labels, counts = np.unique(self._labels[kept], return_inverse=True, return_counts=True)
        if len(seen) == 1:
            return np.zeros((len(self._rotated.energy), 1)), seen
        targets = np.full((len(labels), len(seen)), self._smoothing / len(seen))
        targets[np.arange(len(labels)), labels] += 1 - self._smoothing
        weights = len(labels) / (len(seen) * counts[labels]) if choice.even else np.ones(len(labels))
        rows, energy = self._rotated.rows[kept], self._rotated.energy
        start, penalty = self._starts.get(name), self.penalty(choice)
        coef = fit_softmax(rows, energy, targets, weights, penalty, start=start, tolerance=tolerance)
        self._starts[name] = coef
        return coef, seen


def constant_of(features: Array) -> float:
    """Root mean square of the entries of (n, d) rows: the size of one of their columns; 1 where there is nothing."""
    return float(np.sqrt((features**2).sum() / max(1, features.size))) or 1.0


def with_constant(features: Array, constant: float) -> Array:
    """(n, d + 1) rows with a constant column, whose coefficient is penalised like any other.

    A column as large as another is. Were it as long as a row, or its coefficient free, the few rows of one class more
    than another would make that class likelier everywhere: no row is as like another as they all would be to each
    other. What the middle of the pool is, where rows are 0, is not for five rows to say.
    """
    return np.hstack([features, np.full((len(features), 1), constant)])
