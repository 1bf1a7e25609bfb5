"""Pictures as they were brought, for looking at one in full: found by id in the source that its features came from."""

import io
from pathlib import Path

import streamlit as st

from dashboard.services import cache, state
from dashboard.services.cache import Stamp, file_stamp
from dashboard.services.sources import check_allowed
from skmm_core.config import DatasetConfig
from skmm_core.errors import InputError

_LONGEST, _QUALITY = 1_600, 90  # pixels of what goes to the browser


def original(config: DatasetConfig, id_: str) -> bytes | None:
    """JPEG of a picture, at most 1,600 pixels long; None when its file cannot be read.

    Args:
        config: of the dataset whose features came from pictures.
        id_: of the point: the path of its picture inside the source.
    """
    record = state.embedding_of(config)
    if record is None:
        return None
    try:
        check_allowed(record.config.dataset)
        source = record.config.dataset.source
        dataset = cache.dataset(config)
        path = _files(source, file_stamp(source), dataset.fingerprint, dataset.ids).get(id_)
        return None if path is None else _jpeg(path, file_stamp(str(path)))
    except (InputError, OSError):
        return None


@st.cache_resource(max_entries=4, show_spinner=False)
def _files(source: str, stamp: Stamp, fingerprint: str, _ids: tuple[str, ...]) -> dict[str, Path]:
    from skmm_core.data import find_originals, image_source

    found = find_originals(image_source(source), _ids)
    return {} if found is None else found.files


@st.cache_data(max_entries=64, show_spinner=False)
def _jpeg(path: Path, stamp: Stamp) -> bytes:
    from PIL import Image

    from skmm_core.data import read_picture

    picture = read_picture(path)
    picture.thumbnail((_LONGEST, _LONGEST), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
