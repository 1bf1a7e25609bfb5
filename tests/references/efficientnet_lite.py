"""EfficientNet-Lite and its preparation written from their definitions: slow, without timm and without folding."""

import math

import numpy as np
import torch
from torch.nn import functional

# Repeats, kernel, stride, widening, channels in and out (Tan & Le, 2019, table 1, the first one with 32 channels in).
_STAGES = [
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
]
_SIZES = {"efficientnet-lite0": (1.0, 1.0), "efficientnet-lite2": (1.1, 1.2)}  # of width and depth
_FEATURES = 1280


def _channels(count, width):
    """To a multiple of 8 that is at least nine tenths of what is asked for."""
    near = max(8, int(count * width + 4) // 8 * 8)
    return near + 8 if near < 0.9 * count * width else near


def blocks(model):
    """Kernel, stride, widening, channels in and out of every block; the first and last stage keep their repeats."""
    width, depth = _SIZES[model]
    found = []
    for place, (repeats, kernel, stride, widening, before, after) in enumerate(_STAGES):
        start = 32 if place == 0 else _channels(before, width)
        end = _channels(after, width)
        count = repeats if place in (0, len(_STAGES) - 1) else math.ceil(repeats * depth)
        found.append((kernel, stride, widening, start, end))
        found += [(kernel, 1, widening, end, end)] * (count - 1)
    return found


def drawn_weights(model, seed=0):
    """Weights that nobody trained, by the names of `efficientnet_lite_pytorch`."""
    generator = torch.Generator().manual_seed(seed)
    found = {}

    def conv(name, shape):
        found[f"{name}.weight"] = torch.randn(shape, generator=generator) * math.prod(shape[1:]) ** -0.5

    def norm(name, size):
        found[f"{name}.weight"] = torch.rand(size, generator=generator) + 0.5
        found[f"{name}.bias"] = torch.randn(size, generator=generator) * 0.3
        found[f"{name}.running_mean"] = torch.randn(size, generator=generator) * 0.3
        found[f"{name}.running_var"] = torch.rand(size, generator=generator) + 0.5
        found[f"{name}.num_batches_tracked"] = torch.tensor(0)

    conv("_conv_stem", (32, 3, 3, 3))
    norm("_bn0", 32)
    for number, (kernel, _, widening, before, after) in enumerate(blocks(model)):
        wide = before * widening
        if widening > 1:
            conv(f"_blocks.{number}._expand_conv", (wide, before, 1, 1))
            norm(f"_blocks.{number}._bn0", wide)
        conv(f"_blocks.{number}._depthwise_conv", (wide, 1, kernel, kernel))
        norm(f"_blocks.{number}._bn1", wide)
        conv(f"_blocks.{number}._project_conv", (after, wide, 1, 1))
        norm(f"_blocks.{number}._bn2", after)
    conv("_conv_head", (_FEATURES, after, 1, 1))
    norm("_bn1", _FEATURES)
    found["_fc.weight"], found["_fc.bias"] = torch.zeros(1000, _FEATURES), torch.zeros(1000)
    return found


def slow_features(model, weights, pictures):
    """(B, 1280) float64 features of (B, 3, pixels, pixels) prepared pictures."""

    def conv(values, name, stride=1, groups=1):
        kernel = weights[f"{name}.weight"].double()
        size = kernel.shape[-1]
        missing = max((math.ceil(values.shape[-1] / stride) - 1) * stride + size - values.shape[-1], 0)
        first = missing // 2  # TensorFlow's "same": the odd zero comes last
        padded = functional.pad(values, (first, missing - first, first, missing - first))
        return functional.conv2d(padded, kernel, stride=stride, groups=groups)

    def norm(values, name):
        part = {key: weights[f"{name}.{key}"].double() for key in ("weight", "bias", "running_mean", "running_var")}
        centred = values - part["running_mean"][:, None, None]
        scaled = centred / (part["running_var"][:, None, None] + 1e-3).sqrt()
        return scaled * part["weight"][:, None, None] + part["bias"][:, None, None]

    values = norm(conv(pictures.double(), "_conv_stem", stride=2), "_bn0").clamp(0, 6)
    for number, (_, stride, widening, before, after) in enumerate(blocks(model)):
        own, inner = f"_blocks.{number}", values
        if widening > 1:
            inner = norm(conv(inner, f"{own}._expand_conv"), f"{own}._bn0").clamp(0, 6)
        deep = conv(inner, f"{own}._depthwise_conv", stride=stride, groups=inner.shape[1])
        inner = norm(deep, f"{own}._bn1").clamp(0, 6)
        inner = norm(conv(inner, f"{own}._project_conv"), f"{own}._bn2")
        values = inner + values if stride == 1 and before == after else inner
    return norm(conv(values, "_conv_head"), "_bn1").clamp(0, 6).mean((2, 3))


def slow_prepared(picture, pixels):
    """(3, pixels, pixels) float64 of an RGB picture: Keys' cubic (a = −1/2), widened to shrink, each axis rounded."""
    values = np.asarray(picture, np.float64)
    for axis in (1, 0):
        scaled = np.tensordot(_shares(values.shape[axis], pixels), values, (1, axis))
        values = np.clip(np.floor(np.moveaxis(scaled, 0, axis) + 0.5), 0, 255)
    return ((values - 127) / 128).transpose(2, 0, 1)


def _shares(length, pixels):
    """(pixels, length): how much each pixel of a line counts in each pixel of the scaled one."""
    step = length / pixels
    wide = max(step, 1.0)
    found = np.zeros((pixels, length))
    for place in range(pixels):
        centre = (place + 0.5) * step
        near = np.arange(max(int(centre - 2 * wide + 0.5), 0), min(int(centre + 2 * wide + 0.5), length))
        share = _cubic((near + 0.5 - centre) / wide)
        found[place, near] = share / share.sum()
    return found


def _cubic(x):
    x = np.abs(x)
    inner, outer = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x < 1, inner, np.where(x < 2, outer, 0.0))
