"""Rows in the order of a score, ties to the lower row."""

import torch
from torch import Tensor

from skmm_core.methods.stratify import class_members, class_quotas, interleaved
from skmm_core.pool import Pool

_NOISE = 64  # ε of the scores' own type


def ranked(scores: Tensor) -> Tensor:
    """Rows from the largest score to the smallest: (N,) int64 on the CPU.

    Scores that agree in all but their last two digits are ties: equal rows may come out of a product with other last
    digits.
    """
    mantissa, exponent = torch.frexp(scores.cpu().double())
    kept = (mantissa / (_NOISE * torch.finfo(scores.dtype).eps)).round()
    return torch.sort(torch.ldexp(kept, exponent), descending=True, stable=True).indices


def best_of_classes(pool: Pool, scores: Tensor, budget: int, method: str) -> Tensor:
    """The best rows of every class, each class with its share of the pool: (budget,) int64, classes dealt out evenly.

    Raises:
        InputError: the pool has no classes.
    """
    members = class_members(pool, method)
    quotas = class_quotas([len(rows) for rows in members], budget)
    best = [rows.cpu()[ranked(scores[rows])[:quota]] for rows, quota in zip(members, quotas, strict=True)]
    return torch.cat(best)[interleaved(quotas)]
