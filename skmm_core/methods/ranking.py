"""Rows in the order of a score, the tie going to the lower row among equal scores."""

import torch
from torch import Tensor

from skmm_core.data import Given
from skmm_core.methods.stratify import class_parts, deal_out
from skmm_core.pool import Pool

_NOISE = 64  # ε of the scores' own type


def ranked(scores: Tensor) -> Tensor:
    """Rows from the largest score to the smallest: (N,) int64 on the CPU.

    Scores that agree in all but their last two digits are ties: equal rows may come out of a product with other last
    digits. A score that is NaN comes last; a sort would put it first.
    """
    scores = torch.where(scores.isnan(), -torch.inf, scores)
    mantissa, exponent = torch.frexp(scores.cpu().double())
    kept = (mantissa / (_NOISE * torch.finfo(scores.dtype).eps)).round()
    return torch.sort(torch.ldexp(kept, exponent), descending=True, stable=True).indices


def best(scores: Tensor, budget: int, given: Given) -> Tensor:
    """The rows that are in by hand, then the best of those that may be picked: (budget,) int64 on the CPU."""
    order = ranked(scores)
    start = given.start.cpu()
    return torch.cat([start, order[given.free.cpu()[order]][: budget - len(start)]])


def best_of_classes(pool: Pool, scores: Tensor, budget: int, method: str) -> Tensor:
    """The best rows of every class, each class with its share of the pool: (budget,) int64, classes dealt out evenly.

    Raises:
        InputError: the pool has no classes.
    """
    parts = class_parts(pool, budget, method)
    return deal_out(parts, [part.rows.cpu()[best(scores[part.rows], part.quota, part.given)] for part in parts])
