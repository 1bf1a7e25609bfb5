"""Pick the few points worth labelling or training on, and measure why they are good.

The public names are loaded on first use, so that ``import skmm_core`` costs nothing and a page can read old runs
before torch is there.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skmm_core.config import RunConfig, SketchParams
    from skmm_core.data.dataset import Dataset
    from skmm_core.data.load import load_dataset
    from skmm_core.errors import Cancelled, InputError
    from skmm_core.methods.registry import Selection, list_methods, select
    from skmm_core.pool.pool import Pool, make_pool

_HOMES = {
    "Cancelled": "errors",
    "Dataset": "data.dataset",
    "InputError": "errors",
    "Pool": "pool.pool",
    "RunConfig": "config",
    "Selection": "methods.registry",
    "SketchParams": "config",
    "list_methods": "methods.registry",
    "load_dataset": "data.load",
    "make_pool": "pool.pool",
    "select": "methods.registry",
}
__all__ = [
    "Cancelled",
    "Dataset",
    "InputError",
    "Pool",
    "RunConfig",
    "Selection",
    "SketchParams",
    "list_methods",
    "load_dataset",
    "make_pool",
    "select",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'skmm_core' has no attribute {name!r}")
    return getattr(importlib.import_module(f"skmm_core.{_HOMES[name]}"), name)
