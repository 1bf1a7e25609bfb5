"""Rows in their leading principal directions, as they are or partly whitened."""

import torch
from torch import Tensor

from skmm_core.device import widest, with_more_digits
from skmm_core.pool.pool import Pool
from skmm_core.solvers import centred_rows

_WIDEST = 2048
_BLOCK_ROWS = 16_384
_FLOOR = 0.1  # of the mean eigenvalue: fainter directions are not blown up any further


def matched_rows(pool: Pool, space: str) -> Tensor:
    """(N, r) gradients, or the sketched ones when those are asked for or r > 2048 would make an r × r matrix heavy.

    Few rows come in the widest type, see :func:`with_more_digits`.
    """
    whole = space == "features" and pool.dense_gradients.shape[1] <= _WIDEST
    return with_more_digits(pool.dense_gradients if whole else pool.sketched)


def principal_rows(rows: Tensor, rank: int, *, power: float = 0.0) -> Tensor:
    """Centre (N, d) rows and turn them into their leading principal directions.

    Args:
        rows: (N, d).
        rank: directions to keep, at most d.
        power: each direction of variance λ is scaled by (λ + 0.1 mean λ)^(-power / 2): 0 leaves lengths alone, 1 gives
            all leading directions the same variance.

    Returns:
        (N, min(rank, d)).
    """
    centred = centred_rows(rows)
    if rank >= rows.shape[1] and not power:
        return centred
    covariance = torch.zeros(rows.shape[1], rows.shape[1], dtype=widest(rows.device), device=rows.device)
    for block in centred.split(_BLOCK_ROWS):
        covariance += block.to(covariance).T @ block.to(covariance)
    energy, directions = torch.linalg.eigh(covariance / len(rows))
    energy, directions = energy.clamp_min(0).flip(0), directions.flip(1)[:, :rank]
    if not float(energy[0]) > 0:
        return torch.zeros_like(centred[:, :rank])
    scales = (energy[:rank] + _FLOOR * energy.mean()).pow(-power / 2)
    principal: Tensor = centred @ (directions * scales).to(centred)
    return principal
