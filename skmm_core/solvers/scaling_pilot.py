"""Which scaling of the rows suits a pool: fit random rows of it, predict the others, and see which does better."""

from collections.abc import Mapping
from typing import TypeVar

import torch
from torch import Tensor

from skmm_core.device import generator, widest

PENALTIES = (0.003, 0.03, 0.3, 1.0, 3.0, 10.0)
_DRAWS = 8
_MOST_FITTED, _MOST_PREDICTED = 1_000, 4_000
_WORST = 9.0  # a squared error counts for three standard deviations at most, or one far row would decide

Key = TypeVar("Key")


def pilot_errors(rows: Mapping[Key, Tensor], targets: Tensor, budget: int) -> dict[Key, float]:
    """Fit as many random rows as will be chosen, eight times, and predict rows that are left out.

    The draws are the same for every run and every scaling. At most 1,000 rows are fitted and 4,000 predicted.
    O(draws · scalings · n · p · min(n, p)) time.

    Args:
        rows: (N, p) by scaling, N at least 2.
        targets: (N, C), standardised.
        budget: rows that will be chosen; half of the pool at most are fitted.

    Returns:
        Mean squared error by scaling, each error at most 9, with the ridge penalty that suits the scaling best.
    """
    size = len(targets)
    fitted = max(1, min(budget, size // 2, _MOST_FITTED))
    draws = [torch.randperm(size, generator=generator(seed, "fit:pilot")) for seed in range(_DRAWS)]
    parts = [(draw[:fitted].to(targets.device), draw[fitted:][:_MOST_PREDICTED].to(targets.device)) for draw in draws]
    return {
        scaling: float(torch.stack([_errors(each, targets, *part) for part in parts]).mean(dim=0).min())
        for scaling, each in rows.items()
    }


def _errors(rows: Tensor, targets: Tensor, fitted: Tensor, predicted: Tensor) -> Tensor:
    """Mean squared error on the rows `predicted` after a fit on the rows `fitted`, for every penalty."""
    wide = widest(rows.device)
    left, singular, right = torch.linalg.svd(rows[fitted].to(wide), full_matrices=False)
    shared = left.T @ targets[fitted].to(wide)
    seen, wanted = rows[predicted].to(wide) @ right.T, targets[predicted].to(wide)
    errors = []
    for penalty in PENALTIES:
        guess = seen @ (shared * (singular / (singular.square() + penalty))[:, None])
        errors.append((guess - wanted).square().clamp_max(_WORST).mean())
    return torch.stack(errors)
