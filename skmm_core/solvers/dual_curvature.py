"""The curvature of the relaxation's dual, kept from one Newton step to the next.

Where s(y) is strictly between its bounds it moves with y; where it is at a bound it does not. The generalised Hessian
of the dual of a proximal step, negated, is therefore ½I + reach · Σ (a_i - ā)(a_i - ā)ᵀ over the rows between, in units
of w. From step to step few rows come and go, so the sum is updated by those alone instead of being made anew.
"""

import torch
from torch import Tensor

from skmm_core.device import widest

_BLOCK_ROWS = 4096


class Curvature:
    """Sums over the rows between their bounds, taken about a fixed centre, which loses no digits."""

    def __init__(self, squares: Tensor, column_weights: Tensor) -> None:
        """Keep the rows.

        Args:
            squares: (N, k) a_ij.
            column_weights: (k,) w, float64 on the CPU.
        """
        self._squares = squares
        self._weights = column_weights
        self._number = widest(squares.device)
        self._between: Tensor | None = None

    def solve(self, between: Tensor, free: Tensor, reach: float, slope: Tensor) -> Tensor:
        """Newton direction of the free multipliers.

        Args:
            between: (N,) bool, rows whose weight is strictly between its bounds.
            free: (k,) bool on the CPU, multipliers that may move.
            reach: of the proximal step.
            slope: (f,) float64 gradient of the dual in the free multipliers.
        """
        matrix = self.matrix(between, free, reach)
        factor, failed = torch.linalg.cholesky_ex(matrix)
        if int(failed):  # a reach so long that rounding swallows the identity
            loose: Tensor = torch.linalg.lstsq(matrix, slope[:, None], driver="gelsd").solution.squeeze(1)
            return loose
        return torch.cholesky_solve(slope[:, None], factor).squeeze(1)

    def matrix(self, between: Tensor, free: Tensor, reach: float) -> Tensor:
        """(f, f) float64 on the CPU: the Hessian of the free multipliers, negated; arguments as in :meth:`solve`."""
        self._move(between)
        count = int(between.sum())
        hessian = torch.eye(int(free.sum()), dtype=torch.float64) / 2
        if not count:
            return hessian
        columns = free.nonzero().squeeze(1).to(self._total.device)
        gram = self._gram[columns][:, columns] - torch.outer(self._total[columns], self._total[columns]) / count
        scale = self._weights[free]
        return hessian + reach * gram.cpu().double() * scale[:, None] * scale

    def _move(self, between: Tensor) -> None:
        """Bring the sums to these rows, by the rows that differ or from nothing, whichever are fewer."""
        rows = between.nonzero().squeeze(1)
        if self._between is not None:
            came = (between & ~self._between).nonzero().squeeze(1)
            gone = (self._between & ~between).nonzero().squeeze(1)
            if len(came) + len(gone) < len(rows):
                self._between = between
                self._add(came, 1.0)
                self._add(gone, -1.0)
                return
        self._between = between
        k = self._squares.shape[1]
        self._gram = torch.zeros(k, k, dtype=self._number, device=self._squares.device)
        self._total = torch.zeros(k, dtype=self._number, device=self._squares.device)
        if len(rows):
            self._centre = self._squares[rows[:_BLOCK_ROWS]].mean(dim=0, dtype=self._number)
            self._add(rows, 1.0)

    def _add(self, rows: Tensor, sign: float) -> None:
        """Add rows to the sums, or take them out."""
        for block in rows.split(_BLOCK_ROWS):  # blocks that stay in the processor's cache
            values = self._squares[block].to(self._number).sub_(self._centre)
            self._gram.addmm_(values.T, values, alpha=sign)
            self._total.add_(values.sum(dim=0), alpha=sign)
