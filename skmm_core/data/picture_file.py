"""One picture file of a person: checked, decoded to RGB, and made small.

Files come from strangers. Sizes are checked before anything is decoded, and whatever a decoder raises for damaged
bytes becomes one reason in words.
"""

import contextlib
import hashlib
import io
import stat
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from PIL import ExifTags, Image, ImageFile, ImageOps, UnidentifiedImageError, features

from skmm_core.data import picture_depth
from skmm_core.data.picture_kinds import unidentified
from skmm_core.data.row_thumbnails import THUMBNAIL_SIDE

MAX_PIXELS = 80_000_000  # below the count from which Pillow warns of a decompression bomb
MAX_PICTURE_BYTES = 256 << 20
_HAS_AVIF = "avif" in features.modules and features.check("avif")  # Pillow before 11.3 has not heard of it
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "PPM", *(("AVIF",) if _HAS_AVIF else ()))
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_NO_HEIC = "HEIC needs pillow-heif: pip install pillow-heif, or save it as JPEG"
_NO_AVIF = "AVIF needs Pillow 11.3 or newer: pip install --upgrade Pillow, or save it as JPEG"
_QUALITY = 85
_TINY = 64  # below this side, halved colour resolution would show
_LARGE_PIXELS = 16_000_000
_one_large_at_a_time = threading.Lock()  # several huge pictures decoded at once could fill the memory


class Unusable(Exception):
    """A file is no picture that can be used; the message is the reason."""


@dataclass(frozen=True)
class Checked:
    """A picture that was read and decoded once.

    Attributes:
        sha256: of the file's content, hexadecimal.
        thumbnail: JPEG bytes, longest side at most 128 pixels.
        depth: bits that its values use where the file has more than 8 bits a sample, as
            :func:`skmm_core.data.picture_depth.depth_of` says; None for other pictures.
        more_frames: whether the file holds more pictures than the one that is read, its first.
    """

    sha256: str
    thumbnail: bytes
    depth: int | None = None
    more_frames: bool = False


def check_picture(path: Path, depth: int | None = None) -> Checked:
    """Read a file, decode it in full and make its thumbnail.

    Args:
        path: of the file.
        depth: bits at which values of more than 8 bits are read, or None for those that this picture uses.

    Raises:
        Unusable: it is no picture, broken, truncated, empty or too large.
    """
    content = _content(path)
    image = _opened(content, path.suffix.lower())
    more = _has_more_frames(image)
    width, height = image.size
    if width * height > _LARGE_PIXELS:
        with _one_large_at_a_time:
            thumbnail, own = _thumbnail(image, content, depth)
    else:
        thumbnail, own = _thumbnail(image, content, depth)
    return Checked(hashlib.sha256(content).hexdigest(), thumbnail, own, more)


def read_picture(path: Path, depth: int | None = None) -> Image.Image:
    """Decode a picture to 8-bit RGB: upright by its EXIF tag, the first frame, transparent parts on white.

    Args:
        path: of the file.
        depth: bits at which values of more than 8 bits are read, or None for those that this picture uses.

    Raises:
        OSError: the file is gone, broken or no picture.
    """
    try:
        content = _content(path)
        return _decoded(_opened(content, path.suffix.lower()), content, depth)[0]
    except Unusable as error:
        raise OSError(f"{path.name}: {error}") from None


def _content(path: Path) -> bytes:
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise Unusable("not a regular file")
        if facts.st_size == 0:
            raise Unusable("empty (0 bytes)")
        if facts.st_size > MAX_PICTURE_BYTES:
            raise Unusable(f"too large: {facts.st_size >> 20:,} MB, at most {MAX_PICTURE_BYTES >> 20} MB are read")
        return path.read_bytes()
    except OSError as error:
        raise Unusable(f"cannot be read: {(error.strerror or 'unknown error').lower()}") from None


