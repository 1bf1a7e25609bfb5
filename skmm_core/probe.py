"""Train a linear probe on the chosen points and score it once on the test rows."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skmm_core.data.dataset import Dataset, Task
from skmm_core.errors import InputError
from skmm_core.logistic import fit_logistic
from skmm_core.progress import Progress, Report, ignore
from skmm_core.ridge import fit_ridge
from skmm_core.summary import Metric, primary_metric

__all__ = ["Metric", "ProbeScore", "check_scorable", "primary_metric", "score_probe"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
_SCALE_FLOOR = 1e-6  # of |mean|: a column that varies less than float32 can hold is constant


@dataclass(frozen=True)
class ProbeScore:
    """Test scores of one probe.

    Attributes:
        metrics: "accuracy", "macro_f1" (0..1) or "mae", "rmse" (unit of the targets), "r2".
        alpha: L2 penalty that was chosen: on ‖coef‖² for ridge, on ½‖coef‖² for logistic; ∞ for a constant predictor.
        tuned_on: where it was chosen, in words.
    """

    metrics: dict[str, float]
    alpha: float
    tuned_on: str


def score_probe(dataset: Dataset, chosen: Tensor, *, seed: int = 0, report: Report = ignore) -> ProbeScore:
    """Train on the chosen points of the pool, tune without the test rows, score on them once.

    Regression: ridge, its α by leave-one-out inside the selection. Classification: multinomial logistic regression
    with L2, its strength by accuracy on the validation rows, or in stratified inner folds of the selection when there
    are none. Columns are standardised with mean and standard deviation of the selection; a column that is constant
    there is ignored.

    Args:
        dataset: with targets and test rows.
        chosen: (n,) distinct positions in the pool, 0..N-1.
        seed: of the inner folds.
        report: told of every fit.

    Raises:
        InputError: the dataset has no targets or no test rows, or nothing is chosen.
    """
    targets = check_scorable(dataset)
    if not len(chosen):
        raise InputError("no points are chosen; the probe needs at least 1")
    report(Progress("Training the probe", 0))
    train = dataset.split.train[chosen.cpu()]
    mean, scale = _scaler(dataset.features[train])

    def rows(part: Tensor) -> NDArray[np.floating]:
        features = dataset.features[part]
        return ((features - mean) / scale).to(features.dtype).numpy()

    validation, test = dataset.split.validation, dataset.split.test
    if dataset.task is Task.REGRESSION:
        ridge = fit_ridge(rows(train).astype(np.float64), targets[train].double().numpy())
        errors = regression_metrics(targets[test].double().numpy(), ridge.predict(rows(test).astype(np.float64)))
        return ProbeScore(errors, ridge.alpha, "leave-one-out in the selection")
    fitted = fit_logistic(
        rows(train),
        targets[train].numpy(),
        validation=(rows(validation), targets[validation].numpy()) if len(validation) else None,
        seed=seed,
        report=report,
    )
    return ProbeScore(
        classification_metrics(targets[test].numpy(), fitted.predict(rows(test))),
        1 / fitted.strength if fitted.strength else math.inf,
        "validation rows" if len(validation) else "inner folds of the selection",
    )


def check_scorable(dataset: Dataset) -> Tensor:
    """Make sure that a probe can be trained and scored; return the targets of all rows.

    Raises:
        InputError: targets or test rows are missing; the message says what to add.
    """
    if dataset.targets is None or dataset.task is Task.UNLABELLED:
        raise InputError(f"{dataset.name} has no targets to score with; add a target column (--target) or labels")
    if not len(dataset.split.test):
        raise InputError(
            f"{dataset.name} has no test rows to score on; hold some out (--holdout 0.2) or give a test file (--test)"
        )
    return dataset.targets


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


def _scaler(rows: Tensor) -> tuple[Tensor, Tensor]:
    """(d,) float64 mean and scale; the scale of a constant column is ∞, which turns the column into zeros."""
    rows = rows.double()
    mean, scale = rows.mean(dim=0), rows.std(dim=0, correction=0)
    return mean, torch.where(scale > _SCALE_FLOOR * mean.abs(), scale, torch.inf)
