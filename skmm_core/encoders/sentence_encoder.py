"""Models of sentence-transformers (Reimers & Gurevych, 2019) in a folder: loaded by that library, from local files."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from skmm_core.encoders.downloads import quietly
from skmm_core.encoders.encoder import versions
from skmm_core.encoders.model_folder import WEIGHTS, ModelFolder, weights_in
from skmm_core.encoders.text_encoder import TextEncoder, uncut
from skmm_core.errors import InputError

_LIBRARIES = ("sentence-transformers", "transformers", "tokenizers")
_LONGEST_TRIAL = 512  # pieces of the text that is encoded to see whether the model works


def load_sentence_encoder(name: str, folder: ModelFolder, facts: dict[str, Any], device: torch.device) -> TextEncoder:
    """Load a model; whether features have length 1 is as its modules say.

    Args:
        name: what to call it.
        folder: where it lies.
        facts: of its provenance that are known beforehand.
        device: where it computes.

    Raises:
        InputError: the library is not installed, cannot load the folder, or would fill in weights that are not there.
    """
    try:
        with quietly(local=True):
            from sentence_transformers import SentenceTransformer
    except ImportError:
        raise InputError(f"{name} needs sentence-transformers: pip install sentence-transformers") from None
    with loading(name):
        if folder.transformer is not None:
            _check_size(name, folder.transformer)
        model = SentenceTransformer(
            str(folder.path),
            device=str(device),
            trust_remote_code=False,
            local_files_only=True,
            model_kwargs={"use_safetensors": True},
        )
        model = model.float().eval().requires_grad_(False)
    if folder.transformer is not None:
        _check_filled(name, model[0].auto_model, folder.transformer)
    limit, count = _limit(model), _counter(model.tokenizer)
    prompt = model.prompts.get(model.default_prompt_name) or "" if model.default_prompt_name else ""

    def encode(texts: Sequence[str]) -> np.ndarray:
        return np.asarray(model.encode(list(texts), batch_size=max(1, len(texts)), show_progress_bar=False))

    def is_cut(texts: Sequence[str]) -> np.ndarray:
        return np.array(count([prompt + text for text in texts])) > (limit or 0)

    trial = " ".join(["a"] * min(limit or _LONGEST_TRIAL, _LONGEST_TRIAL))
    with loading(name):
        dim = encode([trial]).shape[1]
    reads = f"the first {limit:,} pieces of a text" if limit else "all of a text"
    kinds = ", ".join(type(module).__name__ for module in model)
    return TextEncoder(
        name=name,
        dim=dim,
        forward=encode,
        limit=limit,
        is_cut=is_cut if limit else uncut,
        provenance={
            **facts,
            "preprocessing": f"{reads}; {kinds}{f'; after the words {prompt!r}' if prompt else ''}",
            "versions": versions(*_LIBRARIES),
        },
        device=device,
    )


def _limit(model: Any) -> int | None:
    """Pieces of a text that are read; None for all."""
    if isinstance(model.max_seq_length, int):
        return model.max_seq_length
    truncation = getattr(model.tokenizer, "truncation", None)  # of a model without a network
    return int(truncation["max_length"]) if truncation else None


def _counter(tokenizer: Any) -> Callable[[list[str]], list[int]]:
    """What counts the pieces of whole texts, with a tokenizer of its own: threads that encode share the other one."""
    own = copy.deepcopy(tokenizer)
    if not hasattr(own, "no_truncation"):
        return lambda texts: [
            len(each) for each in own(texts, truncation=False, padding=False, verbose=False)["input_ids"]
        ]
    own.no_truncation()
    own.no_padding()
    return lambda texts: [len(each.ids) for each in own.encode_batch(texts, add_special_tokens=False)]


@contextmanager
def loading(name: str) -> Iterator[None]:
    """Turn what the libraries of text models raise into one line, and keep them off the network and the terminal.

    Raises:
        InputError: whatever goes wrong.
    """
    try:
        with quietly(local=True):
            yield
    except InputError:
        raise
    except Exception as error:  # the errors of four libraries
        shown = "".join(sign if sign.isprintable() else " " for sign in str(error))
        reason = " ".join(shown.split())[:160] or type(error).__name__
        raise InputError(
            f"{name} cannot be loaded as a text model ({reason}); save it again with save_pretrained"
        ) from None


def _check_size(name: str, folder: Path) -> None:
    """Refuse a network that is larger than the weights beside it, before memory is taken for it."""
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    with torch.device("meta"):
        network = AutoModel.from_config(config, trust_remote_code=False)
    wanted = sum(weight.numel() for weight in network.parameters())
    spare = sum(weight.numel() for part, weight in network.named_parameters() if "pooler" in part)
    there = weights_in(folder)
    if wanted - spare > there:
        raise InputError(
            f"{name}: config.json describes a network of {wanted:,} weights, and {there:,} are there; copy the whole "
            "folder"
        )


def _check_filled(name: str, network: Any, folder: Path) -> None:
    """Refuse weights that the library drew at random since the file has them under other names, or not at all."""
    from safetensors import safe_open

    there = set()
    for file in folder.glob(f"*{WEIGHTS}"):
        with safe_open(file, "pt") as tensors:
            there |= {_mark(tensors.get_tensor(key)) for key in tensors.keys()}  # noqa: SIM118
    for part, weight in network.named_parameters():
        if "pooler" not in part and _mark(weight.cpu()) not in there:
            raise InputError(
                f"{name} lacks the weights {part} of its network, which would be random; give the folder as "
                "save_pretrained wrote it"
            )


def _mark(weight: torch.Tensor) -> tuple[tuple[int, ...], float]:
    """Shape and sum, which tell weights from others."""
    return tuple(weight.shape), float(weight.double().sum())
