"""The numbers that describe a selection: one name, one unit and one meaning each, for every page, report and file.

What is measured alike has one name; what is not, such as a share of energy and a share of variance, has two.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Quantity:
    """A number of a selection.

    Attributes:
        key: name here; unless there are `parts`, also that in `result.json` (under `diagnostics`) and
            `diagnostics.npz`.
        title: name on pages and in reports.
        symbol: how it is computed; in short: Σ, Σ_S second moments of pool and selection, P_k
            projection on the k strongest directions of the selection, k* the effective rank, θ the ridge fit on the
            pool, σ² its noise, M the ridge map from labels to coefficients, ~ what is measured in the sketch.
        unit: of the number.
        meaning: one sentence for a person.
        parts: names in the files, those of each part multiplied and the parts summed; empty where it stands there
            itself. Over all ranks it is the same with `bias_curve` for `bias`, and `variance_curve` for `variance`.
        in_files: False for what is made for one page alone.
    """

    key: str
    title: str
    symbol: str
    unit: str
    meaning: str
    parts: tuple[tuple[str, ...], ...] = ()
    in_files: bool = True

    @property
    def label(self) -> str:
        """The title within a sentence or beside an axis: "Bias term" → "bias term"."""
        return self.title[:1].lower() + self.title[1:]

    @property
    def help(self) -> str:
        """Meaning and unit."""
        return f"{self.meaning} Unit: {self.unit}."

    def of(self, found: Mapping[str, Any]) -> float | None:
        """Read it out of diagnostics, saved or just measured; None where they lack it."""
        parts = self.parts or ((self.key,),)
        if any(found.get(name) is None for part in parts for name in part):
            return None
        value: float = sum(math.prod(found[name] for name in part) for part in parts)
        return value


_ALL = (
    Quantity("n", "Points chosen", "n", "points", "Points in the selection."),
    Quantity(
        "effective_weights", "Effective number of weights", "1/Σw²", "points",
        "As many points of equal weight would count the same.",
    ),
    Quantity(
        "rank", "Effective rank", "k*, the minimiser of the bound on the error", "directions",
        "Directions that a fit on the chosen points can support: where the bound on the error is lowest.",
    ),
    Quantity(
        "effective_dim", "Effective dimension", "exp(-Σ_j p_j log p_j), p the eigenvalues of Σ / tr(Σ)", "directions",
        "Directions that carry the pool's energy.",
    ),
    Quantity(
        "bias", "Bias (energy unseen)", "1 - tr(P_k Σ) / tr(Σ) at k = k*", "share of the pool's energy, 0 to 1",
        "Share of the pool's energy outside the directions that a fit on the chosen points can support.",
    ),
    Quantity(
        "represented", "Variation represented", "tr(P_k C) / tr(C) at k = k*, C the covariance of the pool",
        "share of the pool's variance, 0 to 1, 1 is best",
        "Share of how the pool's points differ from each other that a fit on the chosen points can support.",
    ),
    Quantity(
        "variance", "Variance (per noise)", "tr(Σ (P_k Σ_S P_k)⁺) / n at k = k*", "variances of the noise",
        "Mean variance of the predictions on the pool in the directions that a fit can support, per unit of noise.",
    ),
    Quantity(
        "bias_term", "Bias term", "‖θ‖² tr(Σ) · bias(k) / Var(y)", "share of the targets' variance",
        "What the directions beyond the k strongest can add to the error at most.", (("bias_weight", "bias"),),
    ),
    Quantity(
        "variance_term", "Variance term", "σ² · variance(k) / Var(y)", "share of the targets' variance",
        "What label noise adds to the error in the k strongest directions.", (("variance_weight", "variance"),),
    ),
    Quantity(
        "error_bound", "Bound on the error", "bias term + variance term", "share of the targets' variance",
        "Bias term and variance term together; without targets, as much noise as signal is supposed.",
        (("bias_weight", "bias"), ("variance_weight", "variance")),
    ),
    Quantity(
        "ridge_bias2", "Ridge bias²", "‖X M y*_S - y*‖² / N", "squared unit of the targets",
        "Exact squared error of a ridge fit on noise-free labels of the chosen points, mean over the pool.",
    ),
    Quantity(
        "ridge_variance", "Ridge variance", "σ² tr(X M Mᵀ Xᵀ) / N", "squared unit of the targets",
        "What label noise adds to the squared error of that ridge fit, exactly.",
    ),
    Quantity(
        "ridge_error", "Ridge error", "ridge bias² + ridge variance", "squared unit of the targets",
        "Expected squared error of a ridge fit on the chosen points, mean over the pool.",
        (("ridge_bias2",), ("ridge_variance",)),
    ),
    Quantity(
        "c_s", "Certificate c_S", "λ_max(Σ~_S^(-1/2) Σ~ Σ~_S^(-1/2))", "factor, 1 is best",
        "The pool's energy is at most this many times the selection's, in every direction of the sketch; "
        "∞ = a direction has no chosen point.",
    ),
    Quantity(
        "trace_score", "Trace score", "tr(Σ~ Σ~_S⁻¹)", "directions, their number is best",
        "The pool's energy over the selection's, summed over the directions of the sketch.",
    ),
    Quantity(
        "trace_score_floor", "Smallest trace score", "k", "directions",
        "The trace score of a selection that matches every second moment.",
    ),
    Quantity(
        "moment_error", "Moment error", "‖Σ~_S - Σ~‖_F / ‖Σ~‖_F", "share, 0 is best",
        "Relative difference of the second moments of selection and pool, in the sketch.",
    ),
    Quantity(
        "moment_objective", "Moment objective", "Σ_j max(0, λ_j/c_S - v_jᵀΣ~_S v_j)²", "squared second moment",
        "What the paper's problem leaves unmatched, at the c_S that was asked for.",
    ),
    Quantity(
        "coverage_mean", "Mean coverage distance", "mean_i min_s ‖x_i - x_s‖", "unit of the features",
        "Mean distance of a point of the pool to the nearest chosen one.",
    ),
    Quantity(
        "coverage_radius", "Largest coverage distance", "max_i min_s ‖x_i - x_s‖", "unit of the features",
        "Largest distance of a point of the pool to the nearest chosen one.",
    ),
    Quantity(
        "class_tv", "Class imbalance", "½ Σ_c |share chosen - share in the pool|", "share, 0 is best",
        "Total variation between the class shares of selection and pool; 0 = the pool's balance.",
    ),
    Quantity(
        "duplicates", "Duplicates", "–", "points", "Chosen rows that repeat another chosen row exactly.",
    ),
    Quantity(
        "signal_bias", "Bias, % of the signal", "ridge bias² / mean(y*²), the truth known", "% of the signal",
        "Ridge bias² of a small made-up pool, where the truth is known.", in_files=False,
    ),
    Quantity(
        "signal_variance", "Variance, % of the signal", "ridge variance / mean(y*²), the truth known",
        "% of the signal", "Ridge variance of a small made-up pool, where the truth is known.", in_files=False,
    ),
    Quantity(
        "signal_error", "Expected error, % of the signal", "ridge error / mean(y*²), the truth known",
        "% of the signal", "Bias and variance of a small made-up pool together.", in_files=False,
    ),
)  # fmt: skip

QUANTITIES: Mapping[str, Quantity] = {each.key: each for each in _ALL}
