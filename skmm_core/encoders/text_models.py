"""From the name or folder of a text model to its encoder."""

from typing import Any

import torch

from skmm_core.config import EmbedJob
from skmm_core.data import file_path
from skmm_core.encoders.model_folder import check_model_folder
from skmm_core.encoders.packaged import PACKAGED_TEXT
from skmm_core.encoders.sentence_encoder import load_sentence_encoder
from skmm_core.encoders.static_encoder import load_static_encoder
from skmm_core.encoders.text_encoder import TextEncoder
from skmm_core.encoders.weights import verified
from skmm_core.errors import InputError


def load_text_encoder(job: EmbedJob, device: torch.device) -> TextEncoder:
    """Build the text encoder that a job names.

    Args:
        job: its model is one of `PACKAGED_TEXT`, or the path of a folder with a model of sentence-transformers or
            model2vec.
        device: where the encoder computes.

    Raises:
        InputError: the model is unknown, a library or its weights are missing, or its folder is refused.
    """
    for flag, value in (
        ("--pretrained", job.pretrained),
        ("--model-config", job.architecture),
        ("--pattern", job.pattern),
        ("--allow-random-weights", job.allow_random_weights),
    ):
        if value:
            raise InputError(f"{flag} is for pictures; a model of texts has its own weights: leave it out")
    if job.model in PACKAGED_TEXT:
        return _packaged(job.model, device)
    path = file_path(job.model)
    if not path.is_dir():
        raise InputError(
            f"--model {job.model[:80]} is no model of texts; give {', '.join(PACKAGED_TEXT)}, or the folder of a model "
            "of sentence-transformers or model2vec"
        )
    folder = check_model_folder(path)
    name = path.resolve().name
    facts = _facts(name, f"folder {name}", folder.weights_sha256, folder.files_sha256)
    if folder.static:
        return load_static_encoder(name, folder, facts)
    return load_sentence_encoder(name, folder, facts, device)


def _packaged(name: str, device: torch.device) -> TextEncoder:
    weights = PACKAGED_TEXT[name]
    file = verified(weights, name)
    folder = check_model_folder(file.parent)
    facts = {
        **_facts(name, weights.source, weights.sha256, folder.files_sha256),
        "licence": weights.licence,
        "origin": weights.origin,
    }
    return load_sentence_encoder(name, folder, facts, device)


def _facts(model: str, source: str, weights: str, files: str) -> dict[str, Any]:
    return {"model": model, "pretrained": source, "weights_sha256": weights, "files_sha256": files, "warnings": []}
