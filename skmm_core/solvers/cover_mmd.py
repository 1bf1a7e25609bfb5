"""Pick points that cover a pool and match its kernel mean at once: greedy choice, exchange, order.

    f(S) = mean_i max_{s∈S} k(i, s) + 2 mean_{s∈S} μ(s) - mean_{s,s'∈S} k(s, s')

The first term is the generalised coverage of Bae, Noh & Sutherland (2024); the others are, but for a constant, minus
the squared MMD to the pool (Chen, Welling & Smola 2010). What every candidate would add to the coverage is kept exact:
a pick changes the best value of few rows, and only these are looked at. Greedy and two sweeps of exchanges then look at
some ten to twenty times the N · R values that the first pick needs, whether ten rows are picked or thousands.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from skmm_core.data import Given, nothing_given
from skmm_core.device import widest
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers.kernels import Kernel
from skmm_core.solvers.tie_breaking import lowest

_BLOCK_ELEMENTS = 4_000_000


@dataclass(frozen=True)
class CoverAim:
    """What is to be covered and matched.

    Attributes:
        kernel: over the rows of the pool, values in 0..1.
        mean: (N,) of the kernel, see :func:`kernel_mean`.
        reference: (R,) int64 rows that coverage is a mean over.
    """

    kernel: Kernel
    mean: Tensor
    reference: Tensor

    def value(self, picks: Tensor) -> float:
        """The value of f at the picks."""
        number = widest(picks.device)
        covered = _best_among(self.kernel, self.reference, picks)[0].mean(dtype=number)
        blocks = picks.split(max(1, _BLOCK_ELEMENTS // len(picks)))
        within = sum(self.kernel.columns(block, among=picks).sum(dtype=number) for block in blocks)
        return float(covered + 2 * self.mean[picks].mean(dtype=number) - within / len(picks) ** 2)


def greedy_cover_mmd(
    aim: CoverAim,
    budget: int,
    *,
    candidates: Tensor | None = None,
    given: Given | None = None,
    report: Report = ignore,
) -> Tensor:
    """Add, one at a time, the row that leaves the largest f.

    Args:
        aim: what f is.
        budget: rows to pick, 1..N.
        candidates: (C,) ascending rows to pick among; None takes all.
        given: rows that are in by hand, picked first, and rows that may be picked besides.
        report: told of the first gains and of every pick.

    Returns:
        (budget,) int64 rows in the order picked; ties go to the lower row.
    """
    given = given or nothing_given(len(aim.mean), aim.mean.device)
    state = _State(aim, torch.arange(len(aim.mean), device=aim.mean.device) if candidates is None else candidates)
    state.start(report)
    closed = ~given.free[state.candidates]
    for t in range(budget):
        if t < len(given.start):
            place = torch.searchsorted(state.candidates, given.start[t])
        else:
            place = lowest(state.costs().masked_fill(closed, torch.inf), state.rounding)
        closed[place] = True
        state.add(place)
        report(Progress("Picking points", t + 1, budget))
    return state.candidates[state.places]


def exchange_cover_mmd(
    aim: CoverAim, picks: Tensor, *, sweeps: int, given: Given | None = None, report: Report = ignore
) -> tuple[Tensor, bool]:
    """Exchange each chosen row, but those in by hand, for the best free row outside while that raises f.

    Returns:
        (n,) int64 rows, and whether a whole sweep found nothing to exchange.
    """
    given = given or nothing_given(len(aim.mean), aim.mean.device)
    n, closed = len(picks), ~given.free
    closed[picks] = True
    if not sweeps or bool(closed.all()):
        return picks, not sweeps or bool(closed.all())
    state = _State(aim, torch.arange(len(aim.mean), device=aim.mean.device))
    state.begin_with(picks, report)
    for sweep in range(sweeps):
        exchanged = False
        for slot in range(len(given.start), n):
            report(Progress("Exchanging points", sweep * n + slot, sweeps * n))
            old = state.places[slot].clone()
            state.remove(slot)
            costs = state.costs()
            new = lowest(costs.masked_fill(closed, torch.inf), state.rounding)
            if float(costs[old] - costs[new]) > state.doubt:  # rounding alone is no gain
                state.put(slot, new)
                closed[old], closed[new] = False, True
                exchanged = True
            else:
                state.put_back()
        if not exchanged:
            return state.places, True
    return state.places, False


class _State:
    """Chosen rows, and what every candidate would bring beside them.

    Costs are n-th of sums: -f of the chosen rows and one more, but for what all candidates share.
    """

    def __init__(self, aim: CoverAim, candidates: Tensor) -> None:
        number = widest(aim.mean.device)
        self._aim, self.candidates = aim, candidates
        self._mean = aim.mean.to(number)[candidates]
        self._diagonal = torch.as_tensor(aim.kernel.diagonal, device=aim.mean.device).to(number).expand(len(aim.mean))
        # who holds a best value is kept: by its size it is not known again, once its last digit comes out otherwise
        self._best, self._holder = _best_among(aim.kernel, aim.reference, aim.reference[:0])
        self._gains = torch.zeros(len(candidates), dtype=number, device=aim.mean.device)
        self._similarity = torch.zeros_like(self._gains)
        self._whole = len(candidates) == len(aim.mean)
        self.places = candidates.new_empty(0)
        self._rounding = torch.finfo(aim.kernel.dtype).eps / torch.finfo(number).eps

    @property
    def rounding(self) -> float:
        """Size of the numbers that costs are differences of, in ε of the kernel's type."""
        return 3.0 * self._rounding

    @property
    def doubt(self) -> float:
        """Difference of costs that may be rounding."""
        return 48.0 * self._rounding * torch.finfo(self._gains.dtype).eps

    def start(self, report: Report) -> None:
        """Gains of every candidate: how far its values lie above the best ones, summed over the reference rows."""
        done, step = 0, max(1, _BLOCK_ELEMENTS // len(self.candidates))
        for block, best in zip(self._aim.reference.split(step), self._best.split(step), strict=True):
            above = self._columns(block).sub_(best).clamp_min_(0)
            self._gains += above.sum(dim=1, dtype=self._gains.dtype)
            done += len(block)
            report(Progress("Comparing points", done, len(self._aim.reference)))

    def begin_with(self, picks: Tensor, report: Report) -> None:
        """Take over rows chosen elsewhere."""
        self.places = picks.clone()
        self._best, self._holder = _best_among(self._aim.kernel, self._aim.reference, picks)
        self.start(report)
        for block in picks.split(max(1, _BLOCK_ELEMENTS // len(self.candidates))):
            self._similarity += self._columns(block).sum(dim=1, dtype=self._gains.dtype)

    def costs(self) -> Tensor:
        """(C,) minus f of the chosen rows and each candidate, up to what is the same for all."""
        count = len(self.places) + 1
        mine = self._diagonal[self.candidates]
        matched = 2 * self._mean / count - (2 * self._similarity + mine) / count**2
        return -self._gains / len(self._best) - matched

    def add(self, place: Tensor) -> None:
        """Choose the candidate at a place."""
        self.places = torch.cat([self.places, place.reshape(1)])
        self._enter(place)

    def remove(self, slot: int) -> None:
        """Leave the row at a slot out until :meth:`put` fills it; costs are then those of the others and one more."""
        place = self.places[slot]
        self._before = (
            self.places,
            self._gains.clone(),
            self._similarity.clone(),
            self._best.clone(),
            self._holder.clone(),
        )
        others = torch.cat([self.places[:slot], self.places[slot + 1 :]])
        row = self.candidates[place]
        own = self._columns(row[None]).squeeze(1)
        self._similarity -= own
        held = (self._holder == row).nonzero().squeeze(1)
        reference = self._aim.reference[held]
        after, self._holder[held] = _best_among(self._aim.kernel, reference, self.candidates[others])
        self._change(held, self._best[held], after)
        self._best[held] = after
        self.places = others

    def put_back(self) -> None:
        """Fill the slot that :meth:`remove` left open with the row that was there, to the last digit."""
        self.places, self._gains, self._similarity, self._best, self._holder = self._before

    def put(self, slot: int, place: Tensor) -> None:
        """Fill the slot that :meth:`remove` left open."""
        self.places = torch.cat([self.places[:slot], place.reshape(1), self.places[slot:]])
        self._enter(place)

    def _enter(self, place: Tensor) -> None:
        row = self.candidates[place]
        self._similarity += self._columns(row[None]).squeeze(1)
        value = self._aim.kernel.columns(row[None], among=self._aim.reference).squeeze(1)
        changed = (value > self._best).nonzero().squeeze(1)
        self._change(changed, self._best[changed], value[changed])
        self._best[changed], self._holder[changed] = value[changed], row

    def _change(self, places: Tensor, before: Tensor, after: Tensor) -> None:
        """Bring the gains up to date with other best values of some reference rows."""
        step = max(1, _BLOCK_ELEMENTS // len(self.candidates))
        for start in range(0, len(places), step):
            part = slice(start, start + step)
            values = self._columns(self._aim.reference[places[part]])
            gained = (values - after[part]).clamp_min_(0) - (values - before[part]).clamp_min(0)
            self._gains += gained.sum(dim=1, dtype=self._gains.dtype)

    def _columns(self, rows: Tensor) -> Tensor:
        """(C, len) values of the candidates at some rows."""
        return self._aim.kernel.columns(rows, among=None if self._whole else self.candidates)


def _best_among(kernel: Kernel, reference: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """(R,) largest value of each reference row at any of the (n,) rows, and (R,) that row; 0 and -1 without rows."""
    best = torch.zeros(len(reference), dtype=kernel.dtype, device=reference.device)
    holder = torch.full_like(reference, -1)
    if len(rows) and len(reference):
        for block in rows.split(max(1, _BLOCK_ELEMENTS // len(reference))):
            value, at = kernel.columns(block, among=reference).max(dim=1)
            larger = value > best
            best, holder = torch.where(larger, value, best), torch.where(larger, block[at], holder)
    return best, holder
