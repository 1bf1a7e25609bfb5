"""Two-dimensional maps of the pool: PCA at once, UMAP when there is time."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skmm_core.device import generator
from skmm_core.progress import Progress, Report, ignore

UMAP_FIT_LIMIT = 20_000
_UMAP_INPUT_DIM = 50
_NEIGHBOURS = 15
_SMALLEST_UMAP = 10  # below this a neighbour graph says nothing and its spectral start breaks down
_BLOCK_ROWS = 8_192
EPOCHS = "Moving points of the UMAP map"  # the phase that counts its epochs
Map = NDArray[np.float32]


def pca_map(features: Tensor) -> Map:
    """Project rows on their two directions of largest variance.

    Args:
        features: (N, d) rows, any floating type and device.

    Returns:
        (N, 2) float32. The sign of each axis is fixed (its largest loading is positive), so the same rows give the
        same picture. With one column, or no variance left, the second axis is zero.
    """
    return _principal(features, 2).astype(np.float32)


def umap_map(features: Tensor, *, seed: int = 0, report: Report = ignore) -> Map:
    """Lay rows out so that near neighbours stay near (UMAP; McInnes, Healy & Melville 2018).

    Rows are reduced to 50 principal components first. At most 20,000 rows (a seeded sample) are fitted, the rest are
    placed beside them. One thread, so the same seed gives the same map. Pools below 10 rows get the PCA map.

    Args:
        features: (N, d) rows, any floating type and device.
        seed: of the layout and of the sample.
        report: told before each stage, and of the epochs of the layout, which may be cancelled there.

    Returns:
        (N, 2) float32.
    """
    size = len(features)
    if size < _SMALLEST_UMAP:
        return pca_map(features)
    report(Progress("Drawing the UMAP map", 0, 3))
    rows = _principal(features, min(_UMAP_INPUT_DIM, features.shape[1])).astype(np.float32)
    report(Progress("Drawing the UMAP map", 1, 3))
    from umap import UMAP  # late: its first import compiles for seconds

    fitted = torch.randperm(size, generator=generator(seed, "umap"))[:UMAP_FIT_LIMIT].sort().values.numpy()
    told = {"disable": False, "file": _Epochs(report), "bar_format": "{n_fmt}/{total_fmt}", "mininterval": 0.5}
    model = UMAP(n_neighbors=min(_NEIGHBOURS, size - 1), random_state=seed, n_jobs=1, tqdm_kwds=told)
    layout = np.empty((size, 2), dtype=np.float32)
    layout[fitted] = model.fit_transform(rows[fitted])
    report(Progress("Drawing the UMAP map", 2, 3))
    rest = np.setdiff1d(np.arange(size), fitted)
    if len(rest):
        layout[rest] = model.transform(rows[rest])
    report(Progress("Drawing the UMAP map", 3, 3))
    return layout


class _Epochs:
    """What UMAP's progress bar writes to: "37/500", as a report."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def write(self, text: str) -> None:
        done, _, total = text.strip().partition("/")
        if done.isdecimal() and total.isdecimal():
            self._report(Progress(EPOCHS, int(done), int(total)))

    def flush(self) -> None:
        """Nothing waits."""


def _principal(features: Tensor, dims: int) -> NDArray[np.float64]:
    """(N, dims) float64 coordinates on the leading principal directions; missing directions are zero."""
    from scipy.linalg import eigh

    size, d = features.shape
    mean = torch.stack([block.cpu().double().sum(0) for block in features.split(_BLOCK_ROWS)]).sum(0) / size
    covariance = torch.zeros(d, d, dtype=torch.float64)
    for block in features.split(_BLOCK_ROWS):
        centred = block.cpu().double() - mean
        covariance += centred.T @ centred
    leading = eigh(covariance.numpy(), subset_by_index=(max(0, d - dims), d - 1))[1][:, ::-1]
    largest = np.abs(leading).argmax(axis=0)
    leading = leading * np.sign(leading[largest, np.arange(leading.shape[1])])
    coordinates = np.zeros((size, dims))
    for start in range(0, size, _BLOCK_ROWS):
        centred = features[start : start + _BLOCK_ROWS].cpu().double() - mean
        coordinates[start : start + _BLOCK_ROWS, : leading.shape[1]] = centred.numpy() @ leading
    return coordinates
