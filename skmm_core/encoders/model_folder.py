"""A folder with a text model, looked through before a library reads it: small enough, safetensors only, no code."""

import hashlib
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from skmm_core.data import max_megabytes
from skmm_core.encoders.weights import reading
from skmm_core.errors import InputError
from skmm_core.storage import file_hash

WEIGHTS = ".safetensors"
_TRANSFORMER, _STATIC = "Transformer", "StaticEmbedding"
_WITH_WEIGHTS = (_TRANSFORMER, _STATIC, "Dense", "LayerNorm", "WeightedLayerPooling")
_KNOWN = (*_WITH_WEIGHTS, "Pooling", "Normalize", "Dropout")
_CLASS = re.compile(r"sentence_transformers(\.[a-z_]+)*\.([A-Za-z]+)")
_PICKLED = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")
_MOST_MODULES, _MOST_FILES = 16, 1000
_LARGEST_JSON, _LARGEST_SETTINGS = 64 << 20, 1 << 20
_SETTINGS = ("config", "modules", "sentence_")  # starts of names of files that hold no words of a tokenizer
_LARGEST_NUMBER, _MOST_LAYERS = 4_000_000, 256  # in config.json, before any memory is taken for a network
_COUNTS = re.compile(
    "layers?$|layers_|depth|num_experts|hidden_groups|inner_group"
)  # names of how often a part is repeated


@dataclass(frozen=True)
class ModelFolder:
    """A folder that was looked through.

    Attributes:
        path: of the folder.
        static: whether it is one of model2vec, whose features are means of vectors of words.
        transformer: the folder of the network, or None where there is none.
        weights_sha256: over all files of weights.
        files_sha256: over all others that decide the features, such as the tokenizer's.
    """

    path: Path
    static: bool
    transformer: Path | None
    weights_sha256: str
    files_sha256: str


def check_model_folder(path: Path) -> ModelFolder:
    """Look through the folder of a model of sentence-transformers or model2vec.

    Raises:
        InputError: it is none, is too large, has weights that are pickled, or brings code of its own.
    """
    if not path.is_dir():
        raise InputError(f"--model {path} is no folder; give one that save_pretrained of sentence-transformers wrote")
    static = _is_static(path / f"model{WEIGHTS}")
    modules = [(_STATIC, path)] if static else _modules(path)
    files = _files(path, {path, *(folder for _, folder in modules)})
    for kind, folder in modules:
        _check_weights(path, kind, [file for file in files if file.parent == folder])
        _check_shape(path, kind, folder)
    transformer = next((folder for kind, folder in modules if kind == _TRANSFORMER), None)
    if transformer is not None:
        _check_numbers(transformer)
    weights = [file for file in files if file.suffix == WEIGHTS]
    largest = max_megabytes()
    if sum(file.stat().st_size for file in weights) > largest << 20:
        raise InputError(f"{path.name} holds more than {largest:,} MB of weights; set SKMM_MAX_FILE_MB to read it")
    others = [file for file in files if file.suffix in (".json", ".txt", ".model")]
    return ModelFolder(path, static, transformer, _hash(path, weights), _hash(path, others))


def _is_static(file: Path) -> bool:
    """Whether these are the weights of model2vec, which sentence-transformers would read too, but in another way."""
    from safetensors import safe_open

    if not file.is_file():
        return False
    with reading(file), safe_open(file, "np") as tensors:
        return "embeddings" in tensors.keys()  # noqa: SIM118


def _modules(path: Path) -> list[tuple[str, Path]]:
    """The parts of a model of sentence-transformers: the class of each, and its folder."""
    listed = path / "modules.json"
    if not listed.is_file():
        raise InputError(
            f"{path.name} has no modules.json, so it is no model of sentence-transformers or model2vec; save it with "
            "SentenceTransformer(…).save_pretrained(FOLDER)"
        )
    found = _read_json(listed)
    if not isinstance(found, list) or not 1 <= len(found) <= _MOST_MODULES:
        raise InputError(f"{path.name}: modules.json is no list of modules; save the model again with save_pretrained")
    return [_module(path, each) for each in found]


def _module(path: Path, entry: Any) -> tuple[str, Path]:
    kind, place = (entry.get("type"), entry.get("path")) if isinstance(entry, dict) else (None, None)
    named = _CLASS.fullmatch(kind) if isinstance(kind, str) else None
    if named is None or named[2] not in _KNOWN:
        raise InputError(
            f"{path.name} is refused: its module {str(kind)[:80]!r} is none of those that are read, which are "
            f"{', '.join(_KNOWN)} of sentence-transformers"
        )
    inner = PurePosixPath(place) if isinstance(place, str) else None
    if inner is None or inner.is_absolute() or ".." in inner.parts or "\\" in str(place) or len(inner.parts) > 1:
        raise InputError(f"{path.name} is refused: modules.json names the folder {str(place)[:80]!r}, outside of it")
    return named[2], path / inner


