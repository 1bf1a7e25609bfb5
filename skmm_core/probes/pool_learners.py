"""Train a learner on the chosen points, with what the pool tells without labels, and score it on the test rows."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skmm_core.data import Dataset, Task
from skmm_core.errors import InputError
from skmm_core.probes.linear_probe import ProbeScore, check_scorable, number_scalings, score_probe
from skmm_core.probes.metrics import classification_metrics, regression_metrics
from skmm_core.probes.views import PoolView, pool_view
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers import (
    AveragedRidge,
    LinearClassifier,
    SpreadFit,
    at_most_threads,
    average_ridge,
    content_order,
    fit_classifier,
    fit_spread,
    judge,
    spread_labels,
    stratified_folds,
)

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
_FOLDS = 5
_ONE_FOLD_ABOVE = 2_000  # rows, as in the linear probe
_ERRORS = 2.0  # standard errors by which folds must speak for the linear probe: propagation is seldom behind
_FEW_NUMBERS = 50_000_000  # rows × columns: more threads gain nothing below
_KERNEL_SCALES = (0.3, 1.0, 3.0)  # squared bandwidth over the median squared distance
_FOLDS_TEXT = "folds of the selection"
_LIKELIHOOD = "likelihood of the selection"
_NOTHING = "nothing: it has no strength to choose"


def score_learner(
    dataset: Dataset, chosen: Tensor, learner: str, *, seed: int = 0, report: Report = ignore
) -> ProbeScore:
    """Train a learner on the chosen points of the pool and score it on the test rows once.

    Args:
        dataset: with targets and test rows.
        chosen: (n,) distinct positions in the pool, 0..N-1.
        learner: "linear", see :func:`score_probe`; "propagate"; "auto"; for classes "prototype"; for numbers "kernel".
        seed: of the inner folds.
        report: told of every fit.

    Raises:
        InputError: the dataset has no targets or no test rows, nothing is chosen, or the learner does not fit the task.
    """
    check_scorable(dataset)
    if learner == "linear":
        return score_probe(dataset, chosen, seed=seed, report=report)
    if not len(chosen):
        raise InputError("no points are chosen; a learner needs at least 1")
    makers = _OF_CLASSES if dataset.task is Task.CLASSIFICATION else _OF_NUMBERS
    if learner not in makers:
        raise InputError(f"learner {learner} does not fit a {dataset.task.value}; choose linear, {', '.join(makers)}")
    report(Progress("Training the learner", 0))
    with at_most_threads(1 if dataset.pool_size * dataset.features.shape[1] < _FEW_NUMBERS else None):
        return makers[learner](pool_view(dataset, report), chosen.cpu().numpy().astype(np.int64), seed, report)


def _prototype(view: PoolView, chosen: Labels, seed: int, report: Report) -> ProbeScore:
    """The class whose mean over the chosen points is nearest, on partly whitened rows of unit length."""
    labels = _labels(view, chosen)
    classes, within = np.unique(labels, return_inverse=True)
    means = np.stack(
        [view.rows[chosen[within == each]].astype(np.float64).mean(axis=0) for each in range(len(classes))]
    )
    scores = view.test @ means.T - (means**2).sum(axis=1) / 2
    return _of_classes(view, classes[np.argmax(scores, axis=1)], _NOTHING)


def _propagated(view: PoolView, chosen: Labels, seed: int, report: Report) -> ProbeScore:
    classes, scores = propagated_scores(view, chosen, _labels(view, chosen), None, seed=seed, report=report)
    return _of_classes(view, classes[np.argmax(scores, axis=1)], _FOLDS_TEXT)


def propagated_scores(
    view: PoolView,
    chosen: Labels,
    labels: Labels,
    asked: tuple[Labels, Labels] | None,
    *,
    seed: int,
    report: Report = ignore,
) -> tuple[Labels, Array]:
    """Scores of the classes by two fits, each divided by its spread over the pool and added up.

    One is the linear classifier of the probe on rows smoothed over the pool's graph of neighbours (Wu et al. 2019,
    Simplifying graph convolutional networks). The other is a linear fit to the labels spread over that graph (Zhou et
    al. 2003). With one label a class the second is ahead, with ten the first; the sum is near the better one.

    Args:
        view: of the pool.
        chosen: (n,) labelled rows of the pool.
        labels: (n,) their classes.
        asked: (M,) rows of the pool to score, and their classes, on which the smoothed fit is then tuned; None scores
            the test rows, and inner folds tune.
        seed: of the inner folds.
        report: told of every fit.

    Returns:
        (K,) classes among the labels, and (M, K) scores.
    """
    rows = view.test if asked is None else view.rows[asked[0]]
    if len(np.unique(labels)) == 1:
        return labels[:1], np.zeros((len(rows), 1))
    smoothed = view.smoothed_test if asked is None else view.smoothed(asked[0])
    fitted = fit_propagation(view, chosen, labels, None if asked is None else (smoothed, asked[1]), seed, report)
    smooth, spread = fitted.smooth.scores(smoothed), fitted.spread.scores(rows)
    return fitted.classes, fitted.weights[0] * smooth + fitted.weights[1] * spread


@dataclass(frozen=True)
class Propagation:
    """Both fits, see :func:`propagated_scores`.

    Attributes:
        classes: (K,) among the labels, K >= 2.
        smooth: of smoothed rows.
        spread: of what the graph spreads.
        weights: of the scores of either: one over their spread in the pool.
    """

    classes: Labels
    smooth: LinearClassifier
    spread: SpreadFit
    weights: tuple[float, float]


def fit_propagation(
    view: PoolView, chosen: Labels, labels: Labels, held_out: tuple[Array, Labels] | None, seed: int, report: Report
) -> Propagation:
    """Fit both parts to at least two classes, the smoothed one tuned on smoothed rows held out or in inner folds."""
    order = content_order(view.rows[chosen].astype(np.float64), labels)
    chosen, labels = chosen[order], labels[order]
    classes, within = np.unique(labels, return_inverse=True)
    smooth = fit_classifier(view.smoothed(chosen), labels, validation=held_out, seed=seed, report=report)
    indicators = np.eye(len(classes))[within]
    spread = fit_spread(view.rows, spread_labels(view.graph, chosen, indicators), chosen, indicators)
    weights = 1 / _spread(smooth.scores(view.smoothed_sample)), 1 / _spread(spread.scores(view.rows[view.sample]))
    return Propagation(classes, smooth, spread, weights)


def _auto(view: PoolView, chosen: Labels, seed: int, report: Report) -> ProbeScore:
    """Propagation, unless held-out rows of the selection clearly say that the linear probe is better."""
    if linear_is_better(view, chosen, _labels(view, chosen), seed, report):
        found = score_probe(view.dataset, torch.from_numpy(chosen), seed=seed, report=report)
        return replace(found, settled="linear")
    return replace(_propagated(view, chosen, seed, report), settled="propagate")


def linear_is_better(view: PoolView, chosen: Labels, labels: Labels, seed: int, report: Report) -> bool:
    """Whether folds of the selection clearly say so; fits of either are tuned on the fold that is held out, alike."""
    order = content_order(view.rows[chosen].astype(np.float64), labels)
    chosen, labels = chosen[order], labels[order]
    classes, within = np.unique(labels, return_inverse=True)
    if len(classes) == 1 or len(classes) == len(labels):
        return False
    fold = stratified_folds(within, _FOLDS, seed)
    fold = np.where(fold > 0, -1, 0) if len(labels) > _ONE_FOLD_ABOVE else fold
    features = view.dataset.scaler(view.dataset.features[view.dataset.split.train[torch.from_numpy(chosen)]]).numpy()
    linear, spread = (np.full((len(labels), len(classes)), -np.inf) for _ in range(2))
    for each in range(int(fold.max()) + 1):
        out = fold == each
        told = features[out], labels[out]
        fit = fit_classifier(features[~out], labels[~out], validation=told, seed=seed, report=report)
        seen = np.searchsorted(classes, fit.classes)
        linear[np.ix_(out, seen)] = fit.scores(features[out])
        spread[np.ix_(out, seen)] = propagated_scores(
            view, chosen[~out], labels[~out], (chosen[out], labels[out]), seed=seed, report=report
        )[1]
    asked = fold >= 0
    smoothing = 1 / (len(labels) / len(classes) + 2)
    verdicts = [
        judge(scores[asked], within[asked], smoothing=smoothing, expected=1 / _spread(scores[np.isfinite(scores)]))
        for scores in (linear, spread)
    ]
    return verdicts[0].clearly_beats(verdicts[1], errors=_ERRORS)


def _spread(scores: Array) -> float:
    """Standard deviation of scores about the mean of their row; 1 where there is none."""
    centred = scores - scores.mean(axis=1, keepdims=True) if scores.ndim > 1 else scores - scores.mean()
    return float(np.std(centred)) or 1.0


def _labels(view: PoolView, chosen: Labels) -> Labels:
    targets = check_scorable(view.dataset)
    return targets[view.dataset.split.train[torch.from_numpy(chosen)]].numpy().astype(np.int64)


def _of_classes(view: PoolView, predicted: Labels, tuned_on: str) -> ProbeScore:
    truth = check_scorable(view.dataset)[view.dataset.split.test].numpy()
    return ProbeScore(classification_metrics(truth, predicted), np.nan, tuned_on, 0, predicted)


def _smoothed_ridge(view: PoolView, chosen: Labels, seed: int, report: Report) -> ProbeScore:
    """The ridge average of the probe, on rows smoothed over the pool's graph of neighbours."""
    return _of_numbers(view, *_average(view, chosen, _smoothed_scalings(view, chosen)))


