"""From the name of a model to its encoder."""

import difflib
from collections.abc import Callable, Sequence

import torch

from skmm_core.config import EmbedJob
from skmm_core.encoders.efficientnet_lite import load_efficientnet_lite
from skmm_core.encoders.encoder import Encoder
from skmm_core.encoders.offline import load_offline
from skmm_core.encoders.openclip import load_openclip, openclip_names, openclip_tags
from skmm_core.encoders.packaged import OFFLINE, PACKAGED
from skmm_core.encoders.torchvision_timm import (
    load_timm,
    load_torchvision,
    timm_names,
    timm_tags,
    torchvision_names,
    torchvision_tags,
)
from skmm_core.errors import InputError

_LIBRARIES = ("openclip", "torchvision", "timm")
_LOADERS: dict[str, Callable[[str, EmbedJob, torch.device], Encoder]] = {
    "openclip": load_openclip,
    "torchvision": load_torchvision,
    "timm": load_timm,
}


def model_names(library: str) -> list[str]:
    """Names of the models of "openclip", "torchvision" or "timm"."""
    return {"openclip": openclip_names, "torchvision": torchvision_names, "timm": timm_names}[library]()


def weight_tags(library: str, name: str) -> list[str]:
    """Published weights of a model of one of these libraries."""
    return {"openclip": openclip_tags, "torchvision": torchvision_tags, "timm": timm_tags}[library](name)


def load_encoder(job: EmbedJob, device: torch.device) -> Encoder:
    """Build the encoder that a job names.

    A plain name is looked up in this order: offline, those whose weights come as a package, open_clip, torchvision,
    timm; `openclip:`, `torchvision:` or `timm:` before it names the library.

    Args:
        job: model and weights.
        device: where the encoder computes.

    Raises:
        InputError: the model is unknown (close names are given), or its weights are missing or refused.
    """
    if job.model == OFFLINE:
        if given := job.pretrained or job.architecture:
            raise InputError(f"--model offline has no weights to choose; leave out {given} or name another --model")
        return load_offline(device)
    if job.model in PACKAGED:
        return load_efficientnet_lite(job.model, job, device)
    library, name = _find(job)
    return _LOADERS[library](name, job, device)


def _find(job: EmbedJob) -> tuple[str, str]:
    """Library and name of a network; libraries are only loaded when the search comes to them."""
    prefix, colon, name = job.model.partition(":")
    libraries: Sequence[str] = _LIBRARIES
    if colon and prefix in _LIBRARIES:
        libraries = (prefix,)
    else:
        name = job.model
    if job.architecture is not None and libraries[0] != "openclip":
        raise InputError("--model-config belongs to models of open_clip; leave it out")
    seen: list[str] = []
    for library in libraries:
        names = _names(library, job)
        if name in names:
            return library, name
        seen += names
    raise InputError(_unknown(job.model, name, seen, libraries))


def _names(library: str, job: EmbedJob) -> list[str]:
    return openclip_names(job.architecture) if library == "openclip" else model_names(library)


def _unknown(given: str, name: str, seen: Sequence[str], libraries: Sequence[str]) -> str:
    by_lower = {known.lower(): known for known in [OFFLINE, *PACKAGED, *seen]}
    near = difflib.get_close_matches(name.lower(), list(by_lower), n=4, cutoff=0.5)
    hint = f"close names: {', '.join(by_lower[match] for match in near)}" if near else "use offline, or ViT-B-32"
    return f"--model {given[:80]} is not known to {' or '.join(libraries)}; {hint}"
