"""Every kind of picture comes out as the right 8-bit RGB; every bad file has a reason."""

import io
import os
import struct
import sys
import types
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile, features

from skmm_core.data.picture_file import Unusable, check_picture, read_picture
from skmm_core.data.row_thumbnails import EncodedImages

HAS_AVIF = "avif" in features.modules and features.check("avif")
avif = pytest.mark.skipif(not HAS_AVIF, reason="this Pillow reads no AVIF")
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


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.png", {}),
        ("a.jpg", {"quality": 100, "subsampling": 0}),
        ("a.webp", {"lossless": True}),
        ("a.tiff", {}),
        ("a.tiff", {"compression": "tiff_lzw"}),
        pytest.param("a.avif", {"quality": 100}, marks=avif),
    ],
)
def test_every_kind_is_turned_once(tmp_path, name, options, turn):
    """Pillow turns TIFF upright while it loads, and no other kind; thumbnails are made of what is upright."""
    corner = np.zeros((20, 40, 3), np.uint8)
    corner[:10, :10] = 255
    exif = Image.Exif()
    exif[0x0112] = turn
    path = stored(tmp_path, Image.fromarray(corner), name, exif=exif, **options)
    found, small = pixels(path), np.asarray(Image.open(io.BytesIO(check_picture(path).thumbnail)))
    flips = {1: "", 2: "h", 3: "hv", 4: "v", 5: "t", 6: "th", 7: "thv", 8: "tv"}[turn]
    for flip in flips:
        corner = {"h": corner[:, ::-1], "v": corner[::-1], "t": corner.transpose(1, 0, 2)}[flip]
    assert found.shape == corner.shape
    assert np.abs(found - corner).mean() < 3
    assert small.shape == corner.shape
    assert np.abs(small.astype(int) - corner).mean() < 3


@pytest.mark.parametrize("name", ["a.png", "a.tiff"])
def test_16_bit_pictures_are_turned_too(tmp_path, name):
    values = np.zeros((4, 8), np.uint16)
    values[:, 4:] = 65535
    exif = Image.Exif()
    exif[0x0112] = 6
    found = pixels(stored(tmp_path, Image.fromarray(values), name, exif=exif))
    assert found.shape == (8, 4, 3)
    assert found[4:].min() == 255


@pytest.mark.parametrize("name", ["a.gif", "a.tiff", "a.png", "a.webp"])
def test_of_several_frames_the_first_is_read(tmp_path, name):
    frames = [Image.new("RGB", (6, 6), colour) for colour in ("red", "blue", "green")]
    path = stored(tmp_path, frames[0], name, save_all=True, append_images=frames[1:])
    assert np.abs(pixels(path) - [255, 0, 0]).max() < 4
    assert check_picture(path).more_frames
    assert not check_picture(stored(tmp_path, frames[0], f"one-{name}")).more_frames


@avif
@pytest.mark.parametrize("name", ["a.avif", "a.jpg"])
def test_avif_is_read_whatever_its_name(tmp_path, name):
    found = pixels(stored(tmp_path, Image.new("RGB", (32, 24), (9, 99, 199)), name, format="AVIF"))
    assert found.shape == (24, 32, 3)
    assert np.abs(found - [9, 99, 199]).max() < 8


def box(brand):
    """The first box of a file of the family of MPEG-4, as HEIC and AVIF files have it."""
    return struct.pack(">L", 24) + b"ftyp" + brand + bytes(4) + b"mif1" + brand + bytes(40)


def test_heic_needs_a_package_that_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    for name in ("a.heic", "a.HEIF", "a.jpg"):
        (tmp_path / name).write_bytes(box(b"heic"))
        assert reason(tmp_path / name) == "HEIC needs pillow-heif: pip install pillow-heif, or save it as JPEG"


def test_avif_without_its_decoder_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("skmm_core.data.picture_file._FORMATS", ("JPEG", "PNG"))
    (tmp_path / "a.avif").write_bytes(box(b"avif"))
    assert reason(tmp_path / "a.avif").startswith("AVIF needs Pillow 11.3 or newer: pip install")


def test_heic_is_read_by_the_package(tmp_path, monkeypatch):
    """By a stand-in for pillow-heif that opens any HEIC as one green picture."""

    class HeifImageFile(ImageFile.ImageFile):
        format = "HEIF"

        def _open(self):
            self._size, self._mode = (30, 20), "RGB"

        def load(self):
            self.im = Image.new("RGB", self._size, (0, 255, 0)).im
            return super(ImageFile.ImageFile, self).load()

    monkeypatch.setitem(sys.modules, "pillow_heif", types.SimpleNamespace(HeifImageFile=HeifImageFile))
    (tmp_path / "a.heic").write_bytes(box(b"heic"))
    assert (pixels(tmp_path / "a.heic") == [0, 255, 0]).all()
    assert check_picture(tmp_path / "a.heic").thumbnail
    monkeypatch.setattr("skmm_core.data.picture_file.MAX_PIXELS", 100)
    assert reason(tmp_path / "a.heic") == "too large: 30 × 20 pixels, at most 100 are read"


def test_real_heic(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    corner = np.zeros((20, 40, 3), np.uint8)
    corner[:, :20] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    heif.from_pillow(Image.fromarray(corner)).save(tmp_path / "a.heic", exif=exif.tobytes(), quality=95)
    found = pixels(tmp_path / "a.heic")
    assert found.shape == (40, 20, 3)
    assert found[:15].mean() > 250
    (tmp_path / "b.heic").write_bytes((tmp_path / "a.heic").read_bytes()[:200])
    assert reason(tmp_path / "b.heic").startswith("broken")


@pytest.mark.parametrize("kind", ["ppm", "pgm"])
def test_portable_maps(tmp_path, kind):
    found = pixels(stored(tmp_path, Image.fromarray(RAMP).convert("RGB" if kind == "ppm" else "L"), f"a.{kind}"))
    assert np.array_equal(found[..., 0], RAMP)


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
        ("a.heic", b"hello", "broken: its content is no picture"),
        ("a.svg", b"hello", "pictures of kind .svg are not read; save it as JPEG or PNG"),
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
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", pytest.param("AVIF", marks=avif)])
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


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<!DOCTYPE html><html>not found</html>", "a web page (HTML), not a picture; download it again"),
        (b"\n<html lang=en>", "a web page (HTML), not a picture; download it again"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid",
            "a Git LFS pointer, not the picture itself; run git lfs pull",
        ),
        (b'<?xml version="1.0"?>\n<svg/>', "its content is SVG, which is not read; save it as JPEG or PNG"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "its content is JPEG 2000, which is not read; save it as JPEG or PNG"),
        (b"%PDF-1.4", "its content is PDF, which is not read; save it as JPEG or PNG"),
        (b"\0\0\1\0\1\0", "its content is an icon (ICO), which is not read; save it as JPEG or PNG"),
        (b"nothing", "broken: its content is no picture"),
    ],
)
def test_what_a_file_called_a_picture_really_is(tmp_path, content, reason):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(Unusable) as caught:
        check_picture(tmp_path / "a.jpg")
    assert str(caught.value) == reason
