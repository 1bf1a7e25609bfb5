"""Statistics over families of data sets: what is made of one source counts once, however many data sets that gives.

A method that suits one source suits the data sets made of it: other classes, wrong labels, a long tail, other targets.
Their results are no independent draws, and tests that take them for such claim too much. So values are averaged within
a family first, and families are the blocks of tests and the draws of intervals. Nothing here imports torch.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from skmm_core.comparison.statistics import LEVEL, Interval

Array = NDArray[np.float64]


def family_means(values: ArrayLike, families: Sequence[str]) -> Array:
    """Mean of the rows of each family.

    Args:
        values: (D, ...) one entry a data set.
        families: (D,) family of each.

    Returns:
        (F, ...) one entry a family, in the order in which families first occur.
    """
    table, names = np.asarray(values, dtype=np.float64), np.asarray(families)
    return np.stack([table[names == family].mean(axis=0) for family in dict.fromkeys(families)])


def student_interval(values: ArrayLike, *, level: float = LEVEL) -> Interval:
    """Student's interval of the mean of what families, the draws, were drawn from.

    Unlike a bootstrap it holds its level for two values as well as for twenty, if they are normal, which so few cannot
    show. With one value its ends are NaN.

    Args:
        values: (F,) one value a family.
        level: wanted coverage.
    """
    numbers = np.asarray(values, dtype=np.float64)
    mean, size = float(numbers.mean()), len(numbers)
    if size < 2:
        return Interval(mean, np.nan, np.nan)
    reach = float(stdtrit(size - 1, (1 + level) / 2)) * float(numbers.std(ddof=1)) / np.sqrt(size)
    return Interval(mean, float(mean - reach), float(mean + reach))


def smallest_p(families: int, tests: int = 1) -> float:
    """Smallest p-value that a two-sided sign-flip test can give, corrected after Holm over so many tests.

    When every family speaks for the same side, two of 2^families sign patterns are as extreme.
    """
    return min(1.0, tests * 2.0 ** (1 - families)) if families > 1 else 1.0
