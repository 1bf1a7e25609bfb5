"""Made-up rows in the shapes of real features: uneven clusters, heavy tails, a decaying spectrum, an offset."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from skmm_core.device import generator

_CLUSTERS = 50
_TAIL = 4  # degrees of freedom of the noise
_BLOCK_ROWS = 16_384


def clustered_features(size: int, dims: int) -> tuple[Tensor, Tensor]:
    """(N, d) float32 rows, see :func:`clustered_blocks`, and (N,) the cluster of each."""
    features, labels = torch.empty(size, dims), torch.empty(size, dtype=torch.int64)
    for start, block, mine in clustered_blocks(size, dims):
        features[start : start + len(block)], labels[start : start + len(block)] = block, mine
    return features, labels


def write_clustered(path: Path, size: int, dims: int, *, seed: int = 0) -> np.ndarray:
    """Write (N, d) rows as a float16 npy file, see :func:`clustered_blocks`, and return (N,) the cluster of each."""
    labels = []
    with path.open("wb") as file:
        header = {"descr": "<f2", "fortran_order": False, "shape": (size, dims)}
        np.lib.format.write_array_header_1_0(file, header)
        for _, block, mine in clustered_blocks(size, dims, seed=seed):
            file.write(block.half().numpy().tobytes())
            labels.append(mine.numpy())
    return np.concatenate(labels)


def clustered_blocks(size: int, dims: int, *, seed: int = 0) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Rows block by block: where each begins, its (b, d) float32 rows, and the cluster of each.

    Fifty centres, the j-th with a share of the rows in proportion to 1/j; noise of a Student t with 4 degrees of
    freedom, one length for all columns of a row, so that some rows lie far out; a spectrum that decays as 1/j; and an
    offset common to all rows. Even clusters of normal noise would let exchanges stop at once.
    """
    draw = generator(seed, "bench:features")
    decay = torch.arange(1, dims + 1).float().rsqrt()
    centres = torch.randn(_CLUSTERS, dims, generator=draw) * decay * 2 + torch.randn(dims, generator=draw)
    shares = torch.arange(1, _CLUSTERS + 1).float().reciprocal()
    for start in range(0, size, _BLOCK_ROWS):
        count = min(_BLOCK_ROWS, size - start)
        labels = torch.multinomial(shares, count, replacement=True, generator=draw)
        lengths = (_TAIL / torch.randn(count, _TAIL, generator=draw).square().sum(dim=1)).sqrt()
        noise = torch.randn(count, dims, generator=draw) * decay * lengths[:, None]
        yield start, centres[labels] + noise, labels