def _kernel(view: PoolView, chosen: Labels, seed: int, report: Report) -> ProbeScore:
    """Ridge with a Gaussian kernel on standardised rows, averaged over bandwidths and penalties by their likelihood."""
    return _of_numbers(view, *_average(view, chosen, _kernel_columns(view, chosen)))


def _average_of_all(view: PoolView, chosen: Labels, seed: int, report: Report) -> ProbeScore:
    """The average over plain and smoothed rows; it settles on what weighs more."""
    plain = number_scalings(view.dataset, view.dataset.scaler(_features(view, chosen)).numpy())
    test = view.dataset.features[view.dataset.split.test]
    plain_test = number_scalings(view.dataset, view.dataset.scaler(test).numpy())
    smooth, smooth_test = _smoothed_scalings(view, chosen)
    fitted, predicted = _average(view, chosen, ([*plain, *smooth], [*plain_test, *smooth_test]))
    settled = "propagate" if sum(fitted.shares[len(plain) :]) > 0.5 else "linear"
    return replace(_of_numbers(view, fitted, predicted), settled=settled)


_Columns = tuple[list[Array], list[Array]]  # of the chosen rows and of the test rows, in every scaling


def _smoothed_scalings(view: PoolView, chosen: Labels) -> _Columns:
    return (
        list(number_scalings(view.dataset, view.smoothed(chosen))),
        list(number_scalings(view.dataset, view.smoothed_test)),
    )


