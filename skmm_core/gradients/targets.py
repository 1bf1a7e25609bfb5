"""Targets drawn from what a model predicts, for gradients of a loss that read no label."""

import torch
from torch import Tensor

from skmm_core.device import generator


def uniforms(size: int, seed: int) -> Tensor:
    """(N,) float64 numbers in [0, 1), one a row, so that targets do not depend on how rows are blocked."""
    return torch.rand(size, generator=generator(seed, "targets:classes"), dtype=torch.float64)


def draw_classes(probabilities: Tensor, uniform: Tensor) -> Tensor:
    """(N,) int64 classes of (N, K) probabilities by inversion of the cumulative sums."""
    sums = probabilities.double().cumsum(dim=1) if probabilities.device.type != "mps" else probabilities.cumsum(dim=1)
    places = torch.searchsorted(sums, (uniform.to(sums) * sums[:, -1])[:, None], right=True).squeeze(1)
    return places.clamp_max(probabilities.shape[1] - 1)


def normals(size: int, seed: int) -> Tensor:
    """(N,) float64 standard normal numbers, one a row."""
    return torch.randn(size, generator=generator(seed, "targets:values"), dtype=torch.float64)
