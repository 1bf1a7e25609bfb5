"""Image towers of CLIP models, built and loaded by open_clip."""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from skmm_core.config import EmbedJob
from skmm_core.encoders.downloads import fetching, quietly
from skmm_core.encoders.encoder import Encoder, feature_size, versions
from skmm_core.encoders.untrained import RANDOM_WARNING
from skmm_core.encoders.weights import (
    draw_weights,
    misfit,
    read_weights,
    weights_file,
    weights_hash,
    without_weights,
)
from skmm_core.errors import InputError
from skmm_core.storage import file_hash

_LARGEST_CONFIG = 1 << 20  # bytes
_CONFIG_KEYS = ("embed_dim", "vision_cfg", "text_cfg")


def openclip_names(config: str | None = None) -> list[str]:
    """Names of the models that open_clip can build.

    Args:
        config: path of a model config (JSON) to register first; its file name without the ending is the model's name.

    Raises:
        InputError: the config cannot be used.
    """
    import open_clip

    if config is not None:
        path = _checked_config(Path(config).expanduser())
        open_clip.add_model_config(path)
    return list(open_clip.list_models())


def openclip_tags(name: str) -> list[str]:
    """Published weights of a model."""
    import open_clip

    return list(open_clip.list_pretrained_tags_by_model(name))


def load_openclip(name: str, job: EmbedJob, device: torch.device) -> Encoder:
    """Build one of :func:`openclip_names` with its weights.

    Features are what `encode_image` of the model returns, so L2 normalised only where the model itself does so.

    Args:
        name: of the model.
        job: says which weights: a tag of open_clip, a local file, or none when random ones are allowed.
        device: where it computes.

    Raises:
        InputError: weights are missing, refused or of another model, or the model cannot be built here.
    """
    import open_clip

    tags = openclip_tags(name)
    file = weights_file(job.pretrained, tags) if job.pretrained else None
    if job.pretrained is None and not job.allow_random_weights:
        raise without_weights(f"openclip:{name}", tags)
    path = file or (_download(name, job.pretrained) if job.pretrained else None)
    if path is not None:
        read_weights(path)  # refuses, in words for a person, what open_clip would refuse or misread
    with _collected() as said, torch.random.fork_rng(devices=[]):
        try:
            model, _, preprocess = open_clip.create_model_and_transforms(
                name,
                pretrained=str(job.pretrained) if job.pretrained and file is None else None,
                load_weights=False,
                pretrained_image=False,
                pretrained_text=False,
                weights_only=True,
            )
        except Exception as error:  # a config may name parts of any library
            raise InputError(
                f"open_clip cannot build {name} here: {_line(error)[:200]}; choose another --model"
            ) from None
        if path is None:
            draw_weights(model)
        else:
            _fill(model, path)
    model = model.eval().requires_grad_(False).to(device)
    random = (RANDOM_WARNING,) if path is None else ()
    provenance = {
        "model": f"openclip:{name}",
        "pretrained": file.name if file else job.pretrained,
        "weights_sha256": weights_hash(model) if path is None else file_hash(path),
        "preprocessing": _line(preprocess),
        "versions": versions("open_clip_torch", "torchvision", "timm"),
        "warnings": [*random, *said],
    }
    return Encoder(
        name=f"openclip:{name}",
        dim=feature_size(model.encode_image, preprocess, device),
        preprocess=preprocess,
        forward=model.encode_image,
        provenance=provenance,
        device=device,
        half=True,
        network=getattr(model, "visual", None),
    )


def _fill(model: torch.nn.Module, path: Path) -> None:
    import open_clip

    try:
        open_clip.load_checkpoint(model, str(path), strict=True, weights_only=True)
    except (RuntimeError, KeyError, AttributeError) as error:  # the last two: conversions that look for certain names
        raise misfit(path.name, error) from None


def _download(name: str, tag: str) -> Path:
    """The file with the weights of a tag, from open_clip's cache or the network."""
    import open_clip

    with fetching(f"openclip:{name}", tag):
        return Path(open_clip.download_pretrained(open_clip.get_pretrained_cfg(name, tag)))


def _checked_config(path: Path) -> Path:
    if path.suffix != ".json" or not path.is_file():
        raise InputError(f"--model-config {path} is no JSON file; give an open_clip model config")
    if path.stat().st_size > _LARGEST_CONFIG:
        raise InputError(f"--model-config {path} is larger than 1 MB; give an open_clip model config")
    import open_clip

    if (Path(open_clip.__file__).parent / "model_configs" / path.name).exists():
        raise InputError(f"--model-config {path.name} has the name of a model of open_clip; rename the file")
    try:
        found: Any = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        raise InputError(f"--model-config {path} is not readable JSON; give an open_clip model config") from None
    missing = [key for key in _CONFIG_KEYS if not isinstance(found, dict) or key not in found]
    if missing:
        raise InputError(f"--model-config {path.name} lacks {missing[0]}; an open_clip config has {_CONFIG_KEYS}")
    return path.resolve()


@contextmanager
def _collected() -> Iterator[list[str]]:
    """Keep open_clip's log lines off the terminal; collect its warning that weights and activation do not match."""
    said: list[str] = []
    with quietly(), warnings.catch_warnings(record=True) as caught:
        yield said
    said += [_line(each.message) for each in caught if "GELU" in str(each.message)]


def _line(said: object) -> str:
    return " ".join(str(said).split()) or type(said).__name__
