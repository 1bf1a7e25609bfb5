"""Which files may be pictures, by their names, and what those are that turn out to be none."""

import re
from pathlib import Path

from skmm_core.data.skipped import clean_name

_HEIC_KINDS = (".heic", ".heif", ".hif")
_AVIF_KINDS = (".avif", ".avifs")
PICTURE_KINDS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".pjpeg", ".pjp", ".png", ".apng", ".webp", ".gif", ".bmp", ".dib"),
    *(".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", *_AVIF_KINDS, *_HEIC_KINDS),
)
_UNREAD_KINDS = (
    *(".svg", ".psd", ".xcf", ".ai", ".eps", ".pdf", ".ico", ".tga", ".pcx", ".exr", ".hdr", ".jxl", ".dcm"),
    *(".jp2", ".j2k", ".jpx", ".jpf", ".raw", ".cr2", ".cr3", ".nef", ".dng", ".arw", ".orf", ".rw2", ".raf"),
)
_PLAIN_ENDING = re.compile(r"\.[a-z][a-z0-9]{0,9}")
# What a file begins with that is called a picture but is something else.
_OTHER_CONTENT = (
    (re.compile(rb"version https://git-lfs"), "a Git LFS pointer, not the picture itself; run git lfs pull"),
    (re.compile(rb"\s*<(!doctype html|html|head|body)", re.I), "a web page (HTML), not a picture; download it again"),
    (re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<!doctype svg[^>]*>\s*)?<svg", re.I | re.S), "SVG"),
    (re.compile(rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51"), "JPEG 2000"),
    (re.compile(rb"\x00\x00\x00\x0cJXL |\xff\x0a"), "JPEG XL"),
    (re.compile(rb"8BPS"), "Photoshop"),
    (re.compile(rb"%PDF"), "PDF"),
    (re.compile(rb"\x00\x00\x01\x00"), "an icon (ICO)"),
    (re.compile(rb"PK\x03\x04"), "a zip file"),
)


def may_be_picture(name: str) -> bool:
    """Whether the name of a file says that it may be a picture, or says nothing: no ending, or none of letters."""
    kind = Path(name).suffix.lower()
    return kind in PICTURE_KINDS or not _PLAIN_ENDING.fullmatch(kind)


def why_no_picture(kind: str) -> str:
    """Why a file with an ending that is none of a picture is not used."""
    if kind in _UNREAD_KINDS:
        return f"pictures of kind {kind} are not read; save it as JPEG or PNG"
    return f"not an image ({clean_name(kind)})" if kind else "not an image"


def unidentified(content: bytes, kind: str) -> str:
    """Why a file that no decoder knows is not used, by what it begins with."""
    if kind not in PICTURE_KINDS:
        return why_no_picture(kind)
    what = next((what for begins, what in _OTHER_CONTENT if begins.match(content[:1000])), None)
    if what is None:
        return "broken: its content is no picture"
    return what if ";" in what else f"its content is {what}, which is not read; save it as JPEG or PNG"
