"""The mean of a kernel over all rows of a pool, at every row: exact, or near it in large pools."""

import torch
from torch import Tensor

from skmm_core.device import generator, widest
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers.kernels import Kernel

EXACT_LIMIT = 20_000
LANDMARKS, OTHERS = 1_024, 8_192
_RIDGE = 1e-4  # of the mean diagonal: landmarks may be equal
_CACHED, _BLOCK_ELEMENTS = 2**21, 2**25  # kernel values at a time, on a processor with caches and elsewhere
_WHAT = "Averaging the kernel"


def kernel_mean(kernel: Kernel, importance: Tensor, *, seed: int, report: Report = ignore) -> Tensor:
    """μ_i = Σ_j w_j k(x_i, x_j) / Σ_j w_j over the pool, (N,), w being the importance.

    Exact up to 20,000 rows. Above, the kernel is split in two. The part that 1,024 random landmark rows span (Nyström;
    Williams & Seeger 2001) is averaged over all rows, the rest over 8,192 other random rows, and what a row has to do
    with itself counts as in the pool, whether it was drawn or not. The standard error is the deviation of the rest over
    √8,192. O(N · 10,240) values of the kernel; memory O(N).

    Args:
        kernel: over the N rows of the pool.
        importance: (N,) w >= 0.
        seed: of the rows that are drawn.
        report: told of the rows done.

    Returns:
        (N,) of the kernel's dtype.
    """
    share = importance.to(kernel.rows.device, widest(kernel.rows.device))
    share = share / share.sum()
    found = _exact if len(share) <= EXACT_LIMIT else _from_landmarks
    return found(kernel, share, seed, report).to(kernel.dtype)


def _exact(kernel: Kernel, share: Tensor, seed: int, report: Report) -> Tensor:
    """Over all rows; k(x, y) = k(y, x) halves the work."""
    total = torch.zeros_like(share)
    blocks = torch.arange(len(share), device=share.device).split(int(_most_elements(share) ** 0.5))
    for done, block in enumerate(blocks):
        for other in blocks[done:]:
            columns = kernel.columns(other, among=block)
            total[block] += columns @ share[other].to(columns)
            if other is not block:
                total[other] += share[block].to(columns) @ columns
        report(Progress(_WHAT, (done + 1) * (2 * len(blocks) - done), len(blocks) * (len(blocks) + 1)))
    return total


def _from_landmarks(kernel: Kernel, share: Tensor, seed: int, report: Report) -> Tensor:
    """Averages over all rows of the landmarks' part q, and over some rows of the rest e = k - q."""
    drawn = torch.randperm(len(share), generator=generator(seed, "kernel:reference"))[: LANDMARKS + OTHERS]
    landmarks, others = (part.sort().values.to(share.device) for part in drawn.split([LANDMARKS, OTHERS]))
    at_landmarks = torch.zeros(LANDMARKS, dtype=share.dtype, device=share.device)
    for block in _blocks(share, LANDMARKS):
        columns = kernel.columns(landmarks, among=block)
        at_landmarks += share[block].to(columns) @ columns
        report(Progress(_WHAT, int(block[-1]) // 4, len(share)))
    products = kernel.precise(landmarks, landmarks)
    factor = torch.linalg.cholesky(products + _RIDGE * products.diagonal().mean() * torch.eye(LANDMARKS).to(products))
    between = kernel.precise(landmarks, others)
    own = share[others]
    weight = own / own.sum()
    both = torch.stack([at_landmarks, at_landmarks - between @ weight], dim=1)
    spanned, corrected = torch.cholesky_solve(both, factor).unbind(dim=1)
    total = torch.empty_like(share)
    reference, weights = torch.cat([landmarks, others]), torch.cat([corrected, weight])
    for block in _blocks(share, len(reference)):
        columns = kernel.columns(reference, among=block)
        total[block] = (columns @ weights.to(columns)).to(total)
        report(Progress(_WHAT, len(share) // 4 + 3 * int(block[-1]) // 4, len(share)))
    # e(x, x) is in the pool's mean by its share; drawn rows had it by their weight, all others not at all
    with_itself = _diagonal(kernel, others) - (between * torch.cholesky_solve(between, factor)).sum(dim=0)
    part = spanned @ between
    rest = (total[others] - part - weight * with_itself) / (1 - weight)
    total += share * with_itself.mean()
    total[others] = part + own * with_itself + (1 - own) * rest
    total[landmarks] = at_landmarks
    return total


def _diagonal(kernel: Kernel, rows: Tensor) -> Tensor | float:
    return kernel.diagonal if isinstance(kernel.diagonal, float) else kernel.diagonal[rows]


def _most_elements(share: Tensor) -> int:
    return _CACHED if share.device.type == "cpu" else _BLOCK_ELEMENTS


def _blocks(share: Tensor, width: int) -> tuple[Tensor, ...]:
    """All rows, so many at a time that a block of columns this wide stays in the cache."""
    blocks: tuple[Tensor, ...] = torch.arange(len(share), device=share.device).split(
        max(1, _most_elements(share) // width)
    )
    return blocks
