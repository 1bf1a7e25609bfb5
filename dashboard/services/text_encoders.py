"""Folders of encoders of texts on the server."""

from pathlib import Path

from dashboard.services.sources import server_path
from skmm_core.errors import InputError


def model_folder(text: str) -> Path:
    """Resolve the path of a folder with a model on the server.

    Raises:
        InputError: it is outside the allowed folders, or no folder.
    """
    found = server_path(text)
    if not found.is_dir():
        raise InputError(f"{text[:200]} is no folder; give the folder of a model of sentence-transformers or model2vec")
    return found
