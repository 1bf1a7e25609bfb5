"""Small pictures of rows, for galleries."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class ImageStore:
    """Thumbnails held in memory.

    Attributes:
        pixels: (R, h, w) grey or (R, h, w, 3) RGB, uint8, one picture a row of the dataset.
    """

    pixels: np.ndarray

    def png(self, row: int, *, size: int = 96) -> bytes:
        """PNG bytes of the picture of one dataset row, its longer side scaled to `size` pixels.

        Enlarging keeps hard pixel edges (a digit of 8 × 8 stays readable); shrinking averages.
        """
        image = Image.fromarray(self.pixels[row])
        scale = size / max(image.size)
        shape = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        resampling = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS
        buffer = io.BytesIO()
        image.resize(shape, resampling).save(buffer, format="PNG")
        return buffer.getvalue()
