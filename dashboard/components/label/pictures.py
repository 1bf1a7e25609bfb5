"""Pictures for the desk: the originals where they can be read, made ready before their turn."""

import base64
import io
import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.components.label.point import row_of
from dashboard.services.originals import original
from skmm_core.config import DatasetConfig

if TYPE_CHECKING:
    from skmm_core.data import Dataset

_LONGEST, _QUALITY = 1000, 88  # pixels of a large picture on the desk
_MOST = 256  # pictures held ready, of all pools and visitors
_TINY = 72  # pixels below which a picture is enlarged with hard edges


class _Ready:
    """Addresses of pictures by pool and point, the last used ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[tuple[str, str], str] = OrderedDict()

    def get(self, key: tuple[str, str]) -> str | None:
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def put(self, key: tuple[str, str], url: str) -> None:
        with self._lock:
            self._found[key] = url
            while len(self._found) > _MOST:
                self._found.popitem(last=False)


@st.cache_resource(max_entries=1, show_spinner=False)
def _ready() -> _Ready:
    return _Ready()


def is_tiny(dataset: "Dataset") -> bool:
    """Whether the pictures of a pool are to be enlarged with hard pixel edges."""
    return dataset.images is not None and dataset.images.longest < _TINY


def picture_urls(
    dataset: "Dataset", config: DatasetConfig, items: Sequence[str], ahead: Sequence[str], have: Collection[str]
) -> dict[str, str]:
    """Pictures for a browser as data addresses: those shown now, and those that are ready of what comes next.

    Args:
        dataset: the pool; without pictures there are none.
        config: how it is read.
        items: points shown now.
        ahead: points that come next.
        have: points whose pictures the browser holds.
    """
    found = {item: _url(dataset, config, item) for item in items if item not in have}
    found |= {item: _ready().get((dataset.fingerprint, item)) for item in ahead if item not in have}
    return {item: url for item, url in found.items() if url is not None}


def make_ready(dataset: "Dataset", config: DatasetConfig, ahead: Sequence[str]) -> None:
    """Read the pictures that come next; while a person looks at this one there is time."""
    for item in ahead:
        _url(dataset, config, item)


def _url(dataset: "Dataset", config: DatasetConfig, item: str) -> str | None:
    row, key = row_of(dataset, item), (dataset.fingerprint, item)
    if dataset.images is None or row is None:
        return None
    url = _ready().get(key)
    if url is None:
        whole = original(config, item)
        if whole is None:
            kind, content = "png", dataset.images.png(row, size=dataset.images.longest)
        else:
            kind, content = "jpeg", _smaller(whole)
        url = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
        _ready().put(key, url)
    return url


def _smaller(jpeg: bytes) -> bytes:
    from PIL import Image

    picture = Image.open(io.BytesIO(jpeg), formats=("JPEG",))
    if max(picture.size) <= _LONGEST:
        return jpeg
    picture.thumbnail((_LONGEST, _LONGEST), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
