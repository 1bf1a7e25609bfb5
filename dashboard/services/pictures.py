"""Pictures that people bring: uploads kept by content, what was understood of them, and the encoders there are."""

import hashlib
import re
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import streamlit as st

from dashboard.services import sources
from dashboard.services.cache import Stamp, file_stamp
from dashboard.services.sources import save_upload, server_path, uploads, write_whole
from skmm_core.data import ARCHIVE_ENDINGS, is_archive
from skmm_core.errors import InputError
from skmm_core.progress import Report

if TYPE_CHECKING:
    from skmm_core.data import ImageIndex

# The endings that :data:`skmm_core.data.picture_kinds.PICTURE_KINDS` reads, written down since a page must not load it.
PICTURE_SUFFIXES = (
    *("jpg", "jpeg", "jpe", "jfif", "pjpeg", "pjp", "png", "apng", "webp", "gif", "bmp", "dib", "tif", "tiff"),
    *("ppm", "pgm", "pbm", "pnm", "avif", "avifs", "heic", "heif", "hif"),
)
ARCHIVE_SUFFIXES = tuple(ending.removeprefix(".") for ending in ARCHIVE_ENDINGS)
UPLOAD_SUFFIXES = (*ARCHIVE_SUFFIXES, *PICTURE_SUFFIXES, "csv", "tsv", "jsonl", "parquet")
WEIGHT_SUFFIXES = ("safetensors", "pt", "pth", "bin", "ckpt")
_MOST_KEPT = 4
_MOST_NAME_BYTES = 180
_BLOCK = 1 << 20
_FRESH_SECONDS = 30  # after which the files of a folder are looked at again


def save_pictures(files: Sequence[BinaryIO], names: Sequence[str]) -> Path:
    """Keep uploaded pictures: one archive as it is, several files as a folder named by their contents.

    Several tar files are the shards of one set, perhaps with a table each.

    Args:
        files: what was uploaded.
        names: what the visitor's computer calls them, in the same order; only a harmless form is used.

    Raises:
        InputError: an archive among pictures, two files of one name, too many bytes, or the disk is full.
    """
    if len(files) == 1 and is_archive(names[0]):
        return save_upload(files[0], names[0], ARCHIVE_SUFFIXES)
    archive = next((name for name in names if is_archive(name)), None)
    shards = all(name.lower().endswith((".tar", ".parquet")) for name in names)
    if archive is not None and not shards:
        raise InputError(
            f"{archive[:80]} is an archive among others; upload one zip or tar file, the shards of one set, or "
            "pictures only"
        )
    safe = [_picture_name(name) for name in names]
    if twice := next((name for name in safe if safe.count(name) > 1), None):
        raise InputError(f"two pictures are called {twice}; rename one, or put them into folders of one zip file")
    digest, size = hashlib.sha256(), 0
    for file, name in zip(files, safe, strict=True):
        file.seek(0)
        digest.update(f"{name}\0".encode())
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    if size > sources.MAX_UPLOAD_MB << 20:
        raise InputError(f"the pictures exceed {sources.MAX_UPLOAD_MB} MB; put them on the server and give the path")
    folder = uploads() / digest.hexdigest()[:16] / "pictures"
    for file, name in zip(files, safe, strict=True):
        if not (folder / name).exists():
            file.seek(0)
            write_whole(file, folder / name)
    return folder


def _picture_name(name: str) -> str:
    """A harmless form of a file name that metadata still finds: only what is no part of a name on some disk goes."""
    last = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    stem, dot, suffix = re.sub(r'[\x00-\x1f\x7f-\x9f\u2028\u2029<>:"|?*]+', "-", last).rpartition(".")
    cut = (stem if dot else suffix).encode(errors="replace")[:_MOST_NAME_BYTES].decode(errors="ignore")
    clean = cut.lstrip(" .").rstrip(".") or "picture"
    return f"{clean}.{suffix[:8]}" if dot else clean


def server_pictures(text: str) -> Path:
    """Resolve the path of a folder or an archive of pictures on the server.

    Raises:
        InputError: it is outside the allowed folders, or neither of the two.
    """
    found = server_path(text)
    if not found.is_dir() and not (found.is_file() and is_archive(found.name)):
        raise InputError(
            f"{text[:200]} is neither a folder nor a zip or tar file; give the folder that holds the pictures"
        )
    return found


class _Kept:
    """The image indices of the last few sources, by key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[tuple[str, ...], ImageIndex] = OrderedDict()

    def get(self, key: tuple[str, ...]) -> "ImageIndex | None":
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def put(self, key: tuple[str, ...], index: "ImageIndex") -> None:
        with self._lock:
            self._found[key] = index
            while len(self._found) > _MOST_KEPT:
                self._found.popitem(last=False)


@st.cache_resource(max_entries=1, show_spinner=False)
def _kept() -> _Kept:
    return _Kept()


def understood(
    source: str, fingerprint: str, pattern: str | None, target: str | None, *, report: Report
) -> "ImageIndex":
    """Check every picture of a folder or an archive, or take what was found when it was unchanged.

    Args:
        source: path on the server.
        fingerprint: of :func:`skmm_core.data.picture_source.source_fingerprint`.
        pattern: how file names give targets, or None.
        target: column of the metadata, or None.
        report: told of the progress; may draw on the page.

    Raises:
        InputError: no picture can be used, or what gives the targets cannot be read.
    """
    key = (source, fingerprint, pattern or "", target or "")
    found = _kept().get(key)
    if found is None:
        from skmm_core.data import index_images

        found = index_images(Path(source), pattern=pattern, target=target, report=report)
        _kept().put(key, found)
    return found


@st.cache_data(max_entries=8, show_spinner=False)
def model_names(library: str) -> list[str]:
    """Names of the models of a library; loads it at the first call."""
    from skmm_core.encoders import model_names as names

    return names(library)


@st.cache_data(max_entries=64, show_spinner=False)
def weight_tags(library: str, name: str) -> list[str]:
    """Published weights of a model."""
    from skmm_core.encoders import weight_tags as tags

    return tags(library, name)


def fingerprint(source: str) -> str:
    """Tell whether pictures changed, without reading a large archive anew at every rerun of the page.

    Raises:
        InputError: there is no such file or folder.
    """
    return _fingerprint(source, file_stamp(source))


@st.cache_data(max_entries=16, ttl=_FRESH_SECONDS, show_spinner=False)
def _fingerprint(source: str, stamp: Stamp) -> str:
    from skmm_core.data import source_fingerprint

    return source_fingerprint(source)
