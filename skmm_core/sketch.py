"""Johnson-Lindenstrauss maps: from r gradient dimensions to m, keeping inner products on average.

One seeded map serves every batch of a run. A fresh map a batch would destroy the inner products between batches.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from skmm_core.config import SketchParams
from skmm_core.device import generator
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report, ignore

SMALLEST_DEFAULT, LARGEST_DEFAULT = 32, 512
_BLOCK_ROWS = 16_384


@dataclass(frozen=True)
class Sketch:
    """One linear map G ↦ GΓ, drawn once.

    Attributes:
        kind: "gaussian", or "none" for the identity.
        matrix: (r, m) Γ, scaled so that E‖Γᵀg‖² = ‖g‖²; None for the identity.
        dim: m.
    """

    kind: str
    matrix: Tensor | None
    dim: int

    def __call__(self, gradients: Tensor, *, report: Report = ignore) -> Tensor:
        """Map (N, r) rows to (N, m), block by block; the result does not depend on the blocks up to rounding."""
        if self.matrix is None:
            return gradients
        matrix = self.matrix.to(gradients.device, gradients.dtype)
        sketched = gradients.new_empty(len(gradients), self.dim)
        for start in range(0, len(gradients), _BLOCK_ROWS):
            report(Progress("Sketching gradients", start, len(gradients)))
            torch.mm(gradients[start : start + _BLOCK_ROWS], matrix, out=sketched[start : start + _BLOCK_ROWS])
        return sketched


def make_sketch(params: SketchParams, gradients: Tensor, *, seed: int) -> Sketch:
    """Draw the sketch of a run.

    Args:
        params: kind and size; without a size, :func:`default_dim` of the gradients. A default size that would not
            reduce the dimension gives the identity instead, since a square random map only adds noise.
        gradients: (N, r) rows, looked at for the default size only.
        seed: of the run; the map is a function of (seed, r, m) alone.

    Raises:
        InputError: the asked size exceeds r.
    """
    r = gradients.shape[1]
    dim = params.dim
    if params.kind == "none":
        if dim not in (None, r):
            raise InputError(f"sketch dim {dim} does not fit kind none, which keeps all {r}; leave the size out")
        return Sketch("none", None, r)
    if dim is None:
        dim = default_dim(gradients)
        if dim >= r:
            return Sketch("none", None, r)
    if dim > r:
        raise InputError(f"sketch dim {dim} exceeds the {r} dimensions of the data; choose 1..{r}")
    matrix = torch.randn(r, dim, generator=generator(seed, "sketch:gaussian"), dtype=torch.float32)
    return Sketch("gaussian", matrix / dim**0.5, dim)


def default_dim(gradients: Tensor) -> int:
    """Sketch size m when none is asked for: 4 × the effective dimension, within 32..512."""
    return max(SMALLEST_DEFAULT, min(LARGEST_DEFAULT, round(4 * effective_dimension(spectrum(gradients)))))


def spectrum(rows: Tensor) -> Tensor:
    """Eigenvalues of the uncentred second moment XᵀX/N of (N, d) rows: (min(N, d),) float64, descending, >= 0."""
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
