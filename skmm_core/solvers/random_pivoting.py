"""Random pivoting: rows drawn in proportion to what the rows drawn before cannot express.

Sources: Deshpande & Vempala, "Adaptive sampling and fast low-rank matrix approximation", 2006; Chen, Epperly, Tropp &
Webber, "Randomly pivoted Cholesky", 2025. Many at a time, with the same distribution: Epperly, Tropp & Webber, "Embrace
rejection: kernel matrix approximation by accelerated randomly pivoted Cholesky", 2024.
"""

from typing import Protocol

import torch
from torch import Tensor

from skmm_core.data import Given, nothing_given
from skmm_core.device import widest
from skmm_core.progress import Progress, Report, ignore

# A residual that rounding alone may leave is none: 64 ε of its row's energy where it is a difference in the type of the
# rows; in float64, the square of 30 ε of the row's length, ε being that of the type in which rows were given. Pivots
# magnify the rounding of float32 rows of known rank: up to 14 ε in 96 pools of rank 3 to 200.
_ROUNDING, _MAGNIFIED = 64, 30
_PROPOSALS = 64  # rows proposed together
_LITTLE = 4_000_000  # numbers: of fewer, each pick may as well read all rows
_DOUBLE_LIMIT = 32_000_000  # numbers whose copy in float64, 256 MB, lets float32 rows far from the origin be told apart


def adaptive(
    rows: Tensor,
    budget: int,
    *,
    block: int = 1,
    generator: torch.Generator,
    products: Tensor | None = None,
    given: Given | None = None,
    report: Report = ignore,
) -> Tensor:
    """Draw rows with probability in proportion to the squared norms of their residuals (random pivoting).

    The chosen rows are made orthogonal to those before, and every residual loses its part in the new directions; the
    residuals themselves are never stored. Once no row has a residual above rounding, the chosen rows express all
    others, and a new round begins with the whole rows that are left. O(N d) a pick and O(N + min(n, d) d) memory; with
    the products at hand O(N t) for the t-th pick and O(N min(n, d)) memory.

    Of more than four million numbers, 64 rows are proposed by the residuals of all rows, which are brought up to date
    in one product afterwards. In turn each is taken with the chance that its own residual then has of the one it was
    proposed by, or else nothing is: picks have the distribution that they have one by one.

    Args:
        rows: (N, d) float32 or float64.
        budget: number of rows to draw, 1..N.
        block: rows drawn between updates without regard to what they express of each other; 1 is exact.
        generator: on the CPU; one float64 uniform number u a pick or proposal, which takes the first row whose
            cumulative share of the residuals exceeds u, and another one that decides on a proposal after the first.
        products: (N, N) float64 on the CPU, those of all float32 rows with each other, where they are at hand.
        given: rows that are in by hand, which count as drawn, and rows that may be drawn.
        report: told of every block.

    Returns:
        (budget,) int64 distinct rows in the order drawn. Rows without any energy follow uniformly.
    """
    chosen: _Span = _Basis(rows, budget) if products is None else _Cholesky(rows, products, budget)
    energy, floor, given = chosen.energy, chosen.floor, given or nothing_given(len(rows), rows.device)
    free, picks = given.free.to(energy.device, copy=True), given.start.tolist()
    residual = energy - chosen.add(given.start.to(energy.device))
    while len(picks) < budget:
        residual = torch.where(free & (residual > floor), residual, 0.0)
        if not bool(residual.any()):
            residual = torch.where(free, energy, 0.0)
            chosen.clear()
        if not bool(residual.any()):
            residual = free.double()
        if isinstance(chosen, _Basis) and block == 1 and rows.numel() > _LITTLE:
            drawn = _accepted(chosen, residual, budget - len(picks), generator)
            residual -= chosen.add(drawn)
        else:
            drawn = draw_rows(residual, min(block, budget - len(picks)), generator)
            residual -= chosen.add(drawn)
        picks += drawn.tolist()
        free[drawn] = False
        report(Progress("Picking points", len(picks), budget))
    return torch.tensor(picks, dtype=torch.int64, device=rows.device)


