"""Pick within every class, with quotas that add up to the budget exactly."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from skmm_core.data import Given, Task
from skmm_core.errors import InputError
from skmm_core.methods.registry import Picks, Status
from skmm_core.pool import Pool


def class_members(pool: Pool, method: str) -> list[Tensor]:
    """Rows of every class that has any, ascending.

    Raises:
        InputError: the pool has no classes.
    """
    if pool.task is not Task.CLASSIFICATION or pool.targets is None:
        raise InputError(f"{method} param stratify needs class labels, which this dataset lacks; leave stratify off")
    members = ((pool.targets == label).nonzero().squeeze(1) for label in range(pool.n_classes))
    return [rows for rows in members if len(rows)]


def class_quotas(
    sizes: Sequence[int], budget: int, *, least: Sequence[int] | None = None, most: Sequence[int] | None = None
) -> list[int]:
    """Split the budget in proportion to the sizes: largest remainders first, ties to the lower class.

    No quota exceeds its size, as budget <= sum of the sizes. With bounds, what they add or take away is evened out by
    the classes that are then farthest from their share.

    Args:
        sizes: rows of every class.
        budget: what the quotas add up to; sum of `least` <= budget <= sum of `most`.
        least: points of a class that are in by hand.
        most: points of a class that are not kept out by hand.
    """
    total = sum(sizes)
    quotas = [size * budget // total for size in sizes]
    by_remainder = sorted(range(len(sizes)), key=lambda label: -(sizes[label] * budget % total))
    for label in by_remainder[: budget - sum(quotas)]:
        quotas[label] += 1
    least, most = least or [0] * len(sizes), most or sizes
    quotas = [min(max(quota, low), high) for quota, low, high in zip(quotas, least, most, strict=True)]
    while short := budget - sum(quotas):
        step = 1 if short > 0 else -1
        movable = [c for c in range(len(sizes)) if (quotas[c] < most[c] if step > 0 else quotas[c] > least[c])]
        quotas[max(movable, key=lambda c: step * (sizes[c] * budget - quotas[c] * total))] += step
    return quotas


@dataclass(frozen=True)
class ClassPart:
    """One class that gets points.

    Attributes:
        rows: (N_c,) int64 rows of the class in the pool, ascending.
        quota: points to pick, >= 1.
        given: what was decided by hand of these rows, numbered within the class.
    """

    rows: Tensor
    quota: int
    given: Given


def class_parts(pool: Pool, budget: int, method: str) -> list[ClassPart]:
    """Classes that get points, each with its share of the pool as far as decisions by hand allow.

    Raises:
        InputError: the pool has no classes.
    """
    members = class_members(pool, method)
    given = [pool.given.of(rows) for rows in members]
    least = [len(part.start) for part in given]
    most = [low + int(part.free.sum()) for low, part in zip(least, given, strict=True)]
    quotas = class_quotas([len(rows) for rows in members], budget, least=least, most=most)
    parts = zip(members, quotas, given, strict=True)
    return [ClassPart(rows, quota, part) for rows, quota, part in parts if quota]


def rows_without_a_point(pool: Pool, parts: Sequence[ClassPart], method: str) -> list[Tensor]:
    """Rows of every class that has some but gets no point, as where there are fewer points than classes."""
    members = class_members(pool, method)
    taken = {int(part.rows[0]) for part in parts}
    return [rows for rows in members if int(rows[0]) not in taken]


def pick_by_class(pool: Pool, budget: int, method: str, pick: Callable[[Pool, int], Picks]) -> Picks:
    """Run a method within every class and merge, so that every prefix holds the classes in proportion.

    Objectives are means over the classes that have a quota, weighted by their points; scores are the classes' own.

    Raises:
        InputError: the pool has no classes.
    """
    parts = [(part.rows, pick(pool.subset(part.rows), part.quota)) for part in class_parts(pool, budget, method)]
    chosen = torch.cat([rows[part.indices.to(rows.device)] for rows, part in parts])
    scores = torch.zeros(pool.size, dtype=pool.features.dtype, device=pool.features.device)
    for rows, part in parts:
        if part.scores is not None:
            scores[rows] = part.scores.to(scores)
    shares = [len(part.indices) / budget for _, part in parts]
    names = parts[0][1].objective
    statuses = [part.status for _, part in parts if part.status is not Status.CONVERGED]
    return Picks(
        chosen[interleaved([len(part.indices) for _, part in parts]).to(chosen.device)],
        scores=scores if all(part.scores is not None for _, part in parts) else None,
        status=statuses[0] if statuses else Status.CONVERGED,
        objective={
            name: sum(share * part.objective[name] for share, (_, part) in zip(shares, parts, strict=True))
            for name in names
        },
    )


def deal_out(parts: Sequence[ClassPart], found: Sequence[Tensor]) -> Tensor:
    """Join what was found for every class, (quota,) each, so that every prefix holds the classes in proportion."""
    return torch.cat(list(found))[interleaved([part.quota for part in parts])]


def interleaved(quotas: list[int]) -> Tensor:
    """Order in which runs of these lengths, one after the other, are dealt out evenly: (Σ quotas,) int64."""
    positions = torch.cat([(torch.arange(quota, dtype=torch.float64) + 0.5) / quota for quota in quotas if quota])
    return torch.sort(positions, stable=True).indices