def _opened(content: bytes, kind: str) -> ImageFile.ImageFile:
    """The picture with its header read, nothing decoded yet."""
    try:
        image = Image.open(io.BytesIO(content), formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unusable(f"too large: more than {MAX_PIXELS:,} pixels") from None
    except UnidentifiedImageError:
        image = _other_kind(content, kind)
    except Exception as error:  # header parsers raise nearly anything for damaged bytes
        raise Unusable(_broken(error)) from None
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise Unusable(f"too large: {width:,} × {height:,} pixels, at most {MAX_PIXELS:,} are read")
    return image


def _other_kind(content: bytes, kind: str) -> ImageFile.ImageFile:
    """A picture that Pillow does not read by itself: HEIC, where pillow-heif is installed."""
    brand = content[8:12] if content[4:8] == b"ftyp" else b""
    if brand in (b"avif", b"avis"):
        raise Unusable(_NO_AVIF)
    if brand not in _HEIF_BRANDS:
        raise Unusable(unidentified(content, kind))
    try:
        from pillow_heif import HeifImageFile  # late: optional
    except ImportError:
        raise Unusable(_NO_HEIC) from None
    try:
        return cast(ImageFile.ImageFile, HeifImageFile(io.BytesIO(content)))
    except Exception as error:  # as above
        raise Unusable(_broken(error)) from None


def _broken(error: Exception) -> str:
    if isinstance(error, OSError) and "truncated" in str(error).lower():
        return "broken: it is truncated"
    return f"broken: {' '.join(str(error).split())[:80] or type(error).__name__}"


def _has_more_frames(image: ImageFile.ImageFile) -> bool:
    """Whether an opened file holds several pictures; the maps and previews beside a JPEG's picture are none."""
    try:
        return bool(getattr(image, "is_animated", False)) and image.format != "MPO"
    except Exception:  # a damaged second frame says nothing of the first
        return False


def _thumbnail(image: ImageFile.ImageFile, content: bytes, depth: int | None) -> tuple[bytes, int | None]:
    if image.format in ("JPEG", "MPO") and min(image.size) > 0:
        # Decodes at a half, quarter or eighth of the size where that is enough, and still reads all bytes.
        image.draft(None, (2 * THUMBNAIL_SIDE, 2 * THUMBNAIL_SIDE))
    try:
        small, own = _decoded(image, content, depth)
    except OSError as error:
        raise Unusable(str(error)) from None
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, format="JPEG", quality=_QUALITY, subsampling=0 if max(small.size) <= _TINY else 2)
    return buffer.getvalue(), own


def _decoded(image: ImageFile.ImageFile, content: bytes, depth: int | None) -> tuple[Image.Image, int | None]:
    """The picture as upright RGB, and the bits that its own values use."""
    try:
        colour = picture_depth.wide_colour_mode(image)
        image.load()
        if picture_depth.is_wide(image):
            values = np.asarray(image)
            own = picture_depth.depth_of(values)
            layer = Image.fromarray(picture_depth.eight_bits(values, _common(own, depth)))
        elif colour is not None:
            layer, own = _wide_colours(image, colour, content, depth)
        else:
            return _on_white(_upright(image)), None
        return _on_white(_upright(_turned_as(layer, image))), own
    except Exception as error:  # decoders raise nearly anything for damaged bytes
        raise OSError(_broken(error)) from None


def _common(own: int | None, depth: int | None) -> int | None:
    """The bits at which a picture is read: those of its set, or its own where these are more."""
    return None if own is None else max(own, depth or 0)


def _wide_colours(image: Image.Image, kind: str, content: bytes, depth: int | None) -> tuple[Image.Image, int | None]:
    """Colours of 16 bits; Pillow's upper bytes are enough unless they are nearly 0."""
    upper = np.asarray(image)
    if not picture_depth.is_dark(upper):
        return image, picture_depth.DEPTHS[-1]
    below = Image.open(io.BytesIO(content), formats=_FORMATS)
    picture_depth.swap_bytes(below, kind)
    try:
        below.load()
        lower = np.asarray(below)
    except ValueError:  # a decoder that knows one order of bytes only
        lower = upper
    values = upper.astype(np.uint16) << 8 | lower
    own = picture_depth.depth_of(values[..., :3])
    found = picture_depth.eight_bits(values[..., :3], _common(own, depth))
    if values.shape[2] == 4:
        opacity = values[..., 3:]
        found = np.concatenate([found, picture_depth.eight_bits(opacity, picture_depth.depth_of(opacity))], axis=2)
    return Image.fromarray(found), own


def _on_white(image: Image.Image) -> Image.Image:
    """Any mode as RGB, transparent parts as white."""
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image.convert("RGB")


def _turned_as(layer: Image.Image, image: Image.Image) -> Image.Image:
    """Give a layer made of values the tag of orientation of its picture.

    Pillow turns TIFF upright while it decodes, and takes the tag away, so that nothing is turned twice.
    """
    with contextlib.suppress(Exception):  # a damaged tag says nothing of the pixels
        if layer is not image and (turn := image.getexif().get(ExifTags.Base.Orientation)) is not None:
            layer.getexif()[ExifTags.Base.Orientation] = turn
    return layer


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a damaged tag says nothing of the pixels
        return image
