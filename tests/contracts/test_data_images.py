"""Thumbnails: right picture, asked size, hard edges when enlarged."""

import io

import numpy as np
import pytest
from PIL import Image

from skmm_core.data.row_thumbnails import PixelImages


def decode(png):
    return np.asarray(Image.open(io.BytesIO(png)))


@pytest.mark.parametrize("shape", [(8, 8), (8, 4), (4, 8), (8, 8, 3)])
def test_enlarging_repeats_each_pixel(shape):
    pixels = np.random.default_rng(0).integers(0, 256, (3, *shape), dtype=np.uint8)
    shown = decode(PixelImages(pixels).png(2, size=64))
    times = 64 // 8
    assert np.array_equal(shown, pixels[2].repeat(times, axis=0).repeat(times, axis=1))


def test_shrinking_averages():
    checker = np.indices((1, 100, 100)).sum(axis=0).astype(np.uint8) % 2 * 200
    shown = decode(PixelImages(checker).png(0, size=10))
    assert shown.shape == (10, 10)
    assert np.abs(shown[2:-2, 2:-2].astype(int) - 100).max() < 10


def test_a_thin_picture_keeps_a_pixel():
    assert decode(PixelImages(np.zeros((1, 1000, 2), np.uint8)).png(0, size=50)).shape == (50, 1)