def _files(path: Path, folders: set[Path]) -> list[Path]:
    """Files of these folders, in the order of their names; those below them are never read."""
    found = []
    for folder in sorted(each for each in folders if each.is_dir()):
        found += [file for file in sorted(folder.iterdir()) if not file.is_dir()]
        if len(found) > _MOST_FILES:
            raise InputError(f"{path.name} holds more than {_MOST_FILES:,} files, so it is no model; name its own")
    for file in found:
        if not file.is_file():
            raise InputError(f"{path.name} is refused: {file.name} in it is no ordinary file; copy the model again")
        if file.suffix == ".py":
            raise InputError(f"{path.name} is refused: it brings code of its own ({file.name}), which is never run")
        if file.name == "adapter_config.json":
            raise InputError(f"{path.name} is an adapter to another model; merge the two and save the result")
        largest = _LARGEST_SETTINGS if file.name.startswith(_SETTINGS) else _LARGEST_JSON
        if file.suffix == ".json" and file.stat().st_size > largest:
            raise InputError(f"{path.name}: {file.name} is larger than {largest >> 20} MB; it is no model's")
    return found


def _check_weights(path: Path, kind: str, files: Sequence[Path]) -> None:
    if kind not in _WITH_WEIGHTS or any(file.suffix == WEIGHTS for file in files):
        return
    if pickled := [file.name for file in files if file.suffix in _PICKLED]:
        raise InputError(
            f"{path.name} is refused: {pickled[0]} holds pickled weights, which can run code when loaded; where you "
            "trust them, save them as safetensors: "
            "SentenceTransformer(FOLDER).save_pretrained(NEW, safe_serialization=True)"
        )
    raise InputError(f"{path.name} lacks the weights of its {kind} (model.safetensors); copy the whole folder")


def _check_shape(path: Path, kind: str, folder: Path) -> None:
    """Refuse a part that is larger than the weights beside it, before memory is taken for it."""
    if kind in (_TRANSFORMER, _STATIC) or kind not in _WITH_WEIGHTS:
        return
    config = _config(folder / "config.json")
    activation = config.get("activation_function", "torch.")
    if not str(activation).startswith("torch."):  # the library would take another one without a word
        raise InputError(
            f"{path.name} is refused: its Dense has the activation {str(activation)[:80]!r}, none of torch"
        )
    sizes = [value for _, value in _numbers(config) if value > 1]
    there = weights_in(folder)
    wanted = math.prod(sizes) if kind == "Dense" else max(sizes, default=0)
    if wanted > there and (kind != "WeightedLayerPooling" or wanted > _LARGEST_NUMBER):
        raise InputError(
            f"{path.name}: config.json of its {kind} describes {wanted:,} weights, and {there:,} are there; copy the "
            "whole folder"
        )


def weights_in(folder: Path) -> int:
    """Numbers that the files of weights in a folder hold in all.

    Raises:
        InputError: one cannot be read.
    """
    from safetensors import safe_open

    there = 0
    for file in folder.glob(f"*{WEIGHTS}"):
        with reading(file), safe_open(file, "np") as tensors:
            there += sum(math.prod(tensors.get_slice(key).get_shape()) for key in tensors.keys())  # noqa: SIM118
    return there


def _check_numbers(folder: Path) -> None:
    """Refuse a network whose description asks for more than any has."""
    for name, value in _numbers(_config(folder / "config.json")):
        if value > (_MOST_LAYERS if _COUNTS.search(name) else _LARGEST_NUMBER) and name != "model_max_length":
            raise InputError(f"{folder.name}: config.json asks for {name} = {value:,}; no such network is read")


def _numbers(config: dict[str, Any]) -> list[tuple[str, int]]:
    found = []
    for name, value in config.items():
        if isinstance(value, dict):
            found += _numbers(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            found.append((str(name), value))
    return found


def _config(path: Path) -> dict[str, Any]:
    """A file of settings; none where it is not there."""
    found = _read_json(path) if path.is_file() else {}
    return found if isinstance(found, dict) else {}


def _read_json(path: Path) -> Any:
    try:
        if path.stat().st_size > _LARGEST_JSON:
            raise InputError(f"{path.name} is larger than {_LARGEST_JSON >> 20} MB; it is no model's")
        return json.loads(path.read_text("utf-8"))
    except InputError:
        raise
    except (OSError, ValueError, RecursionError):
        raise InputError(f"{path.parent.name}: {path.name} cannot be read as JSON; copy the model again") from None


def _hash(path: Path, files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(path).as_posix()}:{file_hash(file)};".encode())
    return digest.hexdigest()
