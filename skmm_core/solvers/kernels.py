"""Kernels over the rows of a pool, read by columns: no (N, N) matrix is built for more than 2,048 rows."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from skmm_core.device import generator, widest
from skmm_core.solvers.centring import rows_about_middle

_MEDIAN_PAIRS = 20_000
_BLOCK_ROWS = 8_192
_UNIT_ROWS = 4_096  # widened at a time
_PASS_ELEMENTS = 262_144
_LEAST_SPREAD = 1e-4  # of unit rows about their mean, which float32 still resolves to a thousandth
# All columns of a small pool are kept, since one product gives them together far faster than one by one, and greedy
# steps and exchanges ask for the same ones again. They are kept in the widest type, so that no two rows are in doubt.
# The bound is a constant, 32 MiB, whatever N is.
_KEPT_ROWS = 2048
_KEPT_COLUMNS = 4096  # of the rows widened at a time


class Kernel(Protocol):
    """A positive semidefinite kernel over the rows of one pool.

    Attributes:
        rows: (N, d), whose length and device are those of every column.
        dtype: of every column.
        diagonal: (N,) k(x_i, x_i), or one number when they are all equal.
    """

    @property
    def rows(self) -> Tensor: ...  # noqa: D102 - said above

    @property
    def dtype(self) -> torch.dtype: ...  # noqa: D102 - said above

    @property
    def diagonal(self) -> Tensor | float: ...  # noqa: D102 - said above

    def columns(self, indices: Tensor, among: Tensor | None = None) -> Tensor:
        """Kernel of all rows, or of the rows `among`, with the rows `indices`: (N, len) or (len(among), len)."""
        ...

    def precise(self, some: Tensor, others: Tensor) -> Tensor:
        """Kernel of some rows with others, (len(some), len(others)) in the widest type, as exact as the rows are."""
        ...


@dataclass(frozen=True)
class GaussianKernel:
    """k(x, y) = exp(-‖x - y‖² / (2 h²)).

    Attributes:
        rows: (N, d), about their middle (distances do not change, digits are saved).
        squared_norms: (N,).
        bandwidth: h² in squared units of the rows; > 0.
    """

    rows: Tensor
    squared_norms: Tensor
    bandwidth: float

    @property
    def dtype(self) -> torch.dtype:
        """The widest type where columns are kept, else that of the rows."""
        return widest(self.rows.device) if self._keeps_columns else self.rows.dtype

    @property
    def diagonal(self) -> float:
        """Every row is as similar to itself as can be."""
        return 1.0

    @property
    def nbytes(self) -> int:
        """Bytes of the rows, and of the columns of a small pool."""
        return self.rows.nbytes + self.squared_norms.nbytes + (self._square_bytes if self._keeps_columns else 0)

    @property
    def _square_bytes(self) -> int:
        return len(self.rows) ** 2 * self.dtype.itemsize

    @property
    def _keeps_columns(self) -> bool:
        return len(self.rows) <= _KEPT_ROWS

    def columns(self, indices: Tensor, among: Tensor | None = None) -> Tensor:
        """See :class:`Kernel`."""
        if self._keeps_columns:
            # indexing copies, so a caller may change what it gets
            kept = self._kept[indices]  # rows of a symmetric matrix lie together, columns do not
            return kept.T if among is None else kept[:, among].T
        return self._computed(indices, among)

    def precise(self, some: Tensor, others: Tensor) -> Tensor:
        """See :class:`Kernel`."""
        left, right = (self.rows[each].to(widest(self.rows.device)) for each in (some, others))
        norms = left.square().sum(dim=1), right.square().sum(dim=1)
        return self._of_products(left @ right.T, *norms)

    @cached_property
    def _kept(self) -> Tensor:
        products = torch.zeros(len(self.rows), len(self.rows), dtype=self.dtype, device=self.rows.device)
        for block in self.rows.split(_KEPT_COLUMNS, dim=1):
            wide = block.to(products)
            products.addmm_(wide, wide.T)
        norms = products.diagonal().clone()
        return self._of_products(products, norms, norms)

    def _computed(self, indices: Tensor, among: Tensor | None) -> Tensor:
        rows, norms = (
            (self.rows, self.squared_norms) if among is None else (self.rows[among], self.squared_norms[among])
        )
        others, other_norms = self.rows[indices], self.squared_norms[indices]
        found = rows.new_empty(len(rows), len(indices))
        step = max(1, _PASS_ELEMENTS // len(indices))  # what follows the product then finds it in the cache
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            self._of_products(torch.mm(rows[part], others.T, out=found[part]), norms[part], other_norms)
        return found

    def _of_products(self, products: Tensor, norms: Tensor, other_norms: Tensor) -> Tensor:
        """Kernel from products of rows, which it overwrites, and the squared norms of either side."""
        squared = products.mul_(-2).add_(norms[:, None]).add_(other_norms)
        return squared.clamp_min_(0).mul_(-0.5 / self.bandwidth).exp_()


def gaussian_kernel(rows: Tensor, *, normalise: bool, scale: float, seed: int) -> GaussianKernel:
    """Make the kernel with h² = scale × median squared distance over pairs of different rows.

    All pairs count where there are no more than 20,000, else as many random ones, drawn by place from the seed. When
    the median is 0 (most rows are duplicates) the mean takes its place; when all rows are equal, 1. Rows on one line
    are not normalised, see :func:`on_one_line`.
    """
    if normalise and not on_one_line(rows):
        rows = unit_rows(rows)
    rows = rows_about_middle(rows)
    first, second = _pairs(len(rows), seed)
    squared = torch.cat(
        [(rows[a] - rows[b]).square().sum(dim=1) for a, b in zip(first.split(1000), second.split(1000), strict=True)]
    )
    median = float(squared.median()) or float(squared.mean()) or 1.0
    return GaussianKernel(rows, rows.square().sum(dim=1), scale * median)


def _pairs(size: int, seed: int) -> tuple[Tensor, Tensor]:
    """(P,) places of two different rows each, (0, 0) for a row alone."""
    if size == 1:
        return torch.zeros(1, dtype=torch.int64), torch.zeros(1, dtype=torch.int64)
    if size * (size - 1) // 2 <= _MEDIAN_PAIRS:
        first, second = torch.triu_indices(size, size, offset=1)
        return first, second
    draw = generator(seed, "kernel:median")
    first = torch.randint(size, (_MEDIAN_PAIRS,), generator=draw)
    return first, (first + 1 + torch.randint(size - 1, (_MEDIAN_PAIRS,), generator=draw)) % size


@dataclass(frozen=True)
class PolynomialKernel:
    """k(x, y) = (1 + x·y / m)², whose features are 1, the coordinates and all their products.

    Matching its mean matches the mean and the whole second moment of the rows; how much either counts depends on the
    unit of the rows, so :func:`polynomial_kernel` sets that first.

    Attributes:
        rows: (N, m).
        whole: (m,) mean and (m, m) second moment of the pool of which these rows are a part; None of a whole pool.
    """

    rows: Tensor
    whole: tuple[Tensor, Tensor] | None = None

    @property
    def dtype(self) -> torch.dtype:
        """That of the rows."""
        return self.rows.dtype

    @property
    def diagonal(self) -> Tensor:
        """(1 + ‖x‖²/m)²."""
        return self.rows.square().sum(dim=1).div_(self.rows.shape[1]).add_(1).square_()

    def columns(self, indices: Tensor, among: Tensor | None = None) -> Tensor:
        """See :class:`Kernel`."""
        rows = self.rows if among is None else self.rows[among]
        return (rows @ (self.rows[indices].T / rows.shape[1])).add_(1).square_()

    @cached_property
    def _moments(self) -> tuple[Tensor, Tensor]:
        """(m,) x̄ and (m, m) XᵀX/N, in the widest type."""
        if self.whole is not None:
            return self.whole
        wide = widest(self.rows.device)
        second = torch.zeros(self.rows.shape[1], self.rows.shape[1], dtype=wide, device=self.rows.device)
        for block in self.rows.split(_BLOCK_ROWS):
            second += block.T.to(wide) @ block.to(wide)
        return self.rows.mean(dim=0, dtype=wide), second / len(self.rows)

    def precise(self, some: Tensor, others: Tensor) -> Tensor:
        """See :class:`Kernel`."""
        rows, columns = (self.rows[each].to(widest(self.rows.device)) for each in (some, others))
        return (rows @ columns.T / rows.shape[1]).add_(1).square_()

    def mean(self) -> Tensor:
        """Mean of k(x_i, ·) over all rows, (N,), in closed form: 1 + 2 x_i·x̄/m + x_iᵀ(XᵀX/N)x_i/m². O(N m²)."""
        m = self.rows.shape[1]
        centre, second = (moment.to(self.rows) for moment in self._moments)
        mean = 1 + (2 / m) * (self.rows @ centre)
        for part, block in zip(mean.split(_BLOCK_ROWS), self.rows.split(_BLOCK_ROWS), strict=True):
            part += ((block @ (second / m**2)) * block).sum(dim=1)
        return mean

    def squared_norm_of_mean(self, mean: Tensor) -> float:
        """‖mean of all rows‖² in the kernel's space, 1 + 2‖x̄‖²/m + ‖XᵀX/N‖²/m², where `mean` is :meth:`mean`."""
        if self.whole is None:
            return float(mean.mean(dtype=torch.float64))
        centre, second = self.whole
        m = self.rows.shape[1]
        return float(1 + 2 * centre.square().sum() / m + second.square().sum() / m**2)

    def squared_mmd(self, picks: Tensor) -> float:
        """‖mean of the picks - mean of all rows‖² in the kernel's space: 2‖Δx̄‖²/m + ‖Δ second moment‖²/m². O(n m²).

        Differences of the moments themselves keep digits that differences of kernel means lose, where rows lie far from
        the origin: those are squares already.
        """
        centre, second = self._moments
        m, chosen = self.rows.shape[1], self.rows[picks].to(centre)
        first = chosen.mean(dim=0) - centre
        return float(2 * first.square().sum() / m + (chosen.T @ chosen / len(chosen) - second).square().sum() / m**2)


