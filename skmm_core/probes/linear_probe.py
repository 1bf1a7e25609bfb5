"""Train a linear probe on the chosen points and score it once on the test rows."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skmm_core.data import Dataset, Task
from skmm_core.errors import InputError
from skmm_core.probes.metrics import classification_metrics, regression_metrics
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers import fit_logistic, fit_ridge

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
        predicted: (T,) classes or values predicted for the test rows, in their order.
    """

    metrics: dict[str, float]
    alpha: float
    tuned_on: str
    predicted: Array | Labels


def score_probe(dataset: Dataset, chosen: Tensor, *, seed: int = 0, report: Report = ignore) -> ProbeScore:
    """Train on the chosen points of the pool, tune without the test rows, score on them once.

    Columns are standardised with mean and standard deviation of the selection; a column that is constant there is
    ignored. Classification: multinomial logistic regression with L2, its strength by accuracy on the validation rows,
    or in stratified inner folds of the selection when there are none. Regression: ridge, its α by leave-one-out inside
    the selection, which also decides whether the columns are standardised or share one scale: where the energy sits in
    a few columns, as in the paper's mixture, standardising would blow the noise of all others up to the signal.

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
    if dataset.task is Task.REGRESSION:
        return _score_ridge(dataset, targets, train)
    return _score_logistic(dataset, targets, train, seed, report)


def _score_ridge(dataset: Dataset, targets: Tensor, train: Tensor) -> ProbeScore:
    mean, scale = _scaler(dataset.features[train])
    varies = torch.isfinite(scale)
    common = torch.where(varies, scale[varies].square().mean().sqrt(), torch.inf)
    wanted = targets[train].double().numpy()
    fits = [(fit_ridge(_scaled(dataset, train, mean, by), wanted), by) for by in (scale, common)]
    ridge, by = min(fits, key=lambda fit: fit[0].loo_error)
    predicted = ridge.predict(_scaled(dataset, dataset.split.test, mean, by))
    return ProbeScore(
        regression_metrics(targets[dataset.split.test].double().numpy(), predicted),
        ridge.alpha,
        "leave-one-out in the selection",
        predicted,
    )


def _score_logistic(dataset: Dataset, targets: Tensor, train: Tensor, seed: int, report: Report) -> ProbeScore:
    mean, scale = _scaler(dataset.features[train])

    def part(rows: Tensor) -> tuple[NDArray[np.floating], Labels]:
        return _scaled(dataset, rows, mean, scale).astype(np.float32), targets[rows].numpy()

    validation = part(dataset.split.validation) if len(dataset.split.validation) else None
    fitted = fit_logistic(*part(train), validation=validation, seed=seed, report=report)
    rows, truth = part(dataset.split.test)
    predicted = fitted.predict(rows)
    return ProbeScore(
        classification_metrics(truth, predicted),
        1 / fitted.strength if fitted.strength else math.inf,
        "validation rows" if validation else "inner folds of the selection",
        predicted,
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


def _scaler(rows: Tensor) -> tuple[Tensor, Tensor]:
    """(d,) float64 mean and scale; the scale of a constant column is ∞, which turns the column into zeros."""
    rows = rows.double()
    mean, scale = rows.mean(dim=0), rows.std(dim=0, correction=0)
    return mean, torch.where(scale > _SCALE_FLOOR * mean.abs(), scale, torch.inf)


def _scaled(dataset: Dataset, rows: Tensor, mean: Tensor, scale: Tensor) -> Array:
    scaled: Array = ((dataset.features[rows] - mean) / scale).numpy()
    return scaled
