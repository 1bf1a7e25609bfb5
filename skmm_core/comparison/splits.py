"""What a method saves over many splits of a dataset into pool and test rows, since any single split may be lucky.

Nothing here imports torch before scores are computed, so that a page can read finished ones at once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from skmm_core.comparison.cells import compare
from skmm_core.comparison.savings import Relation, whole
from skmm_core.comparison.summary import Comparison
from skmm_core.config import CompareJob, SketchParams
from skmm_core.progress import Progress, Report, ignore

if TYPE_CHECKING:
    from skmm_core.data import Dataset


@dataclass(frozen=True)
class Typical:
    """The saving in the middle of many splits, and its range over them.

    A split whose saving lies beyond the budgets measured counts with the bound that is known of it.

    Attributes:
        splits: how many there are.
        relation: of the middle: ABOUT, or MORE_THAN or LESS_THAN where it lies beyond the budgets measured.
        factor: median over splits of the points that random picks need, divided by those of the method; None unless
            ABOUT.
        needed: that many random points, rounded up; None unless ABOUT.
        low, high: smallest and largest factor of a split.
        below, above: whether these are bounds: the factor is less than `low`, or more than `high`.
        none: splits on which the method saved nothing: a factor of 1 or less.
    """

    splits: int
    relation: Relation
    factor: float | None
    needed: int | None
    low: float
    high: float
    below: bool
    above: bool
    none: int


def compare_splits(
    load: "Callable[[int], Dataset]",
    splits: Sequence[int],
    job: CompareJob,
    *,
    sketch: SketchParams,
    device: str,
    report: Report = ignore,
) -> dict[int, Comparison]:
    """Make the same comparison on every split.

    Args:
        load: gives the dataset in the split of a number.
        splits: their numbers.
        job: methods, budgets and seeds on each split.
        sketch: how gradients are sketched.
        device: where to compute.
        report: told of every cell.

    Returns:
        Comparison by split.

    Raises:
        InputError: see :func:`~skmm_core.comparison.cells.compare`.
        Cancelled: raised by `report`.
    """

    def on(number: int) -> Report:
        def told(progress: Progress) -> None:
            report(Progress(f"Split {number}: {progress.phase}", progress.step, progress.total))

        return told

    return {number: compare(load(number), job, sketch=sketch, device=device, report=on(number)) for number in splits}


def split_savings(found: Mapping[int, Comparison], method: str, budget: int) -> list[dict[str, Any]]:
    """The row of `Comparison.savings` of a method at a budget from every split, with the number of the split."""
    return [
        {"split": number, **row}
        for number, each in found.items()
        for row in each.savings
        if (row["method"], row["budget"]) == (method, budget)
    ]


def typical_saving(savings: Sequence[Mapping[str, Any]]) -> Typical:
    """The saving in the middle of splits.

    The median, since it stays known where some splits give bounds alone. Splits of one dataset share rows, so this is
    what to expect of another split of these data; it says little of other data, and no interval is claimed.

    Args:
        savings: of :func:`split_savings`, one a split, at least one; all at the same budget.
    """
    budget = int(savings[0]["budget"])
    factors = np.array([_factor(row) for row in savings])
    lower, upper = np.sort(factors)[[(len(factors) - 1) // 2, len(factors) // 2]]
    middle = float(np.sqrt(lower * upper) if np.isfinite(upper) else lower)  # the side that claims less
    relation = Relation.ABOUT if 0 < middle < np.inf else Relation.MORE_THAN if middle else Relation.LESS_THAN
    known = relation is Relation.ABOUT
    lowest, highest = (savings[int(pick(factors))] for pick in (np.argmin, np.argmax))
    below, above = lowest["relation"] == Relation.LESS_THAN, highest["relation"] == Relation.MORE_THAN
    return Typical(
        splits=len(savings),
        relation=relation,
        factor=middle if known else None,
        needed=int(whole(middle * budget)) if known else None,
        low=lowest["bound"] / budget if below else float(factors.min()),
        high=highest["bound"] / budget if above else float(factors.max()),
        below=below,
        above=above,
        none=int((factors <= 1).sum()),
    )


def _factor(saving: Mapping[str, Any]) -> float:
    """The factor of a split, 0 or infinite where it is only bounded; of saturated scores, which show no saving, 1."""
    beyond = {Relation.LESS_THAN: 0.0, Relation.MORE_THAN: np.inf, Relation.SATURATED: 1.0}
    return float(beyond.get(saving["relation"], saving["factor"]))
