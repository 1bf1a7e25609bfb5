"""The form for pictures: where they are, what gives their targets, which encoder."""

from typing import get_args

import streamlit as st

from dashboard.components.data.encoder_form import encoder_form
from dashboard.components.data.sources import kept_upload, path_on_server
from dashboard.components.data.to_embed import ToEmbed
from dashboard.components.shared.theme import error_line
from dashboard.services.pictures import UPLOAD_SUFFIXES, save_pictures, server_pictures
from dashboard.services.sources import MAX_UPLOAD_MB
from skmm_core.config import DatasetConfig, EmbedJob
from skmm_core.data import HUB
from skmm_core.errors import InputError

UPLOAD, SERVER, PUBLIC = "Upload", "Server folder", "Public set"
_LAYOUT = (
    "One **zip or tar file** with a folder a class (`train`, `val` and `test` folders are respected), several "
    "**pictures**, or the **shards** (`.tar`) of webdataset or img2dataset. A `metadata.csv` or `metadata.jsonl` that "
    "names the files gives numbers or labels instead. JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF; HEIC where `pillow-heif` "
    "is installed."
)
_PATTERNS = {
    None: "Folders, or metadata.csv",
    "utkface": "Age in file names, as in UTKFace",
}


def image_form() -> ToEmbed | None:
    """Draw the form.

    Returns:
        What it asks for, or None while no pictures are named.

    Raises:
        InputError: the upload or the path cannot be used.
    """
    where = st.segmented_control(
        "Where are the pictures?",
        (UPLOAD, SERVER, PUBLIC),
        default=UPLOAD,
        required=True,
        key="images:where",
        width="stretch",
        persist_state="session",
    )
    source = {UPLOAD: _upload, SERVER: _server, PUBLIC: _public}[where or UPLOAD]()
    pattern, target = (None, None) if where == PUBLIC else _targets()
    try:
        job = encoder_form()
    except InputError as error:
        error_line(str(error))
        job = None
    if source is None:
        return None
    if job is not None and pattern is not None:
        job = EmbedJob.model_validate({**job.model_dump(), "pattern": pattern})
    return ToEmbed(DatasetConfig(source=source, target=target), job, pattern)


def _upload() -> str | None:
    st.caption(_LAYOUT)
    files = st.file_uploader(
        "Archive, pictures or shards",
        type=list(UPLOAD_SUFFIXES),
        accept_multiple_files=True,
        max_upload_size=MAX_UPLOAD_MB,
        key="images:files",
        help=f"Up to {MAX_UPLOAD_MB} MB. For more use a folder on the server.",
    )
    if not files:
        return None
    names = [file.name for file in files]
    return str(kept_upload("+".join(file.file_id for file in files), lambda: save_pictures(files, names)))


def _server() -> str | None:
    text = path_on_server(
        "Folder, zip or tar file on the server",
        key="images:path",
        kind="Folders",
        example="photos",
        root="/srv/pictures",
    )
    return str(server_pictures(text)) if text else None


def _public() -> str | None:
    name = st.selectbox(
        "Public set",
        list(HUB),
        index=None,
        format_func=lambda key: HUB[key].title,
        placeholder="Choose a set",
        key="images:public",
        persist_state="session",
    )
    st.caption("Downloaded once; needs a network. Without one, give a folder with `train/CLASS/…` and `test/CLASS/…`.")
    return f"hub:{name}" if name else None


def _targets() -> tuple[str | None, str | None]:
    """How file names give targets, and the column of the metadata that does."""
    known = [None, *get_args(get_args(EmbedJob.model_fields["pattern"].annotation)[0])]
    with st.expander("Targets", icon=":material/label:"):
        pattern = st.selectbox(
            "Where targets come from",
            known,
            format_func=lambda key: _PATTERNS.get(key, str(key)),
            key="images:pattern",
            persist_state="session",
        )
        target = st.text_input(
            "Target column of metadata.csv",
            key="images:target",
            placeholder="label, target or y",
            disabled=pattern is not None,
            persist_state="session",
        )
    return pattern, (target.strip() or None) if pattern is None else None
