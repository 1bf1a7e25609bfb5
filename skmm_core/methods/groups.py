"""Pick with groups kept whole or capped, such as patients, scenes or videos; the same way for every method.

A method is asked again and again, each time with the points kept so far as given, until the budget is reached. What it
picks of a group that is full by then is left out, and the group's other points are closed to it. As each round fills at
least one group, there are at most as many rounds as groups; most selections take two or three.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch

from skmm_core.errors import InputError
from skmm_core.methods.selection import Selection

# Picks so many points, the given ones among them and first, from what is not closed.
Pick = Callable[[int, Sequence[int], Sequence[int]], Selection]


def pick_capped(
    pick: Pick, budget: int, groups: np.ndarray, cap: int, *, given: Sequence[int], closed: Sequence[int]
) -> Selection:
    """Pick with at most `cap` points of every group, given ones among them.

    Args:
        pick: picks points with the method; its arguments are how many in all, which are given and which are closed.
        budget: points in all, given ones among them.
        groups: (N,) int64 group of every row of the pool.
        cap: most points of a group; groups with as many given ones get no other.
        given: rows that are in already.
        closed: rows never to be picked.

    Raises:
        InputError: the groups do not hold so many points.
    """
    kept, out = list(given), set(closed)
    most = _most(groups, cap, kept, out)
    if budget > most:
        raise InputError(
            f"with at most {cap:,} a group only {most - len(given):,} points can be picked; lower the budget "
            f"({budget - len(given):,}) or allow more a group (--per-group)"
        )
    while True:
        count = Counter(groups[kept].tolist())
        full = np.isin(groups, [group for group, have in count.items() if have >= cap])
        full[kept] = False
        found = pick(budget, kept, sorted(out | set(np.flatnonzero(full).tolist())))
        before = len(kept)
        for row in found.indices.tolist()[before:]:
            if count[groups[row]] < cap:
                count[groups[row]] += 1
                kept.append(row)
        if len(kept) == budget:
            return found


def pick_whole(
    pick: Pick, budget: int, groups: np.ndarray, *, given: Sequence[int], closed: Sequence[int]
) -> Selection:
    """Pick groups as a whole: every point of a group that is not closed, or none of them but given ones.

    The group of each picked point, in pick order, is taken if it fits in what is left of the budget. So there may be
    fewer points than the budget, where no other group fits. All points weigh the same.

    Args:
        pick: as for :func:`pick_capped`.
        budget: most points in all, given ones among them.
        groups: (N,) int64 group of every row of the pool.
        given: rows that are in already.
        closed: rows never to be picked.

    Raises:
        InputError: no group fits.
    """
    kept, out = list(given), set(closed)
    while True:
        free = np.ones(len(groups), bool)
        free[[*kept, *out]] = False
        sizes = Counter(groups[free].tolist())
        fits = free & np.isin(groups, [group for group, size in sizes.items() if size <= budget - len(kept)])
        if not fits.any():
            break
        shut = ~fits
        shut[kept] = False
        wanted = min(budget, len(kept) + int(fits.sum()))
        found = pick(wanted, kept, np.flatnonzero(shut).tolist())
        for row in found.indices.tolist()[len(kept) :]:
            group = groups[row]
            if sizes[group] and sizes[group] <= budget - len(kept):
                members = np.flatnonzero(free & (groups == group)).tolist()
                kept += [row, *(other for other in members if other != row)]
                sizes[group] = 0
    if len(kept) == len(given):
        least = min(Counter(groups[[row not in {*kept, *out} for row in range(len(groups))]].tolist()).values())
        raise InputError(
            f"no group fits in a budget of {budget - len(given):,}: the smallest has {least:,} points; raise the "
            "budget or cap the groups (--per-group K)"
        )
    indices = torch.tensor(kept, dtype=torch.int64)
    weights = torch.full((len(kept),), 1 / len(kept), dtype=torch.float64)
    short = budget - len(kept)
    told = (f"No other group fits: {short:,} points of the budget are left.",) if short else ()
    return replace(found, indices=indices, weights=weights, remarks=(*found.remarks, *told))


def _most(groups: np.ndarray, cap: int, given: Sequence[int], out: set[int]) -> int:
    """Points that can be in, given ones among them."""
    free = np.ones(len(groups), bool)
    free[[*given, *out]] = False
    have = Counter(groups[list(given)].tolist())
    return len(given) + sum(
        min(size, max(0, cap - have[group])) for group, size in Counter(groups[free].tolist()).items()
    )