def draw_rows(shares: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Distinct rows one after the other in proportion to (N,) float64 shares; fewer when no more rows have one.

    Each takes one uniform number u and is the first row whose cumulative share exceeds u.
    """
    shares, drawn = shares.clone(), []
    for _ in range(count):
        cumulative = shares.cumsum(0)
        total = cumulative[-1]
        if float(total) <= 0:
            break
        u = torch.rand(1, dtype=torch.float64, generator=generator).to(shares.device)
        row = torch.searchsorted(cumulative, u * total, right=True)
        # u · total may round up to the total itself, behind which no row lies.
        row = torch.minimum(row, torch.searchsorted(cumulative, total[None]))
        drawn.append(row)
        shares[row] = 0
    return torch.cat(drawn)


def _accepted(basis: "_Basis", residual: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """At most so many distinct rows, one at least, of 64 proposed in proportion to (N,) float64 residuals."""
    places, chances = torch.rand(2, _PROPOSALS, dtype=torch.float64, generator=generator).to(residual.device)
    cumulative = residual.cumsum(0)
    proposed = torch.searchsorted(cumulative, places * cumulative[-1], right=True)
    proposed = torch.minimum(proposed, torch.searchsorted(cumulative, cumulative[-1:]))
    rests = basis.rests(proposed)
    products = rests @ rests.T
    wanted = chances * products.diagonal()
    accepted: list[int] = []
    for place, row in enumerate(proposed.tolist()):
        left = float(products[place, place])
        inside = left <= float(basis.floor[row])
        # the first is in proportion as it is, also where its residual is all rounding or all residuals are equal
        if len(accepted) < most and row not in accepted and (not place or not (inside or float(wanted[place]) >= left)):
            accepted.append(row)
            if not inside:
                products -= torch.outer(products[place], products[place] / left)
    return torch.tensor(accepted, device=residual.device)


def _least_residual(given: torch.dtype, used: torch.dtype) -> float:
    """Share of its row's energy that a residual must exceed, for rows given in one type and worked on in another."""
    if given == used:
        return _ROUNDING * torch.finfo(used).eps
    return (_MAGNIFIED * torch.finfo(given).eps) ** 2


class _Span(Protocol):
    """The directions that the chosen rows span.

    Attributes:
        energy: (N,) float64 squared norms of all rows.
        floor: (N,) float64 residuals that may be rounding alone.
    """

    energy: Tensor
    floor: Tensor

    def add(self, chosen: Tensor) -> Tensor:
        """Take rows in: (N,) float64 squared norm of the part of every row in the directions that these add."""
        ...

    def clear(self) -> None:
        """Forget all directions."""
        ...


class _Basis:
    """The span as an orthonormal basis, by Gram-Schmidt, done twice."""

    def __init__(self, rows: Tensor, budget: int) -> None:
        given = rows.dtype
        rows = rows.to(widest(rows.device)) if rows.numel() <= _DOUBLE_LIMIT else rows
        self.energy = rows.square().sum(dim=1, dtype=widest(rows.device))
        self.floor = _least_residual(given, rows.dtype) * self.energy
        self._rows, self._size = rows, 0
        self._basis = rows.new_empty(min(budget, rows.shape[1]), rows.shape[1])

    def rests(self, some: Tensor) -> Tensor:
        """(len, d) parts of rows outside the span, in the widest type."""
        known = self._basis[: self._size].to(self.energy)
        found = self._rows[some].to(self.energy)
        for _ in range(2):
            found = found - (found @ known.T) @ known
        return found

    def add(self, chosen: Tensor) -> Tensor:
        """See :class:`_Span`. Rows inside the span add nothing."""
        before = self._size
        for row, smallest in zip(self._rows[chosen], self.floor[chosen], strict=True):
            known = self._basis[: self._size]
            rest = row - (row @ known.T) @ known
            rest = rest - (rest @ known.T) @ known
            if self._size < len(self._basis) and float(rest.square().sum()) > float(smallest):
                self._basis[self._size] = rest / rest.norm()
                self._size += 1
        return (self._rows @ self._basis[before : self._size].T).square().sum(dim=1, dtype=torch.float64)

    def clear(self) -> None:
        """See :class:`_Span`."""
        self._size = 0


class _Cholesky:
    """The span by what all rows have in each of its directions: the pivoted Cholesky factor of their products.

    In float64, for rows in float32: divisions by small pivots magnify rounding, up to several N ε of float64 in all,
    which is below what rows in float32 leave.
    """

    def __init__(self, rows: Tensor, products: Tensor, budget: int) -> None:
        self.energy = products.diagonal().clone()
        self._products, self._size = products, 0
        self.floor = _least_residual(rows.dtype, products.dtype) * self.energy
        # direction by direction, so that those in use lie together
        self._factor = products.new_empty(min(budget, *rows.shape), len(rows))

    def add(self, chosen: Tensor) -> Tensor:
        """See :class:`_Span`. Rows inside the span add nothing."""
        before = self._size
        for row in chosen.tolist():
            known = self._factor[: self._size]
            parts = self._products[row] - known[:, row] @ known
            if self._size < len(self._factor) and float(parts[row]) > float(self.floor[row]):
                self._factor[self._size] = parts / parts[row].sqrt()
                self._size += 1
        return self._factor[before : self._size].square().sum(dim=0)

    def clear(self) -> None:
        """See :class:`_Span`."""
        self._size = 0
