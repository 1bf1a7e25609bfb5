"""One picture file of a person: checked, decoded to RGB, and made small.

Files come from strangers. Sizes are checked before anything is decoded, and whatever a decoder raises for damaged
bytes becomes one reason in words.
"""

import hashlib
import io
import stat
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from skmm_core.data.row_thumbnails import THUMBNAIL_SIDE

PICTURE_KINDS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff")
MAX_PIXELS = 80_000_000  # below the count from which Pillow warns of a decompression bomb
MAX_PICTURE_BYTES = 256 << 20
_UNREAD_KINDS = (".heic", ".heif", ".avif", ".svg", ".psd", ".raw", ".cr2", ".nef", ".dng", ".jp2", ".ico", ".pdf")
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF")
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
    """

    sha256: str
    thumbnail: bytes


def check_picture(path: Path) -> Checked:
    """Read a file, decode it in full and make its thumbnail.

    Raises:
        Unusable: it is no picture, broken, truncated, empty or too large.
    """
    content = _content(path)
    image = _opened(content, path.suffix.lower())
    width, height = image.size
    if width * height > _LARGE_PIXELS:
        with _one_large_at_a_time:
            thumbnail = _thumbnail(image)
    else:
        thumbnail = _thumbnail(image)
    return Checked(hashlib.sha256(content).hexdigest(), thumbnail)


def read_picture(path: Path) -> Image.Image:
    """Decode a picture to RGB: upright by its EXIF tag, the first frame, transparent parts on white.

    Raises:
        OSError: the file is gone, broken or no picture.
    """
    try:
        return _decoded(_opened(_content(path), path.suffix.lower()))
    except Unusable as error:
        raise OSError(f"{path.name}: {error}") from None


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert any mode to 8-bit RGB.

    16-bit grey is divided by 257, so that white stays white. Wider integers and floats say nothing of their range:
    0..1, 0..255 or 0..65535 where the values fit, else from their least to their largest value. Transparent parts
    become white.
    """
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_eight_bits(np.asarray(image), image.mode)).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image.convert("RGB")


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


def _opened(content: bytes, kind: str) -> Image.Image:
    """The picture with its header read, nothing decoded yet."""
    try:
        image = Image.open(io.BytesIO(content), formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unusable(f"too large: more than {MAX_PIXELS:,} pixels") from None
    except UnidentifiedImageError:
        raise Unusable(_unidentified(kind)) from None
    except Exception as error:  # header parsers raise nearly anything for damaged bytes
        raise Unusable(_broken(error)) from None
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise Unusable(f"too large: {width:,} × {height:,} pixels, at most {MAX_PIXELS:,} are read")
    return image


def _unidentified(kind: str) -> str:
    if kind in PICTURE_KINDS:
        return "broken: its content is no picture"
    if kind in _UNREAD_KINDS:
        return f"pictures of kind {kind} are not read; save it as JPEG or PNG"
    return f"not an image ({kind})" if kind else "not an image"


def _broken(error: Exception) -> str:
    if isinstance(error, OSError) and "truncated" in str(error):
        return "broken: it is truncated"
    return f"broken: {' '.join(str(error).split())[:80] or type(error).__name__}"


def _thumbnail(image: Image.Image) -> bytes:
    if image.format in ("JPEG", "MPO") and min(image.size) > 0:
        # Decodes at a half, quarter or eighth of the size where that is enough, and still reads all bytes.
        image.draft(None, (2 * THUMBNAIL_SIDE, 2 * THUMBNAIL_SIDE))
    try:
        small = _decoded(image)
    except OSError as error:
        raise Unusable(str(error)) from None
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, format="JPEG", quality=_QUALITY, subsampling=0 if max(small.size) <= _TINY else 2)
    return buffer.getvalue()


def _decoded(image: Image.Image) -> Image.Image:
    try:
        image.load()
        return to_rgb(_upright(image))
    except Exception as error:  # decoders raise nearly anything for damaged bytes
        raise OSError(_broken(error)) from None


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a damaged tag says nothing of the pixels
        return image


def _eight_bits(values: np.ndarray, mode: str) -> np.ndarray:
    if mode.startswith("I;16"):
        return np.asarray((values.astype(np.uint32) + 128) // 257, np.uint8)
    numbers = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(numbers.min()), float(numbers.max())
    if low >= 0:
        top = next((top for top in ((1.0,) if mode == "F" else ()) + (255.0, 65535.0) if high <= top), high)
        low, high = 0.0, top
    return np.asarray(np.round((numbers - low) * (255 / ((high - low) or 1.0))), np.uint8)
