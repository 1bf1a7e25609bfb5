"""Pick within every class, with quotas that add up to the budget exactly."""

from collections.abc import Callable

import torch
from torch import Tensor

from skmm_core.data.dataset import Task
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


def class_quotas(sizes: list[int], budget: int) -> list[int]:
    """Split the budget in proportion to the sizes: largest remainders first, ties to the lower class.

    No quota exceeds its size, as budget <= sum of the sizes.
    """
    total = sum(sizes)
    quotas = [size * budget // total for size in sizes]
    by_remainder = sorted(range(len(sizes)), key=lambda label: -(sizes[label] * budget % total))
    for label in by_remainder[: budget - sum(quotas)]:
        quotas[label] += 1
    return quotas


def pick_by_class(pool: Pool, budget: int, method: str, pick: Callable[[Pool, int], Picks]) -> Picks:
    """Run a method within every class and merge, so that every prefix holds the classes in proportion.

    Objectives are means over the classes that have a quota, weighted by their points; scores are the classes' own.

    Raises:
        InputError: the pool has no classes.
    """
    members = class_members(pool, method)
    quotas = class_quotas([len(rows) for rows in members], budget)
    parts = [(rows, pick(pool.subset(rows), quota)) for rows, quota in zip(members, quotas, strict=True) if quota]
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


def interleaved(quotas: list[int]) -> Tensor:
    """Order in which runs of these lengths, one after the other, are dealt out evenly: (Σ quotas,) int64."""
    positions = torch.cat([(torch.arange(quota, dtype=torch.float64) + 0.5) / quota for quota in quotas if quota])
    return torch.sort(positions, stable=True).indices
