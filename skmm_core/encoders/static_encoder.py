"""Models of model2vec in a folder, whose features are means of one vector a piece of a word: very fast."""

import copy
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from skmm_core.encoders.encoder import versions
from skmm_core.encoders.model_folder import ModelFolder
from skmm_core.encoders.sentence_encoder import loading
from skmm_core.encoders.text_encoder import TextEncoder, uncut
from skmm_core.errors import InputError


def load_static_encoder(name: str, folder: ModelFolder, facts: dict[str, Any]) -> TextEncoder:
    """Load a model; whether features have length 1 is as its settings say. It computes on the CPU.

    Args:
        name: what to call it.
        folder: where it lies.
        facts: of its provenance that are known beforehand.

    Raises:
        InputError: the library is not installed or cannot load the folder.
    """
    try:
        from model2vec import StaticModel
    except ImportError:
        raise InputError(f"{name} needs model2vec: pip install model2vec") from None
    with loading(name):
        model = StaticModel.from_pretrained(folder.path)
        dim = model.encode(["a"]).shape[1]
    limit = model.max_length
    characters = (limit or 0) * model.median_token_length  # the library cuts there first

    counting, lock = copy.deepcopy(model.tokenizer), threading.Lock()
    counting.no_truncation()

    def is_cut(texts: Sequence[str]) -> np.ndarray:
        pieces = counting.encode_batch_fast(list(texts), add_special_tokens=False)
        counts = np.array([len(each.ids) for each in pieces])
        return (counts > limit) | (np.array([len(text) for text in texts]) > characters)

    def encode(texts: Sequence[str]) -> np.ndarray:
        with lock:  # it sets up its tokenizer at every call
            return np.asarray(model.encode(list(texts), use_multiprocessing=False))

    reads = f"the first {limit:,} pieces and {characters:,} characters of a text" if limit else "all of a text"
    return TextEncoder(
        name=name,
        dim=dim,
        forward=encode,
        limit=limit,
        is_cut=is_cut if limit else uncut,
        provenance={
            **facts,
            "preprocessing": f"{reads}; mean of the vectors of its pieces{', of length 1' if model.normalize else ''}",
            "versions": versions("model2vec", "tokenizers"),
        },
        device=torch.device("cpu"),
    )
