"""Greedy covering: choose columns so that every row has a large value in one of them (facility location).

f(S) = Σ_i max(start_i, max_{j∈S} b_ij) is submodular, so the gain of a column only falls as others are chosen: a gain
computed earlier bounds the present one from above (Minoux, "Accelerated greedy algorithms", 1978). Even so most columns
are looked at several times while the first few dozen are chosen; up to 2 GB of values are therefore kept. Where there
are more, most picks still change the best value of few rows, and the gains of the leading columns can be kept exact by
looking at those rows alone.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from skmm_core.data import Given, nothing_given
from skmm_core.device import widest
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers.tie_breaking import lowest

_BLOCK_ELEMENTS = 4_000_000
_KEPT_BYTES = 2 * 2**30
_LOOK = 32  # columns whose gains are computed anew together
_LOOK_AT_KEPT = 128  # where their values are at hand
_UPDATE_ELEMENTS = 1_000_000
_MOST_LEADERS = 1024
_NEAR = 1024  # ε within which a gain may yet turn out the best


class Benefit(Protocol):
    """What choosing a column gives every row."""

    def __call__(self, columns: Tensor, among: Tensor | None = None) -> Tensor:
        """(R, len) values of all rows, or (len(among), len) of the rows `among`, in the columns."""
        ...


@dataclass(frozen=True)
class Cover:
    """Greedy picks.

    Attributes:
        picks: (n,) int64 columns in the order picked.
        covered: (R,) best value of every row.
        owner: (R,) int64 position in `picks` of the first column with that value; 0 where no column beats the start.
        first_gains: (N,) float64 what each column alone would gain.
    """

    picks: Tensor
    covered: Tensor
    owner: Tensor
    first_gains: Tensor


def greedy_cover(
    benefit: Benefit,
    start: Tensor,
    size: int,
    budget: int,
    *,
    unit: float = 1.0,
    given: Given | None = None,
    report: Report = ignore,
) -> Cover:
    """Pick, one at a time, the column with the largest gain Σ_i max(0, b_ij - covered_i); ties go to the lower column.

    The picks are those of plain greedy. Once O(N · R) values, which are kept up to 2 GB; then far fewer a pick.

    Args:
        benefit: of N columns for R rows.
        start: (R,) value of every row before the first pick.
        size: N.
        budget: columns to pick, 1..N.
        unit: size of a value; gains that differ by less than rounding does, 16 ε of the larger of them and one value,
            count as equal.
        given: columns that are in by hand, picked first, and those that may be picked besides.
        report: told of the first gains and of every pick.
    """
    given = given or nothing_given(size, start.device)
    covered = start.clone()
    number = widest(covered.device)
    kept = _Kept(benefit, size, covered)
    columns = torch.arange(size, device=covered.device)
    bounds = torch.empty(size, dtype=number, device=covered.device)
    for block in columns.split(max(1, _BLOCK_ELEMENTS // len(covered))):
        bounds[block] = _gains(kept.first(block), covered, number)
        report(Progress("Comparing points", int(block[-1]) + 1, size))
    first_gains = bounds.clone()
    bounds[~given.free] = -torch.inf
    precision = torch.finfo(start.dtype).eps / torch.finfo(number).eps
    exact = torch.ones(size, dtype=torch.bool, device=covered.device)
    fresh = exact.clone()
    owner = torch.zeros(len(covered), dtype=torch.int64, device=covered.device)
    picks = torch.empty(budget, dtype=torch.int64, device=covered.device)
    for t in range(budget):
        rounding = precision * bounds.max().clamp_min(unit)
        chosen = t < len(given.start)
        while not chosen and len(again := _doubtful(bounds, exact, fresh, rounding, kept.look)):
            bounds[again] = _gains(kept(again), covered, number)
            exact[again] = fresh[again] = True
        pick = given.start[t] if chosen else lowest(-bounds, precision * bounds.max().clamp_min(unit))
        picks[t] = pick
        value = kept(pick[None]).squeeze(1)
        changed = (value > covered).nonzero().squeeze(1)
        before, after = covered[changed], value[changed]
        covered[changed], owner[changed] = after, t
        bounds[pick] = -torch.inf
        leaders = picks[:0] if kept.whole else _leaders(bounds, exact, len(changed))
        exact.zero_()
        fresh.zero_()
        exact[leaders] = True
        if len(changed) and len(leaders):
            values = benefit(leaders, among=changed)
            lost = (values - before[:, None]).clamp_min(0) - (values - after[:, None]).clamp_min_(0)
            bounds[leaders] -= lost.sum(dim=0, dtype=number)
        report(Progress("Picking points", t + 1, budget))
    return Cover(picks, covered, owner, first_gains)


class _Kept:
    """Values of columns, kept from when they are first computed, until 2 GB are full.

    Attributes:
        whole: whether those of all columns are.
        look: columns whose gains to compute anew together.
    """

    def __init__(self, benefit: Benefit, size: int, rows: Tensor) -> None:
        """Take a benefit of `size` columns for (R,) rows."""
        self._benefit = benefit
        most = _KEPT_BYTES // rows.nbytes
        self.whole = size <= most
        self.look = _LOOK_AT_KEPT if self.whole else _LOOK
        # columns lie together, since each is added up
        self._values = torch.empty(min(size, most), len(rows), dtype=rows.dtype, device=rows.device)

    def first(self, columns: Tensor) -> Tensor:
        """(R, len) values of successive columns, the caller's own."""
        values = self._benefit(columns)
        mine = columns[columns < len(self._values)]
        self._values[mine] = values[:, : len(mine)].T
        return values

    def __call__(self, columns: Tensor) -> Tensor:
        """(R, len) values of columns that were computed before, the caller's own."""
        if self.whole:
            return self._values[columns].T
        known = columns < len(self._values)
        values = self._values.new_empty(len(columns), self._values.shape[1])
        values[known] = self._values[columns[known]]
        if not bool(known.all()):
            values[~known] = self._benefit(columns[~known]).T
        return values.T


def _doubtful(bounds: Tensor, exact: Tensor, fresh: Tensor, rounding: Tensor, look: int) -> Tensor:
    """Columns to compute anew before one is picked; none once all that could be the best are fresh.

    A gain that was kept exact by updates has gathered their rounding, so the best of these are looked at too.
    """
    best = bounds.max()
    near = bounds >= best - _NEAR * torch.finfo(bounds.dtype).eps * torch.maximum(best, rounding)
    again = (near & ~fresh).nonzero().squeeze(1)[:_MOST_LEADERS]
    if not len(again) or bool(exact[again].all()):
        return again
    leading = bounds.masked_fill(exact, -torch.inf).topk(min(look, len(bounds))).indices
    # a column that is chosen or kept out has no bound and must not get one back
    leading = leading[~exact[leading] & bounds[leading].isfinite()]
    wanted: Tensor = torch.cat([again, leading]).unique()
    return wanted


def _gains(values: Tensor, covered: Tensor, number: torch.dtype) -> Tensor:
    """(len,) what f gains by each of the columns, whose (R, len) values are consumed."""
    gains: Tensor = values.sub_(covered[:, None]).clamp_min_(0).sum(dim=0, dtype=number)
    return gains


def _leaders(bounds: Tensor, exact: Tensor, changed: int) -> Tensor:
    """Columns with exact gains and the largest bounds, as many as are cheap to keep exact."""
    count = max(_LOOK, min(_MOST_LEADERS, _UPDATE_ELEMENTS // max(1, changed)))
    leading = bounds.topk(min(count, len(bounds))).indices
    return leading[exact[leading] & bounds[leading].isfinite()]
