"""The kinds of Johnson-Lindenstrauss maps and how one is drawn by name and size, from r dimensions to m.

One seeded map serves every batch of a run. A fresh map a batch would destroy the inner products between batches.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from skmm_core.config import SketchParams
from skmm_core.errors import InputError
from skmm_core.sketches.base import Identity, Sketch
from skmm_core.sketches.dense import GaussianSketch, RademacherSketch
from skmm_core.sketches.hadamard import HadamardSketch
from skmm_core.sketches.kronecker import KroneckerSketch
from skmm_core.sketches.outer import OuterRows, Rows
from skmm_core.sketches.sparse import DEFAULT_NONZEROS, CountSketch, SparseSketch

__all__ = [
    "OuterRows",
    "Rows",
    "Sketch",
    "default_dim",
    "draw_sketch",
    "effective_dimension",
    "make_sketch",
    "spectrum",
]

SMALLEST_DEFAULT, LARGEST_DEFAULT = 32, 512
_BLOCK_ROWS = 16_384
_WRITTEN_OUT = 2048  # r up to which the spectrum of outer products is taken of all their numbers
_LARGEST_IDENTITY = 2**28  # numbers of outer products that kind none writes out: 1 GB


def make_sketch(
    params: SketchParams, gradients: Rows, *, seed: int, eigenvalues: Callable[[], Tensor] | None = None
) -> Sketch:
    """Draw the sketch of a run.

    Args:
        params: kind and size; without a size, :func:`default_dim`. A default size that would not
            reduce the dimension gives the identity instead, since a square random map only adds noise.
        gradients: (N, r) rows, looked at for the default size only.
        seed: of the run; the map is a function of (kind, seed, r, m) alone.
        eigenvalues: gives :func:`spectrum` of the pool, where it is known; None computes that of the gradients.

    Raises:
        InputError: the asked size exceeds r, or the kind does not fit the gradients.
    """
    r, dim = gradients.shape[1], params.dim
    factors = (gradients.inner.shape[1], gradients.outer.shape[1]) if isinstance(gradients, OuterRows) else None
    if params.kind == "kronecker" and factors is None:
        raise InputError("sketch kronecker needs head gradients (--gradient head); features have no factors")
    if params.kind == "none":
        if dim not in (None, r):
            raise InputError(f"sketch dim {dim} does not fit kind none, which keeps all {r}; leave the size out")
        if factors and len(gradients) * r > _LARGEST_IDENTITY:
            raise InputError(
                f"{len(gradients):,} head gradients of {r:,} numbers do not fit unsketched; take kronecker"
            )
        return Identity(r)
    if dim is None:
        dim = default_dim(spectrum(gradients) if eigenvalues is None else eigenvalues())
        if dim >= r:
            return Identity(r)
    if dim > r:
        raise InputError(f"sketch dim {dim} exceeds the {r} dimensions of the data; choose 1..{r}")
    return draw_sketch(params.kind, r, dim, seed=seed, nonzeros=params.nonzeros, factors=factors)


def draw_sketch(
    kind: str, r: int, dim: int, *, seed: int, nonzeros: int | None = None, factors: tuple[int, int] | None = None
) -> Sketch:
    """Draw a map from r to m dimensions.

    Args:
        kind: "gaussian", "rademacher", "srht", "sparse", "countsketch" or "kronecker".
        r: gradient dimension.
        dim: m.
        seed: the map is a function of (kind, seed, r, m) alone, and of what follows.
        nonzeros: of one gradient coordinate in kind sparse; None takes min(8, m).
        factors: (d, C) with C · d = r, for kind kronecker.

    Raises:
        InputError: the kind is unknown, or a size does not fit.
    """
    if not 1 <= dim <= r:
        raise InputError(f"sketch dim {dim} is outside 1..{r}, the dimensions of the gradients")
    if kind == "kronecker":
        if factors is None or factors[0] * factors[1] != r:
            raise InputError(f"sketch kronecker needs the sizes of two factors whose product is {r}")
        return KroneckerSketch(*factors, dim, seed=seed)
    if kind == "sparse":
        nonzeros = min(DEFAULT_NONZEROS, dim) if nonzeros is None else nonzeros
        if not 1 <= nonzeros <= dim:
            raise InputError(f"sketch nonzeros {nonzeros} exceeds the sketch dim {dim}; choose 1..{dim}")
        return SparseSketch(r, dim, seed=seed, nonzeros=nonzeros)
    plain = {each.kind: each for each in (GaussianSketch, RademacherSketch, HadamardSketch, CountSketch)}
    if kind not in plain:
        raise InputError(f"sketch {kind!r} is unknown; choose one of: {', '.join([*plain, 'sparse', 'kronecker'])}")
    return plain[kind](r, dim, seed=seed)


def default_dim(eigenvalues: Tensor) -> int:
    """Sketch size m when none is asked for: 4 × the effective dimension of this spectrum, within 32..512."""
    return max(SMALLEST_DEFAULT, min(LARGEST_DEFAULT, round(4 * effective_dimension(eigenvalues))))


def spectrum(rows: Rows) -> Tensor:
    """Eigenvalues of the uncentred second moment XᵀX/N of (N, d) rows: (min(N, d),) float64, descending, >= 0.

    Of outer products with more than 2,048 numbers, those of their Kronecker sketch to 1,024.
    """
    if isinstance(rows, OuterRows):
        wide = rows.shape[1] > _WRITTEN_OUT
        sizes = rows.inner.shape[1], rows.outer.shape[1]
        rows = KroneckerSketch(*sizes, 2 * LARGEST_DEFAULT, seed=0)(rows) if wide else rows.dense()
    smaller = rows if rows.shape[0] >= rows.shape[1] else rows.T
    gram = torch.zeros(smaller.shape[1], smaller.shape[1], dtype=torch.float64, device="cpu")
    for block in smaller.split(_BLOCK_ROWS):
        block = block.double() if block.device.type != "mps" else block
        gram += (block.T @ block).cpu().double()
    eigenvalues: Tensor = torch.linalg.eigvalsh(gram / len(rows))
    return eigenvalues.flip(0).clamp_min(0)


def effective_dimension(eigenvalues: Tensor) -> float:
    """Number of directions that carry the energy: exp of the entropy of the normalised eigenvalues, in 1..d.

    Source: the effective rank of Roy & Vetterli (2007), taken on the eigenvalues of the second moment.
    All-zero eigenvalues give 0.
    """
    total = eigenvalues.sum()
    if total <= 0:
        return 0.0
    shares = eigenvalues / total
    return float(torch.exp(-torch.special.xlogy(shares, shares).sum()))
