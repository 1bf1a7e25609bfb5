"""Pictures with more than 8 bits a sample, made 8 bits by the bits that are really used.

Sensors of 10, 12 or 14 bits (cameras, microscopes, X-ray) are stored in files of 16 bits, mostly with the values as
they come, so that white is 4,095 of 65,535: divided by the range of the file, such a picture is black. How many bits
are used is seen from the largest value, up to the next depth that sensors have. A dark picture says too little by
itself, so all such pictures of one set are read at the depth of the brightest: what is darker than another stays so.
"""

import sys
from typing import Any

import numpy as np
from PIL import Image, ImageFile

DEPTHS = (8, 10, 12, 14, 16)  # bits
_DARK = 64  # below this in the upper byte, less than 15 bits are used
_OTHER_ORDER = {"16B": "16L", "16L": "16B", "16N": "16B" if sys.byteorder == "little" else "16L"}


def is_wide(image: Image.Image) -> bool:
    """Whether the samples of an opened picture are grey values of more than 8 bits."""
    return image.mode.startswith(("I", "F"))


def wide_colour_mode(image: ImageFile.ImageFile) -> str | None:
    """How samples of 16 bits lie in the file of a colour picture, as Pillow calls it; None for other pictures.

    To be asked before the picture is decoded. Pillow keeps the upper byte of each sample only.
    """
    tile = image.tile[0] if image.mode in ("RGB", "RGBA") and len(image.tile) == 1 else None
    options: Any = tile[3] if tile else None  # by place: tiles of Pillow 10 have no names
    kind = options[0] if isinstance(options, tuple) and options else options
    known = isinstance(kind, str) and kind.partition(";")[0] == image.mode and kind.partition(";")[2] in _OTHER_ORDER
    return kind if known else None


def swap_bytes(image: ImageFile.ImageFile, kind: str) -> None:
    """Let Pillow decode the lower bytes of a picture of 16-bit colours, in place of the upper ones."""
    mode, _, order = kind.partition(";")
    other = f"{mode};{_OTHER_ORDER[order]}"
    tile: Any = image.tile[0]
    options = (other, *tile[3][1:]) if isinstance(tile[3], tuple) else other
    swapped: Any = tile._replace(args=options) if hasattr(tile, "_replace") else (*tile[:3], options)
    image.tile = [swapped]


def is_dark(upper: np.ndarray) -> bool:
    """Whether the upper bytes of 16-bit colours say that fewer than 15 bits are used, so that the lower ones matter.

    Args:
        upper: (height, width, 3 or 4) uint8; a fourth channel is opacity, which says nothing of it.
    """
    return int(upper[..., :3].max(initial=0)) < _DARK


def depth_of(values: np.ndarray) -> int | None:
    """Bits that values use: the first of DEPTHS that holds them; None where they are no counts of a sensor.

    Args:
        values: samples, integers or floats; no counts are values below 0, above 65,535, and floats within 0..1.
    """
    numbers = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    low, high = (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 0.0)
    if low < 0 or (values.dtype.kind == "f" and high <= 1.0):
        return None
    return next((bits for bits in DEPTHS if high < 1 << bits), None)


def eight_bits(values: np.ndarray, depth: int | None) -> np.ndarray:
    """Scale samples to 0..255, white at the largest value of the depth.

    Floats within 0..1 are scaled by 255; other values without a depth go from their least, or 0, to their largest.

    Args:
        values: samples, integers or floats.
        depth: bits, at least those of :func:`depth_of`, or None where that gives none.

    Returns:
        uint8 of the same shape.
    """
    exact = np.float32 if values.dtype.itemsize <= 2 else np.float64
    numbers = np.nan_to_num(values.astype(exact), posinf=0.0, neginf=0.0)
    low, high = min(float(numbers.min()), 0.0), float(numbers.max())
    if depth is not None:
        high = (1 << depth) - 1.0
    elif low == 0.0 and values.dtype.kind == "f" and high <= 1.0:
        high = 1.0
    return np.asarray(np.round((numbers - low) * (255 / ((high - low) or 1.0))), np.uint8)