def polynomial_kernel(rows: Tensor, whole: tuple[Tensor, Tensor] | None = None) -> PolynomialKernel:
    """Make the kernel on rows divided by their root mean square entry, in the widest type.

    Of rows that are a part of a pool, by that of the pool, whose mean (m,) and second moment (m, m) `whole` gives.

    The mean of x·x/m is then 1, the kernel's own constant, so that mean and second moment both count whatever the unit
    of the rows is. Products of float32 rows differ by less than their rounding where the rows lie far from the origin.
    """
    largest = float(rows.abs().max()) or 1.0  # first, since squares of huge or tiny numbers leave the range
    rows = rows.to(widest(rows.device)) / largest
    if whole is None:
        return PolynomialKernel(rows.mul_(rows.numel() ** 0.5 / (float(rows.norm()) or 1.0)))
    mean, second = (each.to(rows) for each in whole)
    unit = float(second.trace() / len(second)) ** 0.5 or 1.0
    return PolynomialKernel(rows.mul_(largest / unit), (mean / unit, second / unit**2))


@dataclass(frozen=True)
class LabelledKernel:
    """k(x, y) times a kernel on the targets: 1[same class], or a Gaussian of their distance in standard deviations.

    Attributes:
        inputs: kernel on the rows.
        targets: (N,) int64 classes, or floating values with mean 0 and deviation 1.
        bandwidth: h² of the Gaussian on floating targets.
    """

    inputs: GaussianKernel
    targets: Tensor
    bandwidth: float

    @property
    def rows(self) -> Tensor:
        """Rows of the kernel on the inputs."""
        return self.inputs.rows

    @property
    def dtype(self) -> torch.dtype:
        """That of the kernel on the inputs."""
        return self.inputs.dtype

    @property
    def diagonal(self) -> Tensor | float:
        """That of the kernel on the inputs: a target is as similar to itself as can be."""
        return self.inputs.diagonal

    @property
    def nbytes(self) -> int:
        """Bytes of the kernel on the inputs and of the targets."""
        return self.inputs.nbytes + self.targets.nbytes

    def columns(self, indices: Tensor, among: Tensor | None = None) -> Tensor:
        """See :class:`Kernel`."""
        return self._labelled(self.inputs.columns(indices, among), among, indices)

    def precise(self, some: Tensor, others: Tensor) -> Tensor:
        """See :class:`Kernel`."""
        return self._labelled(self.inputs.precise(some, others), some, others)

    def _labelled(self, columns: Tensor, some: Tensor | None, others: Tensor) -> Tensor:
        mine = (self.targets if some is None else self.targets[some])[:, None]
        theirs = self.targets[others]
        if not self.targets.is_floating_point():
            return columns.mul_(mine == theirs)
        return columns.mul_(((mine.to(columns) - theirs.to(columns)).square() * (-0.5 / self.bandwidth)).exp())


