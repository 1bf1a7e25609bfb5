"""Classifiers of torchvision and timm without their last layer."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from skmm_core.config import EmbedJob
from skmm_core.encoders.downloads import fetching
from skmm_core.encoders.encoder import Encoder, Preprocess, feature_size, versions
from skmm_core.encoders.untrained import RANDOM_WARNING
from skmm_core.encoders.weights import (
    draw_weights,
    fill_weights,
    read_weights,
    weights_file,
    weights_hash,
    without_weights,
)
from skmm_core.errors import InputError
from skmm_core.storage import file_hash

_CLASSES = 1000
_SLOW_START = ("googlenet", "inception_v3")  # warn unless told how to draw the weights that are replaced anyway
_SIDE_HEADS = ("aux1", "aux2", "AuxLogits")  # extra classifiers that only training uses


def torchvision_names() -> list[str]:
    """Names of torchvision's image classifiers."""
    from torchvision import models

    return list(models.list_models(module=models))


def timm_names() -> list[str]:
    """Names of timm's models, without their tags."""
    import timm

    return list(timm.list_models())


def torchvision_tags(name: str) -> list[str]:
    """Published weights of a model, best last."""
    from torchvision import models

    return list(models.get_model_weights(name).__members__)


def timm_tags(name: str) -> list[str]:
    """Published weights of a model."""
    import timm

    return [full.partition(".")[2] for full in timm.list_pretrained(f"{name}.*")]


def load_torchvision(name: str, job: EmbedJob, device: torch.device) -> Encoder:
    """Build a torchvision classifier; its features are the input of its last layer.

    Pictures are prepared as for torchvision's own weights: those of the tag, or the default ones of the model.

    Args:
        name: one of :func:`torchvision_names`.
        job: says which weights: a tag (`IMAGENET1K_V1`), a local state dict, or none when random ones are allowed.
        device: where it computes.

    Raises:
        InputError: weights are missing, refused or of another model.
    """
    from torchvision import models

    known, tags = models.get_model_weights(name), torchvision_tags(name)
    if not tags:
        raise InputError(f"torchvision:{name} has no recipe to prepare pictures; choose another --model")
    file = _file_or_tag(f"torchvision:{name}", job, tags)
    entry = known[job.pretrained] if job.pretrained and file is None else known[tags[-1]]
    weights = _torchvision_weights(name, job, file, entry)
    with torch.random.fork_rng(devices=[]):
        model = models.get_model(name, weights=None, **({"init_weights": True} if name in _SLOW_START else {}))
    head = _last_layer(model)
    _replace(model, head)
    if weights is None:
        draw_weights(model)
    else:
        fill_weights(model, weights, job.pretrained or name, optional=(head, *_SIDE_HEADS))
    return _encoder(f"torchvision:{name}", model, job, file, entry.transforms(), device)


def load_timm(name: str, job: EmbedJob, device: torch.device) -> Encoder:
    """Build a timm model without its classifier; its features are what it then pools.

    Args:
        name: one of :func:`timm_names`.
        job: says which weights: a tag of timm, a local state dict, or none when random ones are allowed.
        device: where it computes.

    Raises:
        InputError: weights are missing, refused or of another model.
    """
    import timm
    from timm.data import create_transform, resolve_model_data_config

    file = _file_or_tag(f"timm:{name}", job, timm_tags(name))
    tag = job.pretrained if file is None else None
    weights = read_weights(file) if file else None
    with torch.random.fork_rng(devices=[]):
        if tag is None:
            model = timm.create_model(name, pretrained=False, num_classes=0)
        else:
            with fetching(f"timm:{name}", tag):
                model = timm.create_model(f"{name}.{tag}", pretrained=True, num_classes=0)
    if weights is not None:
        heads = model.pretrained_cfg.get("classifier") or ()
        fill_weights(
            model, weights, file.name if file else name, optional=(heads,) if isinstance(heads, str) else heads
        )
    elif tag is None:
        draw_weights(model)
    preprocess = create_transform(**resolve_model_data_config(model), is_training=False)
    return _encoder(f"timm:{name}", model, job, file, preprocess, device)


def _file_or_tag(name: str, job: EmbedJob, tags: Sequence[str]) -> Path | None:
    if job.pretrained is None:
        if not job.allow_random_weights:
            raise without_weights(name, tags)
        return None
    return weights_file(job.pretrained, tags)


def _torchvision_weights(name: str, job: EmbedJob, file: Path | None, entry: Any) -> dict[str, Tensor] | None:
    if job.pretrained is None:
        return None
    if file is not None:
        return read_weights(file)
    with fetching(f"torchvision:{name}", job.pretrained):
        return dict(entry.get_state_dict(progress=False, check_hash=True, weights_only=True))


def _last_layer(model: nn.Module) -> str:
    """Name of the layer that makes class scores: the last with one output a class."""
    found = [
        str(name)
        for name, part in model.named_modules()
        if getattr(part, "out_features", getattr(part, "out_channels", None)) == _CLASSES
        and not name.startswith(_SIDE_HEADS)
    ]
    if not found:
        raise InputError("this model has no classifier to remove; choose another --model")
    return found[-1]


def _replace(model: nn.Module, name: str) -> None:
    parent, _, own = name.rpartition(".")
    setattr(model.get_submodule(parent), own, nn.Identity())


def _encoder(
    name: str, model: nn.Module, job: EmbedJob, file: Path | None, preprocess: Preprocess, device: torch.device
) -> Encoder:
    model = model.eval().requires_grad_(False).to(device)
    forward: Callable[[Tensor], Tensor] = model
    library = name.partition(":")[0]
    return Encoder(
        name=name,
        dim=feature_size(forward, preprocess, device),
        preprocess=preprocess,
        forward=forward,
        provenance={
            "model": name,
            "pretrained": file.name if file else job.pretrained,
            "weights_sha256": file_hash(file) if file else weights_hash(model),
            "preprocessing": " ".join(str(preprocess).split()),
            "versions": versions(library, "torchvision"),
            "warnings": [] if job.pretrained else [RANDOM_WARNING],
        },
        device=device,
        half=True,
        network=model,
    )
