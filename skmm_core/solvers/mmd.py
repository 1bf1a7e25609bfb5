"""Pick points whose kernel mean equals the pool's: greedy choice, exchange, order, for any kernel read by columns.

With MMD(S)² = ‖mean_{i∈S} ψ(x_i) - μ‖² and k(x, y) = ψ(x)·ψ(y), everything needed is the column of the kernel at each
point picked and ⟨μ, ψ(x_i)⟩ for every point. Source: Chen, Welling & Smola, "Super-samples from kernel herding", 2010.
"""

from functools import partial

import torch
from torch import Tensor

from skmm_core.data import Given, nothing_given
from skmm_core.device import generator, widest
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers.columns_ahead import ColumnsAhead, Outlook
from skmm_core.solvers.kernels import Kernel
from skmm_core.solvers.rough_kernels import rough_kernel
from skmm_core.solvers.tie_breaking import lowest

EXACT_LIMIT = 20_000
_BLOCK_ELEMENTS = 8_000_000
_MOST_IN_DOUBT = 256  # rows: with more, most of them equal, the first will do


def kernel_mean(kernel: Kernel, importance: Tensor, *, seed: int, report: Report = ignore) -> Tensor:
    """μ_i = Σ_j w_j k(x_i, x_j) / Σ_j w_j over the pool, (N,), w being the importance.

    Exact up to 20,000 rows, else over 20,000 random reference rows; for equal importance and a kernel in 0..1 that is
    unbiased with a standard error of at most 1/(2·√20,000) = 0.0035 an entry.
    """
    size = len(kernel.rows)
    reference = torch.arange(size)
    if size > EXACT_LIMIT:
        reference = torch.randperm(size, generator=generator(seed, "kernel:reference"))[:EXACT_LIMIT].sort().values
    reference = reference.to(kernel.rows.device)
    total = torch.zeros(size, dtype=torch.float64, device=kernel.rows.device)
    done = 0
    for block in reference.split(max(1, _BLOCK_ELEMENTS // size)):
        total += kernel.columns(block) @ importance[block].to(total.device, kernel.dtype)
        done += len(block)
        report(Progress("Averaging the kernel", done, len(reference)))
    return (total / importance[reference].sum(dtype=torch.float64)).to(kernel.dtype)


def columns_of(kernel: Kernel) -> ColumnsAhead:
    """The columns of a kernel, for greedy choice and exchange one after the other."""
    rough = rough_kernel(kernel, seed=0)
    return ColumnsAhead(kernel.columns, len(kernel.rows), kernel.dtype, kernel.rows.device, rough)


def greedy_mmd(
    kernel: Kernel,
    mean: Tensor,
    budget: int,
    *,
    columns: ColumnsAhead | None = None,
    given: Given | None = None,
    report: Report = ignore,
) -> Tensor:
    """Add, one at a time, the row that leaves the least MMD to the pool: (budget,) int64; ties go to the lower row.

    One column a pick, see :class:`ColumnsAhead`. Columns are added up in float64: in float32 the sum of a thousand of
    them is off by more than the best rows differ. Rows that are in by hand come first; the others make up for what
    these miss.
    """
    given = given or nothing_given(len(mean), mean.device)
    columns = columns or columns_of(kernel)
    taken = ~given.free
    mean = mean.to(widest(mean.device))
    similarity = torch.zeros_like(mean)
    half, costs = kernel.diagonal / 2, _Costs(kernel, mean)
    picks = torch.empty(budget, dtype=torch.int64, device=mean.device)
    for t in range(budget):
        cost = (similarity - (t + 1) * mean + half).masked_fill_(taken, torch.inf)
        pick = given.start[t] if t < len(given.start) else costs.least(cost, picks[:t])
        picks[t], taken[pick] = pick, True
        similarity += columns.column(pick, partial(Outlook, cost, drift=mean))
        report(Progress("Picking points", t + 1, budget))
    return picks


class _Costs:
    """What a further row would cost beside others, k(i, chosen) summed - (t + 1) μ_i + k_ii/2, and the least of it.

    Columns in float32 round by far more than the best rows may differ. Rows that this leaves in doubt are compared by
    kernels computed anew in the widest type, so that they are ties only where those are.
    """

    def __init__(self, kernel: Kernel, mean: Tensor) -> None:
        self._kernel, self._mean = kernel, mean
        self._half = torch.as_tensor(kernel.diagonal, device=mean.device).to(mean) / 2
        wide = torch.finfo(mean.dtype).eps
        self._largest = 2 * float(self._half.abs().max())
        self._rounding = torch.finfo(kernel.dtype).eps / wide  # of a column, in ε of the widest type
        self._unit = 16 * wide * self._largest

    def doubt(self, count: int) -> float:
        """Difference of two costs beside `count` rows that may be rounding."""
        return float(self._unit * self._rounding * (count + 1) ** 0.5)

    def least(self, cost: Tensor, chosen: Tensor, rows: Tensor | None = None) -> Tensor:
        """() position of the least cost; of equal ones the first.

        Args:
            cost: infinite where a row may not be taken.
            chosen: (t,) int64 the rows it is taken beside.
            rows: which rows the costs belong to; None for all.
        """
        size = self._largest * (len(chosen) + 1) ** 0.5
        if self._rounding > 1:
            near = (cost <= cost.min() + self.doubt(len(chosen))).nonzero().squeeze(1)
            if len(near) <= _MOST_IN_DOUBT:
                exact = self._precise(near if rows is None else rows[near], chosen) if len(near) > 1 else cost[near]
                return near[lowest(exact, size)]
        return lowest(cost, size * self._rounding)

    def is_gain(self, old: Tensor, new: Tensor, cost: Tensor, chosen: Tensor) -> bool:
        """Whether `new` costs less than `old` beside the other chosen rows, by more than rounding."""
        gain, doubt = float(cost[old] - cost[new]), self.doubt(len(chosen))
        if self._rounding > 1 and abs(gain) <= doubt:
            before, after = self._precise(torch.stack([old, new]), chosen).tolist()
            return bool(before - after > doubt / self._rounding)
        return gain > doubt

    def _precise(self, rows: Tensor, chosen: Tensor) -> Tensor:
        half = self._half if self._half.ndim == 0 else self._half[rows]
        similarity = self._kernel.precise(rows, chosen).sum(dim=1) if len(chosen) else 0.0
        return similarity - (len(chosen) + 1) * self._mean[rows] + half


def exchange_mmd(
    kernel: Kernel,
    mean: Tensor,
    picks: Tensor,
    *,
    sweeps: int,
    columns: ColumnsAhead | None = None,
    given: Given | None = None,
    report: Report = ignore,
) -> tuple[Tensor, bool]:
    """Exchange each chosen row, but those in by hand, for the best free row outside while that lowers the MMD.

    `columns` may hold those of the picks from the greedy choice before.

    Returns:
        (n,) int64 rows, and whether a whole sweep found nothing to exchange.
    """
    given = given or nothing_given(len(mean), mean.device)
    picks = picks.clone()
    n, fixed = len(picks), len(given.start)
    taken = ~given.free
    taken[picks] = True
    if bool(taken.all()):
        return picks, True
    mean = mean.to(widest(mean.device))
    columns = columns or columns_of(kernel)
    similarity = torch.zeros_like(mean)
    for block in picks.split(columns.ahead):
        for column in columns.block(block):
            similarity += column
    wanted = n * mean - kernel.diagonal / 2
    costs = _Costs(kernel, mean)
    for sweep in range(sweeps):
        exchanged = False
        for start in range(fixed, n, columns.ahead):
            # A slot changes only in its own turn, so the columns of a few slots can be had in one product.
            for slot, column in enumerate(columns.block(picks[start : start + columns.ahead]), start):
                report(Progress("Exchanging points", sweep * n + slot, sweeps * n))
                old = picks[slot].clone()
                without = similarity - column
                cost = without - wanted
                offered = cost.masked_fill(taken, torch.inf)
                if float(offered.min() - cost[old]) > costs.doubt(n - 1):
                    continue
                others = torch.cat([picks[:slot], picks[slot + 1 :]])
                new = costs.least(offered, others)
                # Rounding alone must not look like a gain, or two equal rows would be exchanged for ever.
                if costs.is_gain(old, new, cost, others):
                    picks[slot], taken[old], taken[new] = new, False, True
                    similarity = without + columns.block(new[None])[0]
                    exchanged = True
        if not exchanged:
            return picks, True
    return picks, False


def order_by_prefix(kernel: Kernel, mean: Tensor, picks: Tensor, *, fixed: int = 0) -> Tensor:
    """Put the chosen rows, behind the first `fixed`, in greedy order: each prefix is a good smaller selection."""
    rest = picks.sort().values
    mean = mean.to(widest(mean.device))
    similarity = torch.zeros_like(mean[rest])
    half = kernel.diagonal / 2
    half = half if isinstance(half, float) else half[rest]
    costs = _Costs(kernel, mean)
    left = torch.ones(len(rest), dtype=torch.bool, device=rest.device)
    order = torch.empty_like(rest)
    first = torch.searchsorted(rest, picks[:fixed])
    for t in range(len(rest)):
        cost = similarity - (t + 1) * mean[rest] + half
        best = first[t] if t < fixed else costs.least(cost.masked_fill_(~left, torch.inf), order[:t], rest)
        order[t], left[best] = rest[best], False
        similarity += kernel.columns(rest[best][None], among=rest).squeeze(1)
    return order


def squared_mmd(kernel: Kernel, mean: Tensor, picks: Tensor, constant: float) -> float:
    """‖mean of the chosen - mean of the pool‖² in the kernel's space; `constant` is the squared norm of the latter."""
    n = len(picks)
    within = sum(
        float(kernel.columns(block, among=picks).sum(dtype=torch.float64))
        for block in picks.split(max(1, _BLOCK_ELEMENTS // n))
    )
    cross = float(mean[picks].sum(dtype=torch.float64))
    return max(0.0, constant - 2 * cross / n + within / n**2)
