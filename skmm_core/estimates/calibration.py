"""Probabilities of classes out of scores: sharpened or softened by one number until held-out labels agree.

Guo, Pleiss, Sun & Weinberger (2017), On calibration of modern neural networks: temperature scaling. The scores that it
is fitted to are of labelled rows that the model did not see.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from skmm_core.estimates.out_of_fold import OutOfFold
from skmm_core.solvers import judge

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
_BINS = 10


def fitted_scale(held_out: OutOfFold, classes: Labels) -> float:
    """What scores are multiplied by before they become probabilities: the number that makes the log-loss smallest.

    Args:
        held_out: scores of n labelled rows.
        classes: (n,) their labels.
    """
    scores = held_out.scores.reshape(-1, held_out.scores.shape[-1])
    truth = np.tile(classes, held_out.repeats)
    seen = np.isfinite(scores)
    centred = np.where(seen, scores, 0.0)
    centred -= np.where(seen, centred.sum(axis=1, keepdims=True) / np.maximum(seen.sum(axis=1, keepdims=True), 1), 0.0)
    spread = float(np.sqrt((centred[seen] ** 2).mean())) or 1.0
    return judge(scores, truth, smoothing=1 / (len(classes) + 2), expected=1 / spread).scale


def unseen_share(counts: Labels) -> float:
    """Share of a pool that is of classes without any label: about the share of labels that are alone in their class.

    Good (1953), The population frequencies of species and the estimation of population parameters.

    Args:
        counts: (K,) labels of each class.
    """
    return float((counts == 1).sum() / max(1, counts.sum()))


def probabilities(scores: Array, scale: float, unseen: float = 0.0) -> Array:
    """Probabilities (…, K) of scores, which add up to what is left beside classes without a label.

    Args:
        scores: (…, K); -∞ for a class that the model has not seen, whose probability is 0.
        scale: see :func:`fitted_scale`.
        unseen: see :func:`unseen_share`.
    """
    found: Array = softmax(scores * scale, axis=-1) * (1 - unseen)
    return found


def calibration_error(confidence: Array, correct: Array, *, bins: int = _BINS) -> float:
    """How far confidence and share of correct rows lie apart, 0..1, over bins with equally many rows (ECE).

    Naeini, Cooper & Hauskrecht (2015); bins of equal mass (Nixon et al. 2019, Measuring calibration in deep learning).
    """
    order = np.argsort(confidence, kind="stable")
    parts = np.array_split(order, min(bins, len(order)))
    gaps = [len(part) * abs(confidence[part].mean() - correct[part].mean()) for part in parts]
    return float(sum(gaps) / len(order))
