"""A linear predictor of classes, as fits hand it out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class LinearClassifier:
    """Predicts the class with the largest linear score.

    Attributes:
        classes: (K,) class indices it can predict: those seen in training.
        coef: (d, K).
        intercept: (K,).
        alpha: L2 penalty of its logistic part, on ½‖coef‖² beside the summed loss; ∞ for the constant predictor of a
            selection with one class.
    """

    classes: Labels
    coef: Array
    intercept: Array
    alpha: float

    def scores(self, features: NDArray[np.floating]) -> Array:
        """(M, K) scores of (M, d) rows."""
        scores: Array = features @ self.coef + self.intercept
        return scores

    def predict(self, features: NDArray[np.floating]) -> Labels:
        """(M,) classes of (M, d) rows."""
        picked: Labels = self.classes[np.argmax(self.scores(features), axis=1)]
        return picked