def _kernel_columns(view: PoolView, chosen: Labels) -> _Columns:
    """Columns whose products are the kernel of the chosen rows, for every bandwidth."""
    scaler, split = view.dataset.scaler, view.dataset.split
    rows, test = scaler(_features(view, chosen)).numpy(), scaler(view.dataset.features[split.test]).numpy()
    sample = scaler(_features(view, view.sample)).numpy()
    half = len(sample) // 2
    apart = ((sample[:half] - sample[half : 2 * half]) ** 2).sum(axis=1)
    median = float(np.median(apart)) if half else 1.0
    near, far = _squared(rows, rows), _squared(test, rows)
    columns: _Columns = ([], [])
    for scale in _KERNEL_SCALES:
        width = 2 * scale * (median or 1.0)
        energy, vectors = np.linalg.eigh(np.exp(-near / width))
        kept = energy > len(energy) * 1e-14 * energy[-1]
        basis = vectors[:, kept] / np.sqrt(energy[kept])
        columns[0].append(np.exp(-near / width) @ basis)
        columns[1].append(np.exp(-far / width) @ basis)
    return columns


def _squared(rows: Array, others: Array) -> Array:
    squared: Array = (rows**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * rows @ others.T
    return squared.clip(min=0)


def _features(view: PoolView, chosen: Labels) -> Tensor:
    return view.dataset.features[view.dataset.split.train[torch.from_numpy(chosen)]]


def _average(view: PoolView, chosen: Labels, columns: _Columns) -> tuple[AveragedRidge, Array]:
    targets = check_scorable(view.dataset)
    wanted = targets[view.dataset.split.train[torch.from_numpy(chosen)]].double().numpy()
    order = content_order(columns[0][0], wanted)
    fitted = average_ridge([each[order] for each in columns[0]], wanted[order])
    return fitted, fitted.predict(columns[1])


def _of_numbers(view: PoolView, fitted: AveragedRidge, predicted: Array) -> ProbeScore:
    truth = check_scorable(view.dataset)[view.dataset.split.test].double().numpy()
    return ProbeScore(regression_metrics(truth, predicted), fitted.alpha, _LIKELIHOOD, 0, predicted)


_OF_CLASSES = {"prototype": _prototype, "propagate": _propagated, "auto": _auto}
_OF_NUMBERS = {"kernel": _kernel, "propagate": _smoothed_ridge, "auto": _average_of_all}