def labelled_kernel(inputs: GaussianKernel, targets: Tensor, *, bandwidth: float) -> LabelledKernel:
    """Make the kernel on pairs; floating targets are standardised first, constant ones count as equal."""
    if targets.is_floating_point():
        values = targets.double()
        values = values - values.mean()
        deviation = float(values.square().mean().sqrt())
        targets = (values / (deviation or 1.0)).to(inputs.rows.device, inputs.dtype)
    return LabelledKernel(inputs, targets, bandwidth)


@dataclass(frozen=True)
class CosineSimilarity:
    """s(x, y) = (1 + cos(x, y)) / 2, in 0..1; the cosine with a zero row is 0.

    Attributes:
        rows: (N, d) of unit length, or zero.
    """

    rows: Tensor

    @property
    def dtype(self) -> torch.dtype:
        """That of the rows."""
        return self.rows.dtype

    @property
    def diagonal(self) -> Tensor:
        """1, or 1/2 for a zero row."""
        return self.rows.square().sum(dim=1).add_(1).mul_(0.5)

    def columns(self, indices: Tensor, among: Tensor | None = None) -> Tensor:
        """See :class:`Kernel`."""
        rows = self.rows if among is None else self.rows[among]
        return (rows @ self.rows[indices].T).add_(1).mul_(0.5)

    def precise(self, some: Tensor, others: Tensor) -> Tensor:
        """See :class:`Kernel`."""
        rows, columns = (self.rows[each].to(widest(self.rows.device)) for each in (some, others))
        return (rows @ columns.T).add_(1).mul_(0.5)

    def to(self, reference: Tensor) -> "ReferenceSimilarity":
        """The same similarity of the rows to the (R,) rows `reference` alone, which are copied unless they are all."""
        whole = len(reference) == len(self.rows)
        return ReferenceSimilarity(self.rows, self.rows if whole else self.rows[reference])


