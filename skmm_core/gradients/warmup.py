"""A warm-up head: a linear softmax classifier trained on a small part of the pool, for methods that ask a model first.

It is trained on min(N, max(10 · classes, 5 % of N)) rows of the pool unless another size is given, with their labels;
where only some rows have a label, on exactly these. Neither validation nor test rows of the dataset come near it.
"""

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from torch import Tensor

from skmm_core.data import KnownTargets, Scaler, row_blocks
from skmm_core.device import generator
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report, ignore

_ROWS_PER_CLASS = 10
_SHARE = 20  # one row in twenty
_STRENGTH = 10.0  # weight of the summed loss against ½‖weights‖², times mean ‖x‖²
_MAX_ITER = 100
_TOL = 1e-3


@dataclass(frozen=True)
class WarmUp:
    """The head and what it says of every row of the pool. K counts the classes that occur in the pool.

    Attributes:
        rows: (w,) int64 rows of the pool that trained the head, ascending.
        held_out: (v,) int64 rows that did not, as many and as stratified where the pool has them; the rows themselves
            when the head was trained on all that have a label.
        labels: (N,) int64 class of every row of the pool, 0..K-1; -1 where it is not known.
        weights: (d, K) float64, for standardised columns.
        logits: (N, K) float64.
    """

    rows: Tensor
    held_out: Tensor
    labels: Tensor
    weights: Tensor
    logits: Tensor

    @cached_property
    def log_probabilities(self) -> Tensor:
        """(N, K) log p, always finite."""
        return self.logits.log_softmax(dim=1)

    @cached_property
    def probabilities(self) -> Tensor:
        """(N, K) p; may underflow to 0."""
        return self.log_probabilities.exp()

    @cached_property
    def residuals(self) -> Tensor:
        """(N, K) p - y with y the one-hot labels: the gradient of the loss in the logits.

        Raises:
            InputError: a row has no label.
        """
        if bool((self.labels < 0).any()):
            raise InputError("residuals need a label in every row; take a method that reads only the labels there are")
        rows = torch.arange(len(self.labels), device=self.labels.device)
        return self.probabilities.index_put((rows, self.labels), self.logits.new_tensor(-1.0), accumulate=True)


def warm_up_size(size: int, classes: int, *, asked: int | None = None) -> int:
    """Rows that train the head: min(N, max(10 · classes, 5 % of N)), or as many as asked but at least one a class."""
    wanted = max(_ROWS_PER_CLASS * classes, -(-size // _SHARE)) if asked is None else max(asked, classes)
    return min(size, wanted)


def train_warm_up(
    features: Tensor, targets: Tensor, scaler: Scaler, *, size: int | None, seed: int, report: Report = ignore
) -> WarmUp:
    """Train a linear softmax head on a stratified random part of the pool and apply it to all rows.

    The summed loss weighs 10 / mean ‖x‖² against ½‖weights‖²: a fixed strength, since tuning it on so few rows costs
    dozens of fits and gains little. O(N · d · K) once.

    Args:
        features: (N, d) rows.
        targets: (N,) int64 classes.
        scaler: of the pool.
        size: rows to train on; None takes :func:`warm_up_size`. At least one a class, at most N.
        seed: of the run; decides the rows.
        report: told before the fit.
    """
    classes, labels = targets.unique(return_inverse=True)
    size = warm_up_size(len(labels), len(classes), asked=size)
    report(Progress(f"Training the warm-up head on {size} labelled rows", 0))
    order = stratified_order(labels.cpu(), generator=generator(seed, "warm_up")).to(labels.device)
    rows, held_out = order[:size].sort().values, order[size : 2 * size].sort().values
    return _trained(features, labels, scaler, rows, held_out if len(held_out) else rows)


def train_on_known(features: Tensor, known: KnownTargets, scaler: Scaler, *, report: Report = ignore) -> WarmUp:
    """Train the same head on exactly the rows that have a label, and apply it to all rows.

    Args:
        features: (N, d) rows.
        known: which of them have a label, and their classes.
        scaler: of the pool.
        report: told before the fit.
    """
    report(Progress(f"Training the warm-up head on {len(known.rows)} labelled rows", 0))
    labels = torch.full((len(features),), -1, dtype=torch.int64, device=features.device)
    labels[known.rows] = known.values
    return _trained(features, labels, scaler, known.rows, known.rows)


def _trained(features: Tensor, labels: Tensor, scaler: Scaler, rows: Tensor, held_out: Tensor) -> WarmUp:
    chosen, truth = scaler(features[rows]).cpu().double().numpy(), labels[rows].cpu().numpy()
    coef, intercept = _fit_head(chosen, truth, strength=_STRENGTH / max(1, scaler.varying))
    weights, bias = torch.as_tensor(coef).to(scaler.mean), torch.as_tensor(intercept).to(scaler.mean)
    logits = torch.cat([scaler(block) @ weights + bias for block in row_blocks(features, features.shape[1])])
    return WarmUp(rows, held_out, labels, weights, logits)


def _fit_head(
    rows: NDArray[np.float64], labels: NDArray[np.int64], *, strength: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(d, K) weights and (K,) intercepts of multinomial logistic regression with L2; zeros for a single class."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    if labels.max() == 0:
        return np.zeros((rows.shape[1], 1)), np.zeros(1)
    model = LogisticRegression(C=strength, max_iter=_MAX_ITER, tol=_TOL)
    with warnings.catch_warnings(), threadpool_limits(1):  # thin products lose on several busy cores
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(rows, labels)
    coef, intercept = model.coef_.T, model.intercept_
    if coef.shape[1] == 1:  # of two classes scikit-learn keeps the score of the second only
        coef, intercept = np.hstack([0 * coef, coef]), np.append(0.0, intercept)
    return np.ascontiguousarray(coef), intercept


def stratified_order(labels: Tensor, *, generator: torch.Generator) -> Tensor:
    """A random order whose every prefix holds the classes in proportion, once each class has had its first row.

    The j-th row of a class of N_c, in random order, comes at (j + ½)/N_c; the first of every class before all others.

    Args:
        labels: (N,) int64 on the CPU, 0..K-1.
        generator: on the CPU.

    Returns:
        (N,) int64.
    """
    shuffled = torch.randperm(len(labels), generator=generator)
    by_class = shuffled[torch.sort(labels[shuffled], stable=True).indices]
    counts = labels.bincount()
    place = torch.arange(len(labels)) - (counts.cumsum(0) - counts)[labels[by_class]]
    position = torch.empty(len(labels), dtype=torch.float64)
    position[by_class] = ((place.double() + 0.5) / counts[labels[by_class]]).masked_fill(place == 0, 0.0)
    # equal keys, such as those of two classes of one size, are taken in random order
    return shuffled[torch.sort(position[shuffled], stable=True).indices]
