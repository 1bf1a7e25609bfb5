"""Names in zip files from every kind of Windows, from macOS and from old programs: read as their makers wrote them."""

import io
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from skmm_core.data.archive import extract
from skmm_core.data.archive_names import read_names
from skmm_core.data.image_index import index_images

WINDOWS, UNIX = 0, 3


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path_factory.mktemp("home")))


def picture(seed):
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def raw_zip(path, names, *, maker=WINDOWS, extra=lambda raw: b""):
    """A zip file whose names are these bytes, without the UTF-8 flag."""
    body = table = b""
    for number, raw in enumerate(names):
        content, more = picture(number), extra(raw)
        crc = zlib.crc32(content)
        sizes = struct.pack("<LLLHH", crc, len(content), len(content), len(raw), len(more))
        facts = struct.pack("<HHHHH", 20, 0, 0, 0, 33)
        table += b"PK\1\2" + struct.pack("<BB", 20, maker) + facts + sizes
        table += struct.pack("<HHHLL", 0, 0, 0, 0, len(body)) + raw + more
        body += b"PK\3\4" + facts + sizes + raw + more + content
    end = struct.pack("<HHHHLLH", 0, 0, len(names), len(names), len(table), len(body), 0)
    path.write_bytes(body + table + b"PK\5\6" + end)
    return path


def found(path, names, encoding, **options):
    index = index_images(raw_zip(path / "a.zip", [name.encode(encoding) for name in names], **options))
    assert not index.skipped
    return index


def pictures_of(classes):
    return [f"{name}/{i}.png" for name in classes for i in range(3)]


@pytest.mark.parametrize(
    ("encoding", "title", "classes"),
    [
        ("gbk", "GBK", ("猫", "狗")),
        ("gbk", "GBK", ("猫", "cat")),
        ("gbk", "GBK", ("一", "二", "三")),
        ("gbk", "GBK", ("玫瑰", "向日葵", "郁金香")),
        ("gbk", "GBK", ("正常", "异常")),
        ("gbk", "GBK", ("新建文件夹 (2)", "苹果")),
        ("cp932", "Shift-JIS", ("猫", "犬")),
        ("cp932", "Shift-JIS", ("いぬ", "ねこ")),
        ("cp932", "Shift-JIS", ("表示", "ソフト", "十能")),  # the second byte of their first signs is a backslash
        ("cp932", "Shift-JIS", ("正常", "異常")),
        ("cp932", "Shift-JIS", ("桜", "薔薇", "写真01")),
        ("cp950", "Big5", ("貓", "狗", "飛機")),
        ("cp949", "949", ("고양이", "강아지", "비행기", "자동차")),
        ("cp866", "866", ("кошка", "собака")),
        ("cp437", "437", ("café", "naïve", "Größe")),
        ("cp850", "850", ("São", "ñandú")),
    ],
)
def test_class_folders_in_a_code_page_of_windows(tmp_path, encoding, title, classes):
    index = found(tmp_path, pictures_of(classes), encoding)
    assert index.class_names == tuple(sorted(classes))
    assert title in index.notes[0]
    assert "pack it again with UTF-8 names" in index.notes[0]
    again = index_images(tmp_path / "a.zip")
    assert again.notes == index.notes, "the cache keeps the note"
    assert again.ids == index.ids


@pytest.mark.parametrize("encoding", ["gbk", "cp932"])
def test_names_of_files_in_a_code_page(tmp_path, encoding):
    names = (
        ["写真1.png", "写真2.png", "sub/写真3.png"]
        if encoding == "cp932"
        else ["照片1.png", "照片2.png", "sub/照片3.png"]
    )
    assert found(tmp_path, names, encoding).ids == tuple(sorted(names))


@pytest.mark.parametrize(("maker", "classes"), [(UNIX, ("é", "ü")), (WINDOWS, ("café", "ü")), (WINDOWS, ("猫", "ü"))])
def test_utf8_without_its_flag(tmp_path, maker, classes):
    index = found(tmp_path, pictures_of(classes), "utf-8", maker=maker)
    assert index.class_names == tuple(sorted(classes))
    assert not index.notes


def test_utf8_names_added_to_an_archive_in_a_code_page(tmp_path):
    raw = [name.encode("gbk") for name in pictures_of(("猫", "狗"))]
    raw += [name.encode() for name in pictures_of(("麻雀",))]
    index = index_images(raw_zip(tmp_path / "a.zip", raw))
    assert index.class_names == tuple(sorted(("猫", "狗", "麻雀")))


def unicode_path(name, *, of=None):
    def extra(raw):
        field = b"\1" + struct.pack("<L", zlib.crc32(of or raw)) + name[raw].encode()
        return struct.pack("<HH", 0x7075, len(field)) + field

    return extra


def test_the_unicode_path_field_counts_where_its_checksum_is_right(tmp_path):
    names = {b"__1/1.png": "猫/1.png", b"__1/2.png": "猫/2.png", b"__2/1.png": "犬/1.png", b"__2/2.png": "犬/2.png"}
    index = index_images(raw_zip(tmp_path / "a.zip", list(names), extra=unicode_path(names)))
    assert index.class_names == tuple(sorted(("猫", "犬")))
    assert not index.notes
    renamed = index_images(raw_zip(tmp_path / "b.zip", list(names), extra=unicode_path(names, of=b"other")))
    assert renamed.class_names == ("__1", "__2")


@pytest.mark.parametrize("name", ["../../out.png", "/etc/out.png", "a\\b.png", "C:/x.png", "a\nb.png", "x/../../y.png"])
def test_no_encoding_is_a_way_out(tmp_path, name):
    names = {b"x.png": name}
    unpacked = extract(raw_zip(tmp_path / "a.zip", list(names), extra=unicode_path(names)))
    assert not list(unpacked.folder.rglob("*"))
    assert len(unpacked.skipped) == 1
    wide = extract(raw_zip(tmp_path / "b.zip", ["../猫.png".encode("gbk"), "/猫.png".encode("cp932")]))
    assert not list(wide.folder.rglob("*"))


@pytest.mark.parametrize("extra", [b"", b"\x75", b"\x75\x70\xff\xff\1", b"\x75\x70\0\0", b"\x75\x70\5\0\1\0\0\0\0"])
def test_damaged_fields_and_names_are_answered(extra):
    info = zipfile.ZipInfo("x")
    info.orig_filename, info.extra, info.create_system = bytes(range(128, 256)).decode("cp437") + "/é\xa0", extra, 0
    assert len(read_names([info]).names) == 1
