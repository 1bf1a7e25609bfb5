"""Hostile zip files: nothing is written outside, nothing fills memory or disk, every answer is one line."""

import io
import os
import stat
import struct
import tempfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image

from skmm_core.data import archive as module, zip_file
from skmm_core.data.archive import extract
from skmm_core.data.image_index import ImageIndex, index_images
from skmm_core.errors import Cancelled, InputError
from tests.contracts.picture_folders import files_in, reasons


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def picture(seed=0):
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)).save(buffer, format="PNG")
    return buffer.getvalue()


def member(name, *, mode=stat.S_IFREG | 0o644, method=zipfile.ZIP_DEFLATED):
    info = zipfile.ZipInfo("x")
    info.filename, info.external_attr, info.compress_type, info.create_system = name, mode << 16, method, 3
    return info


def packed(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members:
            archive.writestr(name if isinstance(name, zipfile.ZipInfo) else member(name), content)
    return path


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../out.png", "a path that leaves its folder"),
        ("a/../../out.png", "a path that leaves its folder"),
        ("a//b.png", "a path that leaves its folder"),
        ("./a.png", "a path that leaves its folder"),
        ("/etc/out.png", "an absolute path"),
        ("C:/out.png", "an absolute path"),
        ("c:out.png", "an absolute path"),
        ("..\\out.png", "a backslash in its name; pack it again with / between folders"),
        ("a" * 250 + ".png", "its name is too long"),
        ("/".join(["d" * 150] * 8) + "/a.png", "its name is too long"),
        ("d/" * 40 + "a.png", "more than 32 folders deep"),
        ("a\nb.png", "unprintable characters in its name"),
        ("a\x1b[31m.png", "unprintable characters in its name"),
        ("inner.zip", "an archive in the archive; unpack it first"),
        ("inner.tar.gz", "an archive in the archive; unpack it first"),
        ("run.sh", "not an image (.sh)"),
        (member("link.png", mode=stat.S_IFLNK | 0o777), "a link"),
        (member("pipe.png", mode=stat.S_IFIFO | 0o644), "a special file"),
        (member("device.png", mode=stat.S_IFBLK | 0o644), "a special file"),
        (
            member("a.png", method=zipfile.ZIP_BZIP2),
            "compressed in a way that is not read; pack it as an ordinary zip (deflate)",
        ),
    ],
)
def test_a_bad_member_is_left_out_alone(home, tmp_path, name, reason):
    found = extract(packed(tmp_path / "a.zip", [("good.png", picture()), (name, picture(1))]))
    assert files_in(found.folder) == ["good.png"]
    assert list(reasons(found).values()) == [reason]
    assert "\n" not in found.skipped[0].path
    assert files_in(tmp_path) == sorted(["a.zip", *(f"home/{name}" for name in files_in(home))])
    assert len(files_in(home)) == 2
    assert reasons(extract(tmp_path / "a.zip")) == reasons(found), "the cache keeps the reasons"


def test_names_that_one_disk_could_hold_once(home, tmp_path):
    names = ["a.png", "A.PNG", "é.png", "e\u0301.png", "b", "b/c.png"]
    found = extract(packed(tmp_path / "a.zip", [(name, picture(i)) for i, name in enumerate(names)]))
    assert files_in(found.folder) == ["a.png", "b", "é.png"]
    assert reasons(found)["A.PNG"] == "another file in the archive has the same name"
    assert reasons(found)["b/c.png"].startswith("cannot be written")


def test_names_in_other_encodings(home, tmp_path):
    raw = packed(tmp_path / "a.zip", [("xxxxx.png", picture()), ("yyyy.png", picture(1))]).read_bytes()
    raw = raw.replace(b"xxxxx.png", "fé√".encode()[:5].ljust(5, b"_") + b".png").replace(b"yyyy.png", b"f\xe9e_.png")
    (tmp_path / "a.zip").write_bytes(raw)
    index = index_images(tmp_path / "a.zip")
    assert len(index) + len(index.skipped) == 2
    claimed = bytearray(packed(tmp_path / "b.zip", [("é.png", picture())]).read_bytes().replace("é".encode(), b"\xe9_"))
    (tmp_path / "b.zip").write_bytes(claimed)
    with pytest.raises(InputError, match=r"b\.zip: a file name in it is not the UTF-8 text"):
        extract(tmp_path / "b.zip")


