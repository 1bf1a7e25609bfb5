"""Pick rows on which a ridge fit predicts the targets of a whole pool best: greedy choice, exchange, order.

A ridge fit on the rows S has the coefficients B = P Z_Sᵀ Y_S with P = (Z_SᵀZ_S + αI)⁻¹. Adding or dropping a row
changes P by a matrix of rank one, so what each candidate would do to the predictions F = ZB on the pool is known for
all candidates at once from the pool's moments ZᵀZ and ZᵀY: O(N (p + C)) a pick, no fit is ever repeated.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from skmm_core.data import Given, nothing_given
from skmm_core.device import widest
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers.tie_breaking import lowest

_BLOCK_ROWS = 16_384
# what adding and dropping a candidate changes in a fit, in place or not
_TENSORS = ("_inverse", "_missing", "_residual", "_pull", "_toward", "_variance", "_reach")
_NUMBERS = ("_along", "_size", "_untold")


@dataclass(frozen=True)
class PoolMoments:
    """All that the quality of a fit on the pool depends on.

    Attributes:
        second: (p, p) ZᵀZ.
        cross: (p, C) ZᵀY.
        energy: ‖Y‖².
    """

    second: Tensor
    cross: Tensor
    energy: float

    @property
    def nbytes(self) -> int:
        """Bytes of the two matrices."""
        return self.second.nbytes + self.cross.nbytes


def pool_moments(rows: Tensor, targets: Tensor) -> PoolMoments:
    """Sum the moments of (N, p) rows and (N, C) targets in the widest type, block by block."""
    wide = widest(rows.device)
    second = torch.zeros(rows.shape[1], rows.shape[1], dtype=wide, device=rows.device)
    cross = torch.zeros(rows.shape[1], targets.shape[1], dtype=wide, device=rows.device)
    for part, wanted in zip(rows.split(_BLOCK_ROWS), targets.split(_BLOCK_ROWS), strict=True):
        block = part.to(wide)
        second.addmm_(block.T, block)
        cross.addmm_(block.T, wanted.to(wide))
    return PoolMoments(second, cross, float(targets.to(wide).square().sum()))


class RidgeFit:
    """A ridge fit on some of the candidates, and for every candidate what adding it would bring.

    Agreement of predictions F with the pool's targets Y is (⟨Y, F⟩/‖F‖)² when only their direction counts
    (`scale_free`, for classes: a probe's argmax does not change with the scale), else ‖Y‖² - ‖Y - F‖² - c u ‖Y‖². There
    u = α tr(ZPZᵀ)/tr(ZZᵀ) is the share of the pool's energy in directions that no row has told of yet, from 1 down to
    0, and c is the `caution`. Without it a fit that is right on most clusters by chance can be spoilt by the first row
    of any other, so that greedy choice never sees them.
    """

    def __init__(
        self,
        rows: Tensor,
        targets: Tensor,
        moments: PoolMoments,
        *,
        alpha: float,
        scale_free: bool,
        caution: float = 0.0,
    ) -> None:
        """Begin with no row: F = 0. `rows` (N, p) and `targets` (N, C) are those of the candidates."""
        wide = widest(rows.device)
        # candidates along the rows of every matrix: a product of many rows with two vectors takes five times longer
        self._columns = rows.T.contiguous()  # (p, N)
        self._moments, self._alpha, self._scale_free = moments, alpha, scale_free
        self._inverse = torch.eye(rows.shape[1], dtype=wide, device=rows.device)  # α P
        self._missing = moments.cross.clone()  # Zᵀ(Y - F)
        self._residual = targets.T.contiguous()  # (C, N)
        to_pool = moments.cross.T.to(rows) @ self._columns
        self._pull, self._toward = to_pool, to_pool.clone()  # αZP Zᵀ(Y - F) and αZP ZᵀY at the candidates
        self._variance = rows.to(wide).square().sum(dim=1)  # α zᵀPz
        self._reach = ((rows @ moments.second.to(rows)) * rows).sum(dim=1).to(wide)  # α² zᵀP ZᵀZ Pz
        self._along = self._size = 0.0  # ⟨Y, F⟩ and ‖F‖²
        self._before: dict[str, Any] = {}
        # what one unit of energy that no row has told of costs, and that energy
        self._price = 0.0 if scale_free else caution * moments.energy / (float(moments.second.trace()) or 1.0)
        self._untold = float(moments.second.trace())

    @property
    def agreement(self) -> float:
        """Of the fit as it is, as a share of ‖Y‖²: 1 is a perfect prediction."""
        along, size = torch.tensor([self._along, self._size], dtype=self._variance.dtype)
        score = float(self._score(along, size)) - self._price * self._untold
        return score / (self._moments.energy or 1.0)

    def gains(self) -> Tensor:
        """(N,) agreement after adding each candidate."""
        weight = 1 / (self._variance + self._alpha)
        toward = (self._toward * self._residual).sum(dim=0).to(weight) * weight
        pull = (self._pull * self._residual).sum(dim=0).to(weight) * weight
        spread = self._reach * self._residual.square().sum(dim=0).to(weight) * weight.square()
        untold = self._untold - self._reach * weight
        return self._score(self._along + toward, self._size + 2 * (toward - pull) + spread) - self._price * untold

    def _score(self, along: Tensor, size: Tensor) -> Tensor:
        if not self._scale_free:
            return 2 * along - size
        smallest = torch.finfo(size.dtype).tiny
        return along * along.abs() / size.clamp_min(smallest)

    def nobody(self) -> Tensor:
        """(N,) mask of no candidate."""
        return torch.zeros(len(self._variance), dtype=torch.bool, device=self._variance.device)

    @property
    def rounding(self) -> float:
        """Difference of two gains that may be rounding."""
        return 16 * torch.finfo(self._columns.dtype).eps * self._moments.energy

    def add(self, row: Tensor) -> None:
        """Fit with this candidate too."""
        self._update(row, 1)

    def drop(self, row: Tensor) -> None:
        """Fit without this candidate, which was added before."""
        self._before = {name: vars(self)[name].clone() for name in _TENSORS}
        self._before |= {name: vars(self)[name] for name in _NUMBERS}
        self._update(row, -1)

    def take_back(self) -> None:
        """Fit as before the last candidate was dropped; nothing else may have been done since."""
        vars(self).update(self._before)

    def _update(self, row: Tensor, sign: int) -> None:
        moments, wide = self._moments, self._inverse.dtype
        direction = self._inverse @ self._columns[:, row].to(wide)
        share = self._variance[row] + sign * self._alpha
        # adding: α + zᵀ(αP)z; dropping: zᵀ(αP)z - α, which is negative
        spread = moments.second @ direction
        length = direction @ spread
        residual = self._residual[:, row].to(wide) / share
        found = direction @ self._missing / share
        self._along += float(residual @ (direction @ moments.cross))
        self._untold -= float(length / share)
        self._size += float(2 * residual @ (direction @ (moments.cross - self._missing)) + length * residual @ residual)
        both = torch.stack([direction, self._inverse @ spread]).to(self._columns)
        here, there = both @ self._columns
        residual_, found_ = residual.to(here), found.to(here)
        found_ -= (length / share).to(here) * residual_
        self._pull.addr_(residual_, there, alpha=-1).addr_(found_, here, alpha=-1)
        self._toward.addr_((direction @ moments.cross / share).to(here), here, alpha=-1)
        self._residual.addr_(residual_, here, alpha=-1)
        here, there = here.to(wide), there.to(wide)
        self._reach += (here * (length / share) - 2 * there) * here / share
        self._variance -= here.square() / share
        self._missing -= torch.outer(spread, residual)
        self._inverse -= torch.outer(direction, direction) / share


def greedy_fit(fit: RidgeFit, budget: int, *, given: Given | None = None, report: Report = ignore) -> Tensor:
    """Add, one at a time, the candidate that brings the most: (budget,) int64; ties go to the lower one.

    Candidates that are in by hand are added first.
    """
    taken = fit.nobody()
    given = given or nothing_given(len(taken), taken.device)
    taken |= ~given.free
    picks = torch.empty(budget, dtype=torch.int64, device=taken.device)
    for t in range(budget):
        pick = given.start[t] if t < len(given.start) else _best(fit, fit.gains(), taken)
        picks[t], taken[pick] = pick, True
        fit.add(pick)
        report(Progress("Picking points", t + 1, budget))
    return picks


def exchange_fit(
    fit: RidgeFit, picks: Tensor, *, sweeps: int, given: Given | None = None, report: Report = ignore
) -> tuple[Tensor, bool]:
    """Exchange each chosen candidate, but those in by hand, for the best free one while that raises the agreement.

    Returns:
        (n,) int64 rows, and whether a whole sweep found nothing to exchange.
    """
    picks = picks.clone()
    taken = fit.nobody()
    given = given or nothing_given(len(taken), taken.device)
    taken |= ~given.free
    taken[picks] = True
    for sweep in range(sweeps):
        exchanged = False
        for slot in range(len(given.start), len(picks)):
            report(Progress("Exchanging points", sweep * len(picks) + slot, sweeps * len(picks)))
            old = picks[slot].clone()
            fit.drop(old)
            taken[old] = False
            gains = fit.gains()
            new = _best(fit, gains, taken)
            # rounding alone must not look like a gain, or two equal rows would be exchanged for ever
            if float(gains[new] - gains[old]) > fit.rounding:
                exchanged = True
                fit.add(new)
            else:
                new = old
                fit.take_back()
            picks[slot], taken[new] = new, True
        if not exchanged:
            return picks, True
    return picks, False


def _best(fit: RidgeFit, gains: Tensor, taken: Tensor) -> Tensor:
    # `lowest` calls costs within 16 ε of the scale equal, ε being that of the costs' own, wider type
    return lowest(-gains.masked_fill(taken, -torch.inf), fit.rounding / (16 * torch.finfo(gains.dtype).eps))
