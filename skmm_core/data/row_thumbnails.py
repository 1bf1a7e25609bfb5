"""Small pictures that go with the rows of a dataset, for galleries."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL import Image

THUMBNAIL_SIDE = 128
_MAX_TILE_PIXELS = 1 << 22  # of a stored thumbnail; a file could declare anything
_BLANK = 232


class ImageStore(Protocol):
    """Pictures by row of a dataset."""

    @property
    def longest(self) -> int:
        """Longest side that a picture may have, in pixels."""

    def png(self, row: int, *, size: int = 96) -> bytes:
        """PNG bytes of the picture of one dataset row, its longer side scaled to `size` pixels."""


@dataclass(frozen=True)
class PixelImages:
    """Pictures of one shape, held as pixels.

    Attributes:
        pixels: (R, h, w) grey or (R, h, w, 3) RGB, uint8, one picture a row of the dataset.
    """

    pixels: np.ndarray

    @property
    def longest(self) -> int:
        """The longer side of every picture, in pixels."""
        return int(max(self.pixels.shape[1:3]))

    def png(self, row: int, *, size: int = 96) -> bytes:
        """PNG bytes of the picture of one dataset row, its longer side scaled to `size` pixels.

        Enlarging keeps hard pixel edges (a digit of 8 × 8 stays readable); shrinking averages.
        """
        return _png(Image.fromarray(self.pixels[row]), size)


@dataclass(frozen=True)
class EncodedImages:
    """Pictures of any shape, held as the bytes of small JPEG or PNG files, one after the other.

    Attributes:
        data: uint8, all files.
        starts: (R,) int64, where the file of each row begins.
        ends: (R,) int64, where it ends; a row without a picture has its start here.
    """

    data: np.ndarray
    starts: np.ndarray
    ends: np.ndarray

    @classmethod
    def joined(cls, files: Sequence[bytes]) -> "EncodedImages":
        """Hold these files, one a row."""
        ends = np.cumsum([len(file) for file in files], dtype=np.int64)
        return cls(np.frombuffer(b"".join(files), np.uint8), np.concatenate([[0], ends[:-1]]).astype(np.int64), ends)

    @property
    def longest(self) -> int:
        """Longest side of a thumbnail, in pixels."""
        return THUMBNAIL_SIDE

    def take(self, rows: np.ndarray) -> "EncodedImages":
        """The same pictures in another order, or some of them; a row below 0 has no picture."""
        starts = np.where(rows < 0, 0, self.starts[rows]) if len(self.starts) else np.zeros(len(rows), np.int64)
        ends = np.where(rows < 0, 0, self.ends[rows]) if len(self.ends) else np.zeros(len(rows), np.int64)
        return EncodedImages(self.data, starts, ends)

    def file(self, row: int) -> bytes:
        """The stored bytes of one row; none when it has no picture."""
        return self.data[int(self.starts[row]) : int(self.ends[row])].tobytes()

    def png(self, row: int, *, size: int = 96) -> bytes:
        """PNG bytes of the picture of one dataset row, its longer side scaled to `size` pixels.

        What cannot be decoded is shown as a blank tile.
        """
        try:
            image = Image.open(io.BytesIO(self.file(row)), formats=("JPEG", "PNG"))
            if image.width * image.height > _MAX_TILE_PIXELS:
                raise ValueError("too many pixels for a thumbnail")
            return _png(image.convert("RGB"), size)
        except Exception:  # decoders raise nearly anything for damaged bytes; one bad tile must not hide the others
            return _png(Image.new("L", (size, size), _BLANK), size)


def _png(image: Image.Image, size: int) -> bytes:
    scale = size / max(image.size)
    shape = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    resampling = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS
    buffer = io.BytesIO()
    image.resize(shape, resampling).save(buffer, format="PNG")
    return buffer.getvalue()
