"""Train a linear probe on the chosen points and score it once on the test rows."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from skmm_core.data import Dataset, Task
from skmm_core.errors import InputError
from skmm_core.probes.metrics import classification_metrics, regression_metrics
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers import average_ridge, content_order, fit_classifier

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
_INNER, _VALIDATED = "inner folds of the selection", "validation rows, and leave-one-out in the selection"
_LIKELIHOOD = "likelihood of the selection"


@dataclass(frozen=True)
class ProbeScore:
    """Test scores of one probe.

    Attributes:
        metrics: "accuracy", "macro_f1" (0..1) or "mae", "rmse" (unit of the targets), "r2".
        alpha: L2 penalty: the likeliest on ‖coef‖² for numbers, the chosen one on ½‖coef‖² of the logistic part for
            classes; ∞ for a constant predictor.
        tuned_on: where it was chosen, in words.
        validation_rows: labelled validation rows that helped to choose it, beside the n of the selection.
        predicted: (T,) classes or values predicted for the test rows, in their order.
        settled: the learner that an automatic choice came to; empty where none was made.
    """

    metrics: dict[str, float]
    alpha: float
    tuned_on: str
    validation_rows: int
    predicted: Array | Labels = field(compare=False)
    settled: str = ""


def score_probe(dataset: Dataset, chosen: Tensor, *, seed: int = 0, report: Report = ignore) -> ProbeScore:
    """Train on the chosen points of the pool, tune without the test rows, score on them once.

    Columns are standardised by the pool, whose features are known without labels: of a few chosen rows neither mean
    nor spread is known well. A column that is constant in the pool is ignored. The order of the chosen points changes
    no score.

    Classification: logistic regression and ridge on indicators, added up (:func:`fit_classifier`), tuned by log-loss on
    the validation rows, or in inner folds of the selection when there are none. The intercept of either is penalised
    like one more column, so that at the middle of the pool, where standardised rows are 0, classes are about alike
    unless many chosen rows say otherwise. Regression: an average of ridge fits weighted by their likelihood
    (:func:`average_ridge`), over penalties, and over columns of unit spread and columns that keep their own: where the
    energy sits in a few columns, as in the paper's mixture, standardising would blow the noise of all others up to the
    signal.

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
        return _score_numbers(dataset, targets, train)
    return _score_classes(dataset, targets, train, seed, report)


def number_scalings(dataset: Dataset, standardised: Array) -> tuple[Array, Array]:
    """(n, d) standardised rows, and the same with columns that keep their own spread, at a common unit."""
    spread = dataset.scaler.scale.numpy()
    common = np.where(np.isfinite(spread), spread, 0.0)
    common /= float(np.sqrt((common**2).mean())) or 1.0
    return standardised, standardised * common


def _score_numbers(dataset: Dataset, targets: Tensor, train: Tensor) -> ProbeScore:
    def part(rows: Tensor) -> tuple[Array, Array]:
        return number_scalings(dataset, dataset.scaler(dataset.features[rows]).numpy())

    wanted = targets[train].double().numpy()
    rows = part(train)
    order = content_order(rows[0], wanted)
    fitted = average_ridge([each[order] for each in rows], wanted[order])
    predicted = fitted.predict(part(dataset.split.test))
    return ProbeScore(
        regression_metrics(targets[dataset.split.test].double().numpy(), predicted),
        fitted.alpha,
        _LIKELIHOOD,
        0,
        predicted,
    )


def _score_classes(dataset: Dataset, targets: Tensor, train: Tensor, seed: int, report: Report) -> ProbeScore:
    def part(rows: Tensor) -> tuple[Array, Labels]:
        return dataset.scaler(dataset.features[rows]).numpy(), targets[rows].numpy()

    validation = part(dataset.split.validation) if len(dataset.split.validation) else None
    fitted = fit_classifier(*part(train), validation=validation, seed=seed, report=report)
    rows, truth = part(dataset.split.test)
    tuned = validation is not None and math.isfinite(fitted.alpha)
    predicted = fitted.predict(rows)
    return ProbeScore(
        classification_metrics(truth, predicted),
        fitted.alpha,
        _VALIDATED if tuned else _INNER,
        len(dataset.split.validation) if tuned else 0,
        predicted,
    )


def check_scorable(dataset: Dataset) -> Tensor:
    """Make sure that a probe can be trained and scored; return the targets of all rows.

    Raises:
        InputError: targets or test rows are missing; the message says what to add.
    """
    if dataset.partly_labelled:
        raise InputError(
            f"{dataset.name} has {dataset.partly_labelled}, and scoring needs one in every row; take the labelled rows "
            "alone (--labelled-only)"
        )
    if dataset.targets is None or dataset.task is Task.UNLABELLED:
        raise InputError(
            f"{dataset.name} has no targets to score with; add a target column (--target) or labels that are not the "
            "same in every row"
        )
    if not len(dataset.split.test):
        raise InputError(
            f"{dataset.name} has no test rows to score on; hold some out (--holdout 0.2) or give a test file (--test)"
        )
    return dataset.targets
