"""What a person decided before a method chooses: points that are in, points that stay out."""

from dataclasses import dataclass

import torch
from torch import Tensor

from skmm_core.errors import InputError


@dataclass(frozen=True)
class Given:
    """Decisions by hand over N rows.

    Attributes:
        start: (k,) int64 rows that are chosen in any case; they come first in the order and count in the budget.
        free: (N,) bool, the rows that a method may choose besides: neither in `start` nor kept out.
    """

    start: Tensor
    free: Tensor

    @property
    def any(self) -> bool:
        """Whether anything was decided."""
        return not bool(self.free.all())

    def of(self, rows: Tensor) -> "Given":
        """The decisions over some rows, numbered anew.

        Args:
            rows: (M,) int64, ascending.
        """
        start = self.start[torch.isin(self.start, rows)]
        return Given(torch.searchsorted(rows, start), self.free[rows])

    def free_rows(self) -> Tensor:
        """Rows that may be chosen, ascending, int64."""
        return self.free.nonzero().squeeze(1)


def nothing_given(size: int, device: torch.device | str = "cpu") -> Given:
    """No decision: every row may be chosen."""
    return Given(torch.empty(0, dtype=torch.int64, device=device), torch.ones(size, dtype=torch.bool, device=device))


def make_given(include: Tensor, exclude: Tensor, size: int, device: torch.device | str = "cpu") -> Given:
    """Check decisions.

    Args:
        include: (k,) int64 rows to choose in any case.
        exclude: (e,) int64 rows never to choose.
        size: N.
        device: where the answer lies.

    Raises:
        InputError: a row is outside the pool, named twice, or both in and out.
    """
    for name, rows in (("include", include), ("exclude", exclude)):
        outside = rows[(rows < 0) | (rows >= size)]
        if len(outside):
            raise InputError(f"{name} names row {int(outside[0])}, but the pool has the rows 0..{size - 1}")
        if len(rows.unique()) < len(rows):
            raise InputError(f"{name} names a row twice; name each once")
    both = include[torch.isin(include, exclude)]
    if len(both):
        raise InputError(f"row {int(both[0])} is to be both included and excluded; decide on one")
    free = torch.ones(size, dtype=torch.bool)
    free[include], free[exclude] = False, False
    return Given(include.to(device), free.to(device))


def check_budget(given: Given, budget: int) -> None:
    """Make sure that exactly `budget` points can be chosen.

    Raises:
        InputError: more points are included, or fewer are left over, than the budget asks for.
    """
    included, most = len(given.start), len(given.start) + int(given.free.sum())
    if budget < included:
        raise InputError(
            f"budget {budget} is below the {included} points to include; raise the budget or include fewer"
        )
    if budget > most:
        raise InputError(
            f"budget {budget} is above the {most} points that are not excluded; lower the budget or exclude fewer"
        )
