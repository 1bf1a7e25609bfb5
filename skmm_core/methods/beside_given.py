"""Pick new points beside those that are given, such as those with a label: these count as covered and cost nothing."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch

from skmm_core.errors import InputError
from skmm_core.methods.groups import pick_capped, pick_whole
from skmm_core.methods.selection import Selection, run_method
from skmm_core.methods.spec import MethodParams, MethodSpec
from skmm_core.pool import Pool
from skmm_core.progress import Report


@dataclass(frozen=True)
class Decided:
    """What is decided before a method picks.

    Attributes:
        given: rows that count as chosen and are in no budget; None takes those of a pool that have a label where only
            some have.
        include: rows to pick in any case; they count in the budget.
        exclude: rows never to pick.
        groups: (N,) int64 group of every row, or None.
        per_group: most points of a group, given ones among them; "whole" takes groups whole.
    """

    given: Sequence[int] | None = None
    include: Sequence[int] = ()
    exclude: Sequence[int] = ()
    groups: np.ndarray | None = None
    per_group: int | Literal["whole"] | None = None

    def given_in(self, pool: Pool) -> list[int]:
        """Rows that are given."""
        if self.given is None:
            return [] if pool.known is None else pool.known.rows.tolist()
        return list(self.given)


def pick_beside_given(
    spec: MethodSpec, pool: Pool, budget: int, params: MethodParams, decided: Decided, *, seed: int, report: Report
) -> Selection:
    """Have a method pick `budget` new points.

    Returns:
        Given points first, then the new ones; weights are of all.

    Raises:
        InputError: the budget is at odds with what is decided.
        Cancelled: raised by `report`.
    """
    began = time.perf_counter()
    given = decided.given_in(pool)
    left = pool.size - len(given) - len(decided.exclude)
    if given and not 1 <= budget <= left:
        raise InputError(
            f"budget {budget:,} is outside 1..{left:,}; of {pool.size:,} points {len(given):,} are given and "
            f"{len(decided.exclude):,} excluded"
        )

    def pick(most: int, include: Sequence[int], exclude: Sequence[int]) -> Selection:
        part = pool
        if include or exclude:
            rows = (torch.tensor(list(part), dtype=torch.int64) for part in (include, exclude))
            part = pool.decide(*rows)
        return run_method(spec, part, most, params, seed=seed, began=began, report=report)

    included, total = [*given, *decided.include], len(given) + budget
    if decided.groups is None or decided.per_group is None:
        return pick(total, included, decided.exclude)
    if decided.per_group == "whole":
        return pick_whole(pick, total, decided.groups, given=included, closed=decided.exclude)
    return pick_capped(pick, total, decided.groups, decided.per_group, given=included, closed=decided.exclude)


def new_points(whole: Selection, given: int) -> Selection:
    """A selection without the points given to it, which come first; weights sum to 1 again."""
    if not given:
        return whole
    weights = whole.weights[given:]
    return replace(whole, indices=whole.indices[given:], weights=weights / weights.sum())
