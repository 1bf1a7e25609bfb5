"""Gradients of the loss of a linear head in closed form: φ times the residual, for every class.

For logits Wφ + b and the cross-entropy at label y, the gradient in W is (p - y)φᵀ; for a regression with half the
squared error it is (f(x) - y)φ. The features φ are taken as they are, whatever columns the warm-up head standardises: a
linear head on standardised columns is one on the columns themselves.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from skmm_core.config import GradientParams
from skmm_core.data import KnownTargets, Scaler, Task, row_blocks
from skmm_core.device import generator
from skmm_core.errors import InputError
from skmm_core.gradients.targets import draw_classes, normals, uniforms
from skmm_core.gradients.warmup import WarmUp, train_on_known, train_warm_up, warm_up_size
from skmm_core.progress import Progress, Report, ignore
from skmm_core.sketches import OuterRows
from skmm_core.solvers import fit_ridge

_LACKING = "head gradients need targets, which this pool lacks; add labels or take --gradient features"
_PARTLY = "the loss at the labels needs one in every row, and only some have one; take targets drawn at random"


@dataclass(frozen=True)
class HeadGradients:
    """Gradients of the head, and which labels went into them.

    Attributes:
        features: (N, d) φ.
        residuals: (N, C) p - y, or (N, 1) f(x) - y.
        bias: whether the gradient of the intercept is among the rows.
        warm_up_rows: labelled rows that trained the head; 0 for an untrained one.
        labels_read: rows of the pool whose labels were looked at.
    """

    features: Tensor
    residuals: Tensor
    bias: bool
    warm_up_rows: int
    labels_read: int

    @cached_property
    def rows(self) -> OuterRows:
        """N rows of C · d numbers, or C · (d + 1) with the intercept, never multiplied out."""
        if not self.bias:
            return OuterRows(self.features, self.residuals)
        ones = self.features.new_ones(len(self.features), 1)
        return OuterRows(torch.cat([self.features, ones], dim=1), self.residuals)


def head_gradients(
    features: Tensor,
    targets: Tensor | None,
    task: Task,
    params: GradientParams,
    *,
    scaler: Scaler,
    warm_up: WarmUp | None = None,
    known: KnownTargets | None = None,
    seed: int = 0,
    report: Report = ignore,
) -> HeadGradients:
    """Residuals of a linear head at its warm start, at the labels or at targets drawn from its own predictions.

    Drawn targets make the expected second moment Σ φφᵀ ⊗ (diag(p) - ppᵀ): the Fisher information of the head. The
    warm start itself reads the labels of the rows that train it, unless `params.warm_up` is 0: then all classes are
    equally likely, and a regression predicts 0 with noise of variance 1.

    Args:
        features: (N, d) rows.
        targets: (N,) int64 classes or floating values.
        task: what the targets ask for.
        params: targets, warm-up rows and bias.
        scaler: of the pool.
        warm_up: a head trained before, taken when `params.warm_up` is None.
        known: targets of a pool that has some; a head is then trained on exactly these rows.
        seed: of the run; decides the warm-up rows and the drawn targets.
        report: told before the head is trained.

    Raises:
        InputError: there are no targets, or not those of every row that are asked for.
    """
    if known is not None:
        return _of_known(features, known, params, scaler, warm_up, seed, report)
    if targets is None or task is Task.UNLABELLED:
        raise InputError(_LACKING)
    find = _classification if task is Task.CLASSIFICATION else _regression
    residuals, rows = find(features, targets, params, scaler, warm_up, seed, report)
    read = len(targets) if params.targets == "labels" else rows
    return HeadGradients(features, residuals.to(features), params.bias, rows, read)


def _of_known(
    features: Tensor,
    known: KnownTargets,
    params: GradientParams,
    scaler: Scaler,
    warm_up: WarmUp | None,
    seed: int,
    report: Report,
) -> HeadGradients:
    """Gradients at targets drawn from what a head says that saw the labelled rows alone."""
    if params.targets == "labels":
        raise InputError(_PARTLY)
    size, read = len(features), 0 if params.warm_up == 0 else len(known.rows)
    if known.task is Task.REGRESSION:
        spread = _fitted(features, known.rows, known.values, scaler, report)[1] if read else 1.0
        residuals = -spread * normals(size, seed)[:, None]
    else:
        probabilities = torch.full((size, len(known.class_names)), 1 / len(known.class_names), dtype=torch.float64)
        if read:
            head = warm_up or train_on_known(features, known, scaler, report=report)
            probabilities = head.probabilities.cpu()
        residuals = probabilities.clone()
        residuals[torch.arange(size), draw_classes(probabilities, uniforms(size, seed))] -= 1
    return HeadGradients(features, residuals.to(features), params.bias, read, read)


def _classification(
    features: Tensor,
    targets: Tensor,
    params: GradientParams,
    scaler: Scaler,
    warm_up: WarmUp | None,
    seed: int,
    report: Report,
) -> tuple[Tensor, int]:
    if params.warm_up == 0:
        classes, labels = targets.unique(return_inverse=True)
        probabilities, rows = torch.full((len(labels), len(classes)), 1 / len(classes)), 0
    else:
        if params.warm_up is not None or warm_up is None:
            warm_up = train_warm_up(features, targets, scaler, size=params.warm_up, seed=seed, report=report)
        probabilities, labels, rows = warm_up.probabilities.cpu(), warm_up.labels, len(warm_up.rows)
    random = params.targets == "random"
    truth = draw_classes(probabilities, uniforms(len(labels), seed)) if random else labels.cpu()
    residuals = probabilities.clone()
    residuals[torch.arange(len(truth)), truth] -= 1
    return residuals, rows


def _regression(
    features: Tensor,
    targets: Tensor,
    params: GradientParams,
    scaler: Scaler,
    warm_up: WarmUp | None,
    seed: int,
    report: Report,
) -> tuple[Tensor, int]:
    size = warm_up_size(len(targets), 1) if params.warm_up is None else min(len(targets), params.warm_up)
    predicted, spread = torch.zeros(len(targets), dtype=torch.float64), 1.0
    if size:
        chosen = torch.randperm(len(targets), generator=generator(seed, "warm_up"))[:size].to(features.device)
        predicted, spread = _fitted(features, chosen, targets[chosen], scaler, report)
    if params.targets == "random":
        return -spread * normals(len(targets), seed)[:, None], size
    return (predicted - targets.cpu().double())[:, None], size


def _fitted(features: Tensor, rows: Tensor, targets: Tensor, scaler: Scaler, report: Report) -> tuple[Tensor, float]:
    """(N,) what ridge regression on some rows says of all, and the error that it expects of itself."""
    report(Progress(f"Training the warm-up head on {len(rows)} labelled rows", 0))
    ridge = fit_ridge(scaler(features[rows]).cpu().double().numpy(), targets.cpu().double().numpy())
    blocks = row_blocks(features, features.shape[1])
    found = [torch.from_numpy(ridge.predict(scaler(block).cpu().double().numpy())) for block in blocks]
    return torch.cat(found), ridge.loo_error**0.5 if len(rows) > 1 else 1.0