@dataclass(frozen=True)
class ReferenceSimilarity:
    """s(x, y) = (1 + cos(x, y)) / 2 of reference rows with all rows.

    Attributes:
        rows: (N, d) of unit length, or zero.
        reference: (R, d) likewise.
    """

    rows: Tensor
    reference: Tensor

    def __call__(self, columns: Tensor, among: Tensor | None = None) -> Tensor:
        """(R, len) similarities of the reference rows, or of those at positions `among`, with the rows `columns`."""
        reference = self.reference if among is None else self.reference[among]
        return (reference @ self.rows[columns].T).add_(1).mul_(0.5)


def unit_rows(rows: Tensor) -> Tensor:
    """Scale (N, d) rows to unit length; zero rows stay zero.

    In the type of the rows, but in the widest one where float32 could not tell their directions apart: rows 100 times
    farther from the origin than from each other have cosines of 0.9999 and more, which float32 rounds by a thousandth
    of what they differ by.
    """
    wide = widest(rows.device)
    found = torch.empty_like(rows)
    mean = torch.zeros(rows.shape[1], dtype=wide, device=rows.device)
    length = 0.0
    for block, part in zip(rows.split(_UNIT_ROWS), found.split(_UNIT_ROWS), strict=True):
        unit = _unit(block.to(wide))
        mean += unit.sum(dim=0) / len(rows)
        length += float(unit.square().sum()) / len(rows)
        part.copy_(unit)
    if length - float(mean.square().sum()) < _LEAST_SPREAD * length:
        return torch.cat([_unit(block.to(wide)) for block in rows.split(_UNIT_ROWS)])
    return found


def on_one_line(rows: Tensor) -> bool:
    """Whether (N, d) rows lie on one line through the origin: of unit length only their sign would be left."""
    longest = rows[rows.norm(dim=1).argmax()]
    length = longest.norm()
    if not float(length) > 0:
        return True
    along = longest / length
    limit = 16 * torch.finfo(rows.dtype).eps * float(length)
    return all(
        float((block - (block @ along)[:, None] * along).norm(dim=1).max()) <= limit
        for block in rows.split(_BLOCK_ROWS)
    )


def _unit(rows: Tensor) -> Tensor:
    rows = rows / rows.abs().amax(dim=1, keepdim=True).clamp_min(torch.finfo(rows.dtype).tiny)
    length: Tensor = rows.norm(dim=1, keepdim=True).clamp_min(1.0)  # 1 at least, unless the row is zero
    return rows / length
