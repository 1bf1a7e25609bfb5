"""With families as blocks, tests and intervals of the evidence hold their level; with data sets as blocks they do not.

Identical methods on data sets of several sources: a method has luck with a source, and this luck is on all data sets
made of it. Luck of 5 % is all that a test may take for a difference.
"""

import numpy as np
import pytest

from skmm_core.comparison.families import family_means, smallest_p, student_interval
from skmm_core.comparison.ranks import critical_difference, friedman, ranks
from skmm_core.comparison.statistics import holm, paired_difference

pytestmark = pytest.mark.statistical
ALL = [4, 6, 3, 1, 1, 1, 1, 1]  # data sets by family, as in the evidence
CLASSES = [3, 4, 1, 1]
LEVEL = 0.05


def names(sizes):
    return [str(family) for family, size in enumerate(sizes) for _ in range(size)]


def lucky(rng, sizes, methods):
    """(D, M) scores of identical methods: luck with the source, and a smaller one with each data set of it."""
    sources = np.repeat(rng.normal(size=(len(sizes), methods)), sizes, axis=0)
    return sources + 0.5 * rng.normal(size=sources.shape)


def allowed(times):
    """Most rejections in so many runs of a test that holds its level: three standard errors above it."""
    return times * LEVEL + 3 * np.sqrt(times * LEVEL * (1 - LEVEL))


@pytest.mark.parametrize(("sizes", "methods"), [(ALL, 14), (CLASSES, 12), ([2, 3, 1], 4)])
def test_friedman_and_nemenyi_over_families_hold_their_level(sizes, methods):
    rng, times = np.random.default_rng(0), 400
    over_families, over_datasets, apart = 0, 0, 0
    for _ in range(times):
        ranked = ranks(lucky(rng, sizes, methods), higher_is_better=True)
        blocks = ranks(family_means(ranked, names(sizes)), higher_is_better=False)
        over_families += friedman(blocks, draws=499).p <= LEVEL
        over_datasets += friedman(ranked, draws=499).p <= LEVEL
        apart += np.ptp(blocks.mean(axis=0)) > critical_difference(methods, len(sizes))
    assert over_families <= allowed(times)
    assert apart <= allowed(times)
    assert over_datasets > allowed(times), "or the simulation is no test of the difference"


def test_paired_tests_over_families_hold_their_level_after_holm():
    rng, times, methods = np.random.default_rng(1), 200, 4
    claims = {"families": 0, "data sets": 0}
    for _ in range(times):
        scores = lucky(rng, ALL, methods)
        for name, rows in (("families", family_means(scores, names(ALL))), ("data sets", scores)):
            found = [paired_difference(rows[:, k], rows[:, 0], higher_is_better=True).p for k in range(1, methods)]
            claims[name] += holm(found).min() <= LEVEL
    assert claims["families"] <= allowed(times)
    assert claims["data sets"] > allowed(times)


@pytest.mark.parametrize("sizes", [ALL, CLASSES, [1, 1]])
def test_intervals_over_families_cover_what_they_say(sizes):
    rng, times = np.random.default_rng(2), 1000
    missed, missed_by_datasets = 0, 0
    for _ in range(times):
        scores = lucky(rng, sizes, 1)[:, 0]
        found, other = student_interval(family_means(scores, names(sizes))), student_interval(scores)
        missed += not found.lo <= 0 <= found.hi
        missed_by_datasets += not other.lo <= 0 <= other.hi
    assert missed <= allowed(times)
    assert max(sizes) == 1 or missed_by_datasets > allowed(times)


def test_families_count_once_and_keep_their_order():
    means = family_means([[1.0, 2], [3, 4], [10, 0]], ["b", "b", "a"])
    assert means.tolist() == [[2, 3], [10, 0]]


def test_students_interval_is_the_textbooks():
    found = student_interval([1.0, 2.0, 3.0, 6.0])
    assert found.mean == 3
    assert found.hi - 3 == pytest.approx(3.18244630528 * np.sqrt(14 / 3) / 2), "t with 3 degrees of freedom, sd, root n"
    assert 3 - found.lo == pytest.approx(found.hi - 3)
    assert np.isnan([student_interval([1.0]).lo, student_interval([1.0]).hi]).all()


@pytest.mark.parametrize("families", [2, 3, 5, 8])
def test_the_smallest_p_is_that_of_families_that_all_agree(families):
    differences = np.arange(1.0, families + 1)
    found = paired_difference(differences, 0 * differences, higher_is_better=True).p
    assert smallest_p(families) == pytest.approx(found)
    assert smallest_p(families, 3) == pytest.approx(holm([found] * 3).min())
