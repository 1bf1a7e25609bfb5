"""A kernel of long rows, roughly: by their leading directions and by how long what is left of them is.

‖x - y‖² = ‖Px - Py‖² + ‖x - Px‖² + ‖y - Py‖² - 2 (x - Px)·(y - Py), P projecting on the leading directions. The last
term is left out: between rows in many dimensions it is small and falls on either side of 0.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from skmm_core.device import generator
from skmm_core.solvers.kernels import CosineSimilarity, GaussianKernel, Kernel, LabelledKernel

_DIRECTIONS = 64
_LEAST_COLUMNS = 3 * _DIRECTIONS
_SAMPLE = 4096  # rows by which the leading directions are told
_TURNS = 2  # of subspace iteration


@dataclass(frozen=True)
class RoughKernel:
    """A kernel in few directions, for guesses alone: a mean of it is off where picks would make the most of it.

    Attributes:
        kernel: of the rows in these directions, with the squared norms that they have in all where it uses any.
    """

    kernel: GaussianKernel | LabelledKernel | CosineSimilarity

    def columns(self, indices: Tensor) -> Tensor:
        """(N, len) of all rows with the rows `indices`."""
        return self.kernel.columns(indices)


def rough_kernel(kernel: Kernel, *, seed: int) -> RoughKernel | None:
    """Make it where it costs far less than the kernel, of rows with 192 columns or more; otherwise None."""
    inputs = kernel.inputs if isinstance(kernel, LabelledKernel) else kernel
    if not isinstance(inputs, GaussianKernel | CosineSimilarity) or inputs.rows.shape[1] < _LEAST_COLUMNS:
        return None
    short = inputs.rows @ _leading(inputs.rows, seed)
    if isinstance(kernel, LabelledKernel):
        return RoughKernel(replace(kernel, inputs=replace(kernel.inputs, rows=short)))
    return RoughKernel(replace(inputs, rows=short))


def _leading(rows: Tensor, seed: int) -> Tensor:
    """(d, 64) orthonormal directions that carry nearly as much of the rows as the best would."""
    draw = generator(seed, "kernel:directions")
    some = rows[torch.randint(len(rows), (_SAMPLE,), generator=draw).to(rows.device)]
    basis = torch.randn(rows.shape[1], _DIRECTIONS, generator=draw).to(rows)
    for _ in range(_TURNS):
        basis = torch.linalg.qr(some.T @ (some @ basis)).Q
    return basis


@dataclass(frozen=True)
class RoughProducts:
    """Products of rows by their leading directions.

    Attributes:
        rows: (N, 64) in these directions.
    """

    rows: Tensor

    def columns(self, indices: Tensor) -> Tensor:
        """(N, len) of all rows with the rows `indices`."""
        return self.rows @ self.rows[indices].T


def rough_products(rows: Tensor, *, seed: int) -> RoughProducts | None:
    """Make them where they cost far less than products of the rows, of 192 columns or more; otherwise None."""
    return RoughProducts(rows @ _leading(rows, seed)) if rows.shape[1] >= _LEAST_COLUMNS else None
