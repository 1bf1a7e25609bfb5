"""12 bits in files of 16: bright where the sensor was, at one scale for a whole set, and said."""

import io
import struct
import zlib
from functools import partial

import numpy as np
import pytest
from PIL import Image

from skmm_core.data.image_index import index_images
from skmm_core.data.picture_depth import depth_of, eight_bits
from skmm_core.data.picture_file import check_picture, read_picture

RAMP = np.arange(768).reshape(24, 32) / 767


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path_factory.mktemp("home")))


def png16(path, values):
    """A PNG of 16 bits a sample: (h, w) grey, (h, w, 2) grey and opacity, (h, w, 3) colours, (h, w, 4) with opacity."""
    height, width, channels = (*values.shape, 1)[:3]
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)

    def chunk(name, data):
        return struct.pack(">L", len(data)) + name + data + struct.pack(">L", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">LLBBBBB", width, height, 16, kind, 0, 0, 0))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return path


def tiff16(path, values, *, order="<", packed=False):
    """A TIFF of 16-bit colours, in one strip; packed ones are read by libtiff."""
    height, width, channels = values.shape
    data = values.astype(f"{order}u2").tobytes()
    data = zlib.compress(data) if packed else data
    after = 8 + 2 + 9 * 12 + 4  # the header, the table of nine tags, its end
    short, long = (3, "LHxx"), (4, "LL")
    tags = [
        *(
            (256, long, 1, width),
            (257, long, 1, height),
            (258, (3, "LL"), 3, after),
            (259, short, 1, 8 if packed else 1),
        ),
        *((262, short, 1, 2), (273, long, 1, after + 6), (277, short, 1, channels), (278, long, 1, height)),
        (279, long, 1, len(data)),
    ]
    table = b"".join(struct.pack(f"{order}HH{form}", tag, kind, *rest) for tag, (kind, form), *rest in tags)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}LH", 8, len(tags))
    path.write_bytes(head + table + bytes(4) + struct.pack(f"{order}HHH", 16, 16, 16) + data)
    return path


WRITERS = {
    "a.png": png16,
    "little.tif": tiff16,
    "big.tif": partial(tiff16, order=">"),
    "packed-little.tif": partial(tiff16, packed=True),
    "packed-big.tif": partial(tiff16, packed=True, order=">"),
}


def pixels(path, depth=None):
    return np.asarray(read_picture(path, depth)).astype(int)


def expected(top):
    return np.round(np.round(RAMP * top) * 255 / ((1 << top.bit_length()) - 1)).astype(int)


@pytest.mark.parametrize("kind", ["png", "tiff"])
@pytest.mark.parametrize(("top", "bits"), [(255, 8), (1023, 10), (3835, 12), (4095, 12), (16383, 14), (65535, 16)])
def test_white_is_the_largest_value_of_the_bits_used(tmp_path, kind, top, bits):
    path = tmp_path / f"a.{kind}"
    values = np.round(RAMP * top).astype(np.uint16)
    Image.fromarray(values).save(path)
    assert check_picture(path).depth == bits
    assert np.array_equal(pixels(path)[..., 0], np.round(values * (255 / ((1 << bits) - 1))).astype(int))
    assert np.array_equal(pixels(path, 16)[..., 0], np.round(values * (255 / 65535)).astype(int))


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(("top", "bits"), [(1023, 10), (4095, 12), (16383, 14), (65535, 16)])
def test_colours_keep_all_their_bits(tmp_path, name, top, bits):
    values = np.stack([RAMP * top, RAMP[::-1] * top, RAMP.T.reshape(24, 32) * top], axis=2).round().astype(np.uint16)
    path = WRITERS[name](tmp_path / name, values)
    assert check_picture(path).depth == bits
    # Pillow cuts full 16-bit colours to their upper byte, which is within one of the nearest.
    assert np.abs(pixels(path) - values * (255 / ((1 << bits) - 1))).max() <= (1 if bits == 16 else 0.5)


def test_opacity_is_scaled_by_its_own_bits(tmp_path):
    values = np.full((4, 6, 4), 4095, np.uint16)
    values[..., 1:3] = 0
    values[:, 3:, 3] = 0
    for top in (4095, 65535):
        values[:, :3, 3] = top
        found = pixels(png16(tmp_path / "a.png", values))
        assert (found[:, :3] == [255, 0, 0]).all()
        assert (found[:, 3:] == 255).all()


