"""Every kind of picture comes out as the right 8-bit RGB; every bad file has a reason."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from skmm_core.data.picture_file import Unusable, check_picture, read_picture
from skmm_core.data.row_thumbnails import EncodedImages

RAMP = np.linspace(0, 255, 12 * 10).round().astype(np.uint8).reshape(10, 12)


def stored(tmp_path, image, name, **options):
    path = tmp_path / name
    image.save(path, **options)
    return path


def pixels(path):
    image = read_picture(path)
    assert image.mode == "RGB"
    return np.asarray(image).astype(int)


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tiff", "a.gif"])
def test_lossless_kinds_keep_grey_values(tmp_path, name):
    found = pixels(stored(tmp_path, Image.fromarray(RAMP), name))
    assert np.array_equal(found, np.stack([RAMP] * 3, axis=2))


@pytest.mark.parametrize(("name", "mode"), [("a.jpg", "RGB"), ("a.jpg", "L"), ("a.jpg", "CMYK"), ("a.webp", "RGB")])
def test_lossy_kinds_come_close(tmp_path, name, mode):
    found = pixels(stored(tmp_path, Image.fromarray(RAMP).convert("RGB").convert(mode), name, quality=95))
    assert np.abs(found - RAMP[..., None]).mean() < 4


@pytest.mark.parametrize("name", ["a.png", "a.tiff"])
def test_16_bit_grey_is_scaled_not_clipped(tmp_path, name):
    found = pixels(stored(tmp_path, Image.fromarray(RAMP.astype(np.uint16) * 257), name))
    assert np.array_equal(found[..., 0], RAMP)


@pytest.mark.parametrize(
    "values",
    [
        RAMP.astype(np.float32) / 255,
        RAMP.astype(np.float32),
        RAMP.astype(np.int32) * 257,
        RAMP.astype(np.float32) - 255,
    ],
    ids=["unit", "bytes", "wide", "negative"],
)
def test_floats_and_wide_integers_keep_their_order(tmp_path, values):
    assert np.array_equal(pixels(stored(tmp_path, Image.fromarray(values), "a.tiff"))[..., 0], RAMP)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_parts_become_white(tmp_path, mode):
    image = Image.new("RGBA", (4, 2), (255, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 2, 2))
    found = pixels(stored(tmp_path, image if mode == "RGBA" else image.convert(mode), "a.png"))
    assert (found[:, :2] == 0).all()
    assert (found[:, 2:] == 255).all()


def test_palette_colours(tmp_path):
    image = Image.new("RGB", (4, 2), (10, 200, 30))
    found = pixels(stored(tmp_path, image.convert("P", palette=Image.Palette.ADAPTIVE), "a.png"))
    assert (found == [10, 200, 30]).all()


def test_exif_rotation_turns_the_picture_upright(tmp_path):
    image = Image.new("RGB", (20, 10), "black")
    image.paste((255, 255, 255), (0, 0, 10, 10))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise by 90° to show
    path = stored(tmp_path, image, "a.png", exif=exif)
    found = pixels(path)
    assert found.shape == (20, 10, 3)
    assert found[:10].min() == 255
    tile = EncodedImages.joined([check_picture(path).thumbnail]).png(0, size=20)
    assert Image.open(io.BytesIO(tile)).size == (10, 20)


def test_an_animation_gives_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (6, 6), colour) for colour in ("red", "blue")]
    found = pixels(stored(tmp_path, frames[0], "a.gif", save_all=True, append_images=frames[1:]))
    assert (found == [255, 0, 0]).all()


@pytest.mark.parametrize("size", [(600, 300), (28, 28), (1, 900)])
def test_thumbnails_are_small_jpegs_of_the_same_shape(tmp_path, size):
    thumb = Image.open(io.BytesIO(check_picture(stored(tmp_path, Image.new("RGB", size, "red"), "a.jpg")).thumbnail))
    assert thumb.format == "JPEG"
    assert max(thumb.size) == min(128, max(size))
    assert thumb.convert("RGB").getpixel((0, 0))[0] > 240


def reason(path):
    with pytest.raises(Unusable) as caught:
        check_picture(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def png_header(width, height):
    body = b"IHDR" + struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">L", 13) + body + struct.pack(">L", zlib.crc32(body))


@pytest.mark.parametrize("side", [9_000, 12_000, 100_000], ids=["above ours", "Pillow warns", "Pillow refuses"])
@pytest.mark.filterwarnings("error::PIL.Image.DecompressionBombWarning")
def test_pixels_are_counted_before_decoding(tmp_path, side):
    (tmp_path / "a.png").write_bytes(png_header(side, side) + struct.pack(">L", 0) + b"IDAT")
    assert reason(tmp_path / "a.png").startswith("too large")


def test_bad_files_have_reasons(tmp_path, monkeypatch):
    whole = stored(tmp_path, Image.fromarray(np.random.default_rng(0).integers(0, 256, (99, 99, 3), np.uint8)), "a.jpg")
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(whole.read_bytes()[:3000])
    assert reason(cut) == "broken: it is truncated"
    for name, content, expected in (
        ("a.png", b"", "empty (0 bytes)"),
        ("b.png", b"hello", "broken: its content is no picture"),
        ("a.txt", b"hello", "not an image (.txt)"),
        ("README", b"hello", "not an image"),
        ("a.heic", b"hello", "pictures of kind .heic are not read; save it as JPEG or PNG"),
    ):
        (tmp_path / name).write_bytes(content)
        assert reason(tmp_path / name) == expected
    assert reason(tmp_path) == "not a regular file"
    os.mkfifo(tmp_path / "pipe.jpg")
    assert reason(tmp_path / "pipe.jpg") == "not a regular file"
    assert reason(tmp_path / "gone.jpg").startswith("cannot be read")
    monkeypatch.setattr("skmm_core.data.picture_file.MAX_PICTURE_BYTES", 100)
    assert reason(whole).startswith("too large")


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of damaged tags
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_damage_is_a_reason_or_still_a_picture(tmp_path, kind):
    rng, buffer = np.random.default_rng(0), io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (30, 30, 3), np.uint8)).save(buffer, format=kind)
    path = tmp_path / f"a.{kind.lower()}"
    for _ in range(60):
        content = bytearray(buffer.getvalue())
        for place in rng.integers(0, len(content) if rng.random() < 0.5 else 60, 3):
            content[place] = rng.integers(0, 256)
        path.write_bytes(content[: rng.integers(1, len(content) + 1)])
        answer = checked_or_reason(path)
        assert answer
        assert "\n" not in answer


def checked_or_reason(path):
    """Hash of the content, or why it cannot be used; any other error is a defect."""
    try:
        return check_picture(path).sha256
    except Unusable as error:
        return str(error)
