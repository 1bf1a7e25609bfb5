"""Scores of a probe: what each is called, which way is better, and how it is computed from predictions.

Nothing here imports torch, so that a page can name the scores of an old run before torch is there.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
_Key = TypeVar("_Key")


@dataclass(frozen=True)
class Metric:
    """A score of a probe.

    Attributes:
        key: name in files.
        title: name on pages.
        higher_is_better: its direction.
        unit: what the number is in: "%" for shares (values are 0..1), "target" for the unit of the targets, "" for
            plain numbers.
    """

    key: str
    title: str
    higher_is_better: bool
    unit: str


METRICS: Mapping[str, tuple[Metric, ...]] = {
    "classification": (Metric("accuracy", "Accuracy", True, "%"), Metric("macro_f1", "Macro F1", True, "%")),
    "regression": (
        Metric("mae", "Mean absolute error", False, "target"),
        Metric("rmse", "Root mean squared error", False, "target"),
        Metric("r2", "R²", True, ""),
    ),
    "finetuning": tuple(
        Metric(f"{key}{ending}", f"{title}{after}", True, "%")
        for ending, after in (("", ""), ("_ft1", ", one layer finetuned"), ("_ft2", ", two layers finetuned"))
        for key, title in (("accuracy", "Accuracy"), ("macro_f1", "Macro F1"))
    ),
    # The paper's risk over the pool; its logarithm comes first because a few blow-ups decide a mean of risks.
    "mixture": (
        Metric("log_ratio", "log10 of risk over full-data risk", False, ""),
        Metric("risk", "Risk", False, ""),
    ),
}


def primary_metric(task: str) -> Metric:
    """The metric that decides: accuracy for classes, mean absolute error for numbers."""
    return METRICS[str(task)][0]


def best_of(means: Mapping[_Key, float | None], *, higher_is_better: bool) -> _Key:
    """Key of the best mean, the first of equal ones; one that is unknown, None or NaN, is worse than all others.

    Args:
        means: at least one.
        higher_is_better: direction of the metric.
    """
    sign = -1.0 if higher_is_better else 1.0

    def cost(key: _Key) -> float:
        mean = means[key]
        return math.inf if mean is None or math.isnan(mean) else sign * mean

    return min(means, key=cost)


def scores_of(truth: Array | Labels, predicted: Array | Labels) -> dict[str, float]:
    """Scores of predictions for test rows: of classes where the truth is whole numbers, else of values."""
    if np.issubdtype(truth.dtype, np.integer):
        return classification_metrics(truth.astype(np.int64), predicted.astype(np.int64))
    return regression_metrics(truth.astype(np.float64), predicted.astype(np.float64))


def classification_metrics(truth: Labels, predicted: Labels) -> dict[str, float]:
    """Accuracy, and the mean F1 over the classes that occur in the truth or in the predictions; both 0..1."""
    size = int(max(truth.max(), predicted.max())) + 1
    hits = np.bincount(truth[truth == predicted], minlength=size)
    support = np.bincount(truth, minlength=size) + np.bincount(predicted, minlength=size)
    f1 = 2 * hits[support > 0] / support[support > 0]
    return {"accuracy": float((truth == predicted).mean()), "macro_f1": float(f1.mean())}


def regression_metrics(truth: Array, predicted: Array) -> dict[str, float]:
    """Mean absolute and root mean squared error in the unit of the targets, and R² (0 when the truth is constant)."""
    error = predicted - truth
    spread = float(((truth - truth.mean()) ** 2).sum())
    return {
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "r2": 1 - float((error**2).sum()) / spread if spread > 0 else 0.0,
    }