def test_grey_with_opacity_is_a_picture_still(tmp_path):
    values = np.full((4, 6, 2), 65535, np.uint16)
    values[:, :3, 0] = 0
    assert (pixels(png16(tmp_path / "a.png", values))[:, :3] == 0).all()


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_wider_numbers_with_the_values_of_a_sensor(tmp_path, kind):
    Image.fromarray(np.round(RAMP * 4095).astype(kind)).save(tmp_path / "a.tiff")
    assert check_picture(tmp_path / "a.tiff").depth == 12
    assert pixels(tmp_path / "a.tiff").mean() == pytest.approx(127.5, abs=1)


@pytest.mark.parametrize(
    ("values", "depth"),
    [
        (np.array([0, 0], np.uint16), 8),
        (np.array([4096], np.uint16), 14),
        (np.array([-1, 5], np.int32), None),
        (np.array([70_000], np.int32), None),
        (np.array([0.0, 1.0], np.float32), None),
        (np.array([0.0, 255.0, np.nan, np.inf], np.float32), 8),
        (np.array([np.nan], np.float32), None),
        (np.array([3e38], np.float32), None),
    ],
)
def test_depths(values, depth):
    assert depth_of(values) == depth
    assert eight_bits(values, depth).dtype == np.uint8


def set_of(root, tops):
    """A class folder each of pictures whose values go up to these tops."""
    for number, top in enumerate(tops):
        png16(root / "ab"[number % 2] / f"{number}.png", np.round(RAMP * top))
    return root


def test_a_set_is_read_at_one_depth_and_says_so(tmp_path):
    """A dark picture of a sensor of 12 bits stays darker than the others, also in its thumbnail."""
    index = index_images(set_of(tmp_path / "set", (4000, 3900, 100, 3800)))
    means = [np.asarray(index.picture(row)).mean() for row in range(4)]
    thumbs = [np.asarray(Image.open(io.BytesIO(index.images.file(row)))).mean() for row in range(4)]
    dark = index.ids.index("a/2.png")
    assert index.depth == 12
    assert means[dark] == pytest.approx(50 * 255 / 4095, abs=1)
    assert min(mean for row, mean in enumerate(means) if row != dark) > 110
    assert thumbs == pytest.approx(means, abs=2)
    assert index.notes == (
        "4 files have room for more bits than the values use: read as 12 bits, white at 4,095.",
        "1 picture uses far fewer bits than the 12 of the brightest: dark, since all are read at one scale. What comes "
        "from another camera is better given alone.",
    )


def test_full_16_bits_are_nothing_to_say(tmp_path):
    index = index_images(set_of(tmp_path / "set", (65535, 60000, 40000, 65000)))
    assert index.depth == 16
    assert not index.notes


def test_12_bits_beside_16_are_said_to_be_dark(tmp_path):
    index = index_images(set_of(tmp_path / "set", (65535, 4095, 65534, 4094)))
    assert len(index.notes) == 1
    assert index.notes[0].startswith("2 pictures use far fewer bits than the 16 of the brightest: dark")


def test_pictures_of_8_bits_have_no_depth(tmp_path):
    for number in range(4):
        (tmp_path / "set" / "ab"[number % 2]).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / "set" / "ab"[number % 2] / f"{number}.png")
    index = index_images(tmp_path / "set")
    assert index.depth is None
    assert not index.notes


def test_features_are_kept_apart_by_depth(tmp_path):
    """The features of a picture depend on the depth of its set, so what names them in the cache does, too."""
    names = ("a/0.png", "b/1.png")
    alone = index_images(set_of(tmp_path / "one", (4000, 3900)))
    beside = index_images(set_of(tmp_path / "two", (4000, 3900, 65535)))
    assert alone.ids == names
    hashes = dict(zip(beside.ids, beside.hashes, strict=True))
    assert all(hashes[name] != own for name, own in zip(names, alone.hashes, strict=True))


def test_several_frames_are_said(tmp_path):
    frames = [Image.new("RGB", (6, 6), colour) for colour in ("red", "blue")]
    for number in range(4):
        (tmp_path / "set" / "ab"[number % 2]).mkdir(parents=True, exist_ok=True)
        frames[0].putpixel((0, 0), (number, 0, 0))
        more = {"save_all": True, "append_images": frames[1:]} if number == 2 else {}
        frames[0].save(tmp_path / "set" / "ab"[number % 2] / f"{number}.tif", **more)
    index = index_images(tmp_path / "set")
    assert index.notes == ("1 file holds several pictures, as a/2.tif: the first is read.",)
