"""Rows in their leading principal directions, as they are or partly whitened."""

from dataclasses import dataclass

import torch
from torch import Tensor

from skmm_core.device import widest, with_more_digits
from skmm_core.pool.pool import Pool
from skmm_core.solvers import centred_rows

_WIDEST = 2048
_BLOCK_ROWS, _PANEL = 4_096, 256
_FLOOR = 0.1  # of the mean eigenvalue: fainter directions are not blown up any further


def matched_rows(pool: Pool, space: str) -> Tensor:
    """(N, r) gradients, or the sketched ones when those are asked for or r > 2048 would make an r × r matrix heavy.

    Few rows come in the widest type, see :func:`with_more_digits`.
    """
    whole = space == "features" and pool.dense_gradients.shape[1] <= _WIDEST
    return with_more_digits(pool.dense_gradients if whole else pool.sketched)


@dataclass(frozen=True)
class PrincipalMap:
    """From rows to their leading principal directions, those of a pool.

    Attributes:
        mean: (d,) of the pool.
        directions: (d, k), scaled.
    """

    mean: Tensor
    directions: Tensor

    def __call__(self, rows: Tensor) -> Tensor:
        """(M, k) of (M, d) rows, in their dtype."""
        centred = (rows.to(self.mean) - self.mean).to(rows)
        found: Tensor = centred @ self.directions.to(rows)
        return found


def principal_map(rows: Tensor, rank: int, *, power: float = 0.0) -> PrincipalMap:
    """The map that :func:`principal_rows` applies to rows of the pool that these stand for."""
    mean = rows.mean(dim=0, dtype=widest(rows.device))
    return PrincipalMap(mean, _directions(rows, mean, rank, power))


def principal_rows(rows: Tensor, rank: int, *, power: float = 0.0, drawn: Tensor | None = None) -> Tensor:
    """Centre (N, d) rows and turn them into their leading principal directions.

    Args:
        rows: (N, d).
        rank: directions to keep, at most d.
        power: each direction of variance λ is scaled by (λ + 0.1 mean λ)^(-power / 2): 0 leaves lengths alone, 1 gives
            all leading directions the same variance.
        drawn: rows whose mean and directions are taken, of a pool too large for memory; None takes all.

    Returns:
        (N, min(rank, d)).
    """
    if rank >= rows.shape[1] and not power and drawn is None:
        return centred_rows(rows)
    turn = principal_map(rows if drawn is None else rows[drawn], rank, power=power)
    found = rows.new_empty(len(rows), turn.directions.shape[1])
    for block, part in zip(rows.split(_BLOCK_ROWS), found.split(_BLOCK_ROWS), strict=True):
        part.copy_(turn(block))
    return found


def _directions(rows: Tensor, mean: Tensor, rank: int, power: float) -> Tensor:
    """(d, min(rank, d)) leading eigenvectors of the covariance, scaled; zeros where nothing varies."""
    size = rows.shape[1]
    covariance = torch.zeros(size, size, dtype=mean.dtype, device=rows.device)
    for block in rows.split(_BLOCK_ROWS):
        centred = block.to(mean) - mean
        for start in range(0, size, _PANEL):  # what lies left of the diagonal is there already
            panel = slice(start, start + _PANEL)
            covariance[panel, start:].addmm_(centred[:, panel].T, centred[:, start:])
    energy, directions = torch.linalg.eigh(covariance / len(rows), UPLO="U")
    energy, directions = energy.clamp_min(0).flip(0), directions.flip(1)[:, :rank]
    if not float(energy[0]) > 0:
        return torch.zeros_like(directions)
    scaled: Tensor = directions * (energy[:rank] + _FLOOR * energy.mean()).pow(-power / 2)
    return scaled
