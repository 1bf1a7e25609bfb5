"""EfficientNet-Lite for the CPU: the same features from fewer passes over memory.

Batch norms are folded into the convolutions before them, activations are cut off in place, channels lie last, and a
few pictures go through all layers at once, so that what one layer leaves for the next is still in the cache. How much
faster that is, `python -m tests.bench.packaged_encoders` measures.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

_AT_ONCE = 4  # pictures; 1 and 32 are slower
_CEILING = 6.0  # of the activation, ReLU6


@dataclass(frozen=True)
class _Layer:
    """A convolution with its batch norm.

    Attributes:
        weight: (out, in / groups, k, k) float32, channels last.
        bias: (out,) float32.
        stride: 1 or 2.
        padding: zeros on each side.
        groups: as of the convolution.
        active: whether the activation follows.
    """

    weight: Tensor
    bias: Tensor
    stride: int
    padding: int
    groups: int
    active: bool

    def __call__(self, inputs: Tensor) -> Tensor:
        found = functional.conv2d(inputs, self.weight, self.bias, self.stride, self.padding, 1, self.groups)
        return found.clamp_(0, _CEILING) if self.active else found


class FusedNetwork:
    """Maps (B, 3, pixels, pixels) float32 prepared pictures to (B, d) float32 pooled features, on the CPU."""

    def __init__(self, network: Any, pixels: int) -> None:
        """Fold a network of timm.

        Args:
            network: an EfficientNet-Lite of timm, in evaluation mode, on the CPU; it is not changed.
            pixels: a side of the pictures. Padding depends on it.
        """
        size = pixels
        self._blocks: list[tuple[list[_Layer], bool]] = []
        for pairs, skips in _blocks(network):
            layers = []
            for conv, norm in pairs:
                layers.append(_folded(conv, norm, size))
                size = -(-size // layers[-1].stride)
            self._blocks.append((layers, skips))

    def __call__(self, pictures: Tensor) -> Tensor:
        """Encode pictures."""
        inputs = pictures.contiguous(memory_format=torch.channels_last)
        return torch.cat([self._features(some) for some in inputs.split(_AT_ONCE)])

    def _features(self, inputs: Tensor) -> Tensor:
        for layers, skips in self._blocks:
            found = inputs
            for layer in layers:
                found = layer(found)
            inputs = found.add_(inputs) if skips else found
        return inputs.mean((2, 3))


def _blocks(network: Any) -> Iterator[tuple[list[tuple[Any, Any]], bool]]:
    """Convolutions with their batch norms, block by block, and whether a block's input is added at its end."""
    yield [(network.conv_stem, network.bn1)], False
    for block in (block for stage in network.blocks for block in stage):
        if hasattr(block, "conv_pwl"):
            pairs = [(block.conv_pw, block.bn1), (block.conv_dw, block.bn2), (block.conv_pwl, block.bn3)]
        else:  # the first block widens nothing
            pairs = [(block.conv_dw, block.bn1), (block.conv_pw, block.bn2)]
        yield pairs, block.has_skip
    yield [(network.conv_head, network.bn2)], False


def _folded(conv: Any, norm: Any, size: int) -> _Layer:
    """One layer of a convolution and its batch norm, on inputs of `size` pixels a side.

    TensorFlow's "same" padding puts the odd zero of a halving convolution behind the picture. A row and a column of
    zeros before the kernel make even padding do that, without a padded copy of the picture.
    """
    scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    weight = conv.weight.double() * scale[:, None, None, None]
    if conv.stride[0] == 2 and size % 2 == 0:
        weight = functional.pad(weight, (1, 0, 1, 0))
    return _Layer(
        weight=weight.float().contiguous(memory_format=torch.channels_last),
        bias=(norm.bias.double() - norm.running_mean.double() * scale).float(),
        stride=conv.stride[0],
        padding=conv.kernel_size[0] // 2,
        groups=conv.groups,
        active=not isinstance(norm.act, torch.nn.Identity),
    )