def test_encrypted_members_are_left_out(home, tmp_path):
    raw = bytearray(packed(tmp_path / "a.zip", [("a.png", picture())]).read_bytes())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        raw[raw.index(mark) + offset] |= 1
    (tmp_path / "a.zip").write_bytes(raw)
    with pytest.raises(InputError, match=r"no picture that can be used; 1 files were skipped, first a\.png: encrypted"):
        index_images(tmp_path / "a.zip")


def zeros(megabytes):
    chunk = bytes(1 << 20)
    return (chunk for _ in range(megabytes))


def bomb(path, megabytes, members):
    """Members of zeros, each `megabytes` large once unpacked; the compressed bytes are made once."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(members):
            with archive.open(f"{number}.png", "w") as file:
                for chunk in zeros(megabytes):
                    file.write(chunk)
    return path


def declare(path, sizes):
    """Overwrite the unpacked sizes that the table of contents declares."""
    raw = bytearray(path.read_bytes())
    start = 0
    for size in sizes:
        start = raw.index(b"PK\1\2", start)
        raw[start + 24 : start + 28] = struct.pack("<L", size)
        start += 46
    path.write_bytes(raw)
    return path


def test_ten_gigabytes_in_many_members_are_refused(home, tmp_path):
    path = declare(bomb(tmp_path / "a.zip", 1, 50), [200 << 20] * 50)
    with pytest.raises(InputError, match=r"a\.zip unpacks to 10,000 MB, [\d,]+ times its size.*zip bomb"):
        extract(path)
    assert files_in(tmp_path) == ["a.zip"]


def test_ten_gigabytes_in_one_member_are_left_out(home, tmp_path):
    path = packed(tmp_path / "a.zip", [("0.png", picture()), ("1.png", bytes(1 << 20))])
    raw = bytearray(path.read_bytes())
    place = raw.index(b"PK\1\2", raw.index(b"PK\1\2") + 4)
    raw[place + 24 : place + 28] = struct.pack("<L", 4_000_000_000)
    path.write_bytes(raw)
    found = extract(path)
    assert files_in(found.folder) == ["0.png"]
    assert reasons(found) == {"1.png": "too large: 3,814 MB, at most 256 MB are read"}


def test_a_member_larger_than_it_declares_is_not_unpacked_whole(home, tmp_path):
    path = declare(bomb(tmp_path / "a.zip", 200, 1), [1000])
    tracemalloc.start()
    found = extract(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert files_in(found.folder) == []
    assert next(iter(reasons(found).values())).startswith("damaged")
    assert peak < 20 << 20


def test_limits_on_the_whole(home, tmp_path, monkeypatch):
    path = packed(tmp_path / "a.zip", [(f"{i}.png", np.random.default_rng(i).bytes(1 << 19)) for i in range(4)])
    monkeypatch.setenv("SKMM_MAX_UNPACKED_MB", "1")
    with pytest.raises(InputError, match=r"unpacks to 2 MB, more than the limit of 1 MB"):
        extract(path)
    monkeypatch.setenv("SKMM_MAX_UNPACKED_MB", "lots")
    with pytest.raises(InputError, match="set it to a whole number of megabytes"):
        extract(path)
    monkeypatch.delenv("SKMM_MAX_UNPACKED_MB")
    monkeypatch.setattr(zip_file, "MAX_MEMBERS", 3)
    with pytest.raises(InputError, match="lists too many files"):
        extract(path)
    monkeypatch.setattr(zip_file, "MAX_DIRECTORY_BYTES", 100)
    monkeypatch.setattr(zip_file, "MAX_MEMBERS", 100)
    with pytest.raises(InputError, match="lists too many files"):
        extract(path)
    assert files_in(tmp_path) == ["a.zip"]


def test_a_full_disk(home, tmp_path, monkeypatch):
    path = packed(tmp_path / "a.zip", [("a.png", picture())])
    free = type("Usage", (), {"free": 1000})
    with monkeypatch.context() as patch:
        patch.setattr(module.shutil, "disk_usage", lambda path: free)
        with pytest.raises(InputError, match="more than the disk has free"):
            extract(path)

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "member_chunks", full)
    with pytest.raises(InputError, match=r"a\.zip: the disk is full; free some space or set SKMM_HOME"):
        extract(path)
    assert files_in(tmp_path) == ["a.zip"]


def test_ten_thousand_nested_folders(home, tmp_path):
    members = [("d/" * (10_000) + "a.png", picture()), ("good.png", picture(1))]
    members += [("n/" * depth, b"") for depth in range(1, 40)]
    found = extract(packed(tmp_path / "a.zip", members))
    assert files_in(found.folder) == ["good.png"]
    assert not list(found.folder.glob("*/")), "empty folders are not made"
    assert set(reasons(found).values()) == {"more than 32 folders deep"}
    assert all(len(each.path) <= 201 for each in found.skipped)


def test_damaged_and_cancelled_leave_nothing(home, tmp_path):
    raw = bytearray(
        packed(tmp_path / "a.zip", [(member("a.png", method=0), picture()), ("b.png", picture(1))]).read_bytes()
    )
    raw[60] ^= 255
    (tmp_path / "a.zip").write_bytes(raw)
    found = extract(tmp_path / "a.zip")
    assert files_in(found.folder) == ["b.png"]
    assert reasons(found)["a.png"].startswith("damaged: Bad CRC-32")
    (tmp_path / "b.zip").write_bytes(b"PK nothing")
    with pytest.raises(InputError, match=r"b\.zip is truncated or not a zip file"):
        extract(tmp_path / "b.zip")

    def stop(progress):
        if progress.phase.startswith("Unpacking"):
            raise Cancelled

    before = files_in(home)
    with pytest.raises(Cancelled):
        extract(packed(tmp_path / "c.zip", [("c.png", picture(2))]), report=stop)
    assert files_in(home) == before
    assert len(list((home / "images").iterdir())) == 1


def test_a_damaged_cache_is_made_again(home, tmp_path):
    path = packed(tmp_path / "a.zip", [("a.png", picture())])
    folder = extract(path).folder
    (folder.parent / "contents.json").write_text("[")
    (folder / "a.png").unlink()
    assert files_in(extract(path).folder) == ["a.png"]


def test_archives_used_longest_ago_make_room(home, tmp_path, monkeypatch):
    monkeypatch.setenv("SKMM_MAX_UNPACKED_MB", "1")
    folders = []
    for number in range(4):
        content = np.random.default_rng(number).bytes(600 << 10)
        folders.append(extract(packed(tmp_path / "a.zip", [("a.png", content)])).folder.parent)
        days = 4 - number if number < 3 else 0
        os.utime(folders[-1], (0, folders[-1].stat().st_mtime - days * 100_000))
    killed = home / "images" / ".1-2-abc"
    killed.mkdir()
    os.utime(killed, (0, 0))
    extract(packed(tmp_path / "a.zip", [("b.png", picture())]))
    assert [folder.exists() for folder in folders] == [False, False, False, True]
    assert not killed.exists()


def index_or_message(path):
    """The index, or the message that refuses it; any other error is a defect."""
    try:
        return index_images(path)
    except InputError as error:
        return str(error)


NAMES = st.one_of(
    st.sampled_from(
        ["a.png", "A.png", "../x.png", "/x.png", "a/b.png", "b\\c.png", "c/../d.png", "metadata.csv", "a/"]
    ),
    st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=12).map(lambda text: f"{text}.png"),
    st.lists(st.sampled_from(["..", ".", "", "d", "é", " "]), max_size=40).map(
        lambda parts: "/".join([*parts, "e.png"])
    ),
)


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_any_archive_is_answered_in_one_line(data):
    names = data.draw(st.lists(NAMES, min_size=1, max_size=5))
    modes = st.sampled_from([stat.S_IFREG, stat.S_IFLNK, stat.S_IFCHR, 0])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, name in enumerate(names):
            try:
                archive.writestr(member(name, mode=data.draw(modes)), picture(number))
            except (UnicodeEncodeError, UserWarning):
                continue
    content = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKMM_HOME", os.path.join(folder, "in", "home"))  # noqa: PTH118
        path = Path(folder) / "a.zip"
        path.write_bytes(content)
        found = index_or_message(path)
        if isinstance(found, ImageIndex):
            assert all("\n" not in each.path + each.reason for each in found.skipped)
            assert all(path.resolve().is_relative_to(found.root.resolve()) for path in found.paths)
        else:
            assert "\n" not in found
        inside = Path(folder) / "in" / "home" / "images"
        outside = [found for found in Path(folder).rglob("*") if not found.is_relative_to(inside)]
        assert {found.name for found in outside} <= {"a.zip", "in", "home"}
        assert not [found for found in inside.rglob("*") if found.is_symlink()]
