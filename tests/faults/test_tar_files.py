"""Hostile tar files: nothing is written outside, nothing fills memory or disk, every answer is one line."""

import gzip
import io
import os
import tarfile
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image

from skmm_core.data import tar_file
from skmm_core.data.archive import extract
from skmm_core.data.image_index import index_images
from skmm_core.errors import InputError
from tests.contracts.picture_folders import files_in, reasons


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def picture(seed=0):
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)).save(buffer, format="PNG")
    return buffer.getvalue()


def member(name, **facts):
    info = tarfile.TarInfo(name)
    for key, value in facts.items():
        setattr(info, key, value)
    return info


def packed(path, members, form=tarfile.PAX_FORMAT):
    with tarfile.open(path, "w", format=form) as archive:
        for name, content in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../out.png", "a path that leaves its folder"),
        ("a/../../out.png", "a path that leaves its folder"),
        ("./../out.png", "a path that leaves its folder"),
        ("/etc/out.png", "an absolute path"),
        ("C:/out.png", "an absolute path"),
        ("..\\out.png", "a backslash in its name; pack it again with / between folders"),
        ("a" * 250 + ".png", "its name is too long"),
        ("d/" * 40 + "a.png", "more than 32 folders deep"),
        ("a\nb.png", "unprintable characters in its name"),
        ("inner.tar", "an archive in the archive; unpack it first"),
        (member("link.png", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "a link"),
        (member("hard.png", type=tarfile.LNKTYPE, linkname="good.png"), "a link"),
        (member("pipe.png", type=tarfile.FIFOTYPE), "a special file"),
        (member("device.png", type=tarfile.BLKTYPE), "a special file"),
        (
            member("sparse.png", pax_headers={"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}),
            "a sparse file; pack it again without --sparse",
        ),
        (member("._good.png"), "not an image: a file of the operating system"),
    ],
)
def test_a_bad_member_is_left_out_alone(home, tmp_path, name, reason):
    content = b"" if isinstance(name, tarfile.TarInfo) and not name.isreg() else picture(1)
    found = extract(packed(tmp_path / "a.tar", [("good.png", picture()), (name, content), ("last.png", picture(2))]))
    assert files_in(found.folder) == ["good.png", "last.png"]
    assert list(reasons(found).values()) == [reason]
    assert not found.notes
    assert files_in(tmp_path) == sorted(["a.tar", *(f"home/{name}" for name in files_in(home))])
    assert reasons(extract(tmp_path / "a.tar")) == reasons(found), "the cache keeps the reasons"


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_accented_names_in_every_form(home, tmp_path, form):
    long = f"{'d' * 80}/{'é' * 10}{'n' * (60 if form == tarfile.USTAR_FORMAT else 120)}.png"
    found = extract(packed(tmp_path / "a.tar", [(long, picture()), ("é.png", picture(1))], form))
    assert files_in(found.folder) == sorted([long, "é.png"])
    assert (found.folder / "é.png").read_bytes() == picture(1)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_a_header_that_declares_a_huge_name_takes_no_memory(home, tmp_path, kind):
    size = 300 << 20
    path = tmp_path / "a.tar"
    with path.open("wb") as file:
        file.write(member("x", type=kind, size=size).tobuf(tarfile.GNU_FORMAT))
        file.seek(size, os.SEEK_CUR)
        file.write(member("a.png", size=0).tobuf(tarfile.GNU_FORMAT) + b"\0" * 1024)
    tracemalloc.start()
    extract(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 << 20


def test_sizes_that_go_back_or_beyond_the_end(home, tmp_path):
    back = bytearray(member("a.png").tobuf(tarfile.GNU_FORMAT))
    back[124:136] = b"\xff" * 12
    back[148:156] = b" " * 8
    back[148:156] = f"{sum(back):06o}\0 ".encode()
    (tmp_path / "back.tar").write_bytes(bytes(back) + b"\0" * 1024)
    with pytest.raises(InputError, match=r"back\.tar is truncated or not a tar file"):
        extract(tmp_path / "back.tar")
    whole = packed(tmp_path / "a.tar", [("a.png", picture()), ("b.png", picture(1))]).read_bytes()
    (tmp_path / "a.tar").write_bytes(whole[: 512 + 512 + 512 + 100])
    found = extract(tmp_path / "a.tar")
    assert files_in(found.folder) == ["a.png"]
    assert reasons(found) == {"b.png": "damaged: it ends early"}


def test_what_follows_damage_is_said_to_be_lost(home, tmp_path):
    raw = bytearray(packed(tmp_path / "a.tar", [(f"{i}.png", picture(i)) for i in range(3)]).read_bytes())
    raw[1024:1034] = b"x" * 10
    (tmp_path / "a.tar").write_bytes(raw)
    found = extract(tmp_path / "a.tar")
    assert files_in(found.folder) == ["0.png"]
    assert found.notes == ("a.tar is damaged after 0.png: what follows is not read; copy it again.",)
    assert extract(tmp_path / "a.tar").notes == found.notes


@pytest.mark.parametrize("content", [b"no tar file", b"\0" * 2048, b"PK\3\4" + b"x" * 2000])
def test_no_tar_file_is_refused(home, tmp_path, content):
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.tar (is truncated or not a tar file|holds no files)"):
        extract(tmp_path / "a.tar")
    assert files_in(tmp_path) == ["a.tar"]


def test_limits_on_the_whole(home, tmp_path, monkeypatch):
    path = packed(tmp_path / "a.tar", [(f"{i}.png", bytes(1 << 19)) for i in range(4)])
    with monkeypatch.context() as patch:
        patch.setenv("SKMM_MAX_UNPACKED_MB", "1")
        with pytest.raises(InputError, match="unpacks to 2 MB, more than the limit of 1 MB"):
            extract(path)
    with monkeypatch.context() as patch:
        patch.setattr(tar_file, "MAX_MEMBERS", 3)
        with pytest.raises(InputError, match="lists too many files"):
            extract(path)
    monkeypatch.setenv("SKMM_MAX_FILE_MB", "1")
    bomb = tmp_path / "bomb.tar.gz"
    bomb.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(InputError, match=r"bomb\.tar\.gz unpacks to more than the limit of 1 MB"):
        extract(bomb)
    bomb.write_bytes(b"no gzip file")
    with pytest.raises(InputError, match=r"bomb\.tar\.gz is truncated or not a \.gz file"):
        extract(bomb)


def test_a_second_member_of_one_name_is_listed(home, tmp_path):
    found = extract(packed(tmp_path / "a.tar", [("a.png", picture()), ("A.png", picture(1)), ("a.png", picture(2))]))
    assert (found.folder / "a.png").read_bytes() == picture()
    assert set(reasons(found).values()) == {"another file in the archive has the same name"}


def index_or_message(path):
    """The index, or the message that refuses it; any other error is a defect."""
    try:
        return index_images(path)
    except InputError as error:
        return str(error)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_tar_file_is_answered_in_one_line(data):
    names = data.draw(st.lists(st.sampled_from(["a.png", "b/c.cls", "../d.png", "a.json", "é.png"]), min_size=1))
    form = data.draw(st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKMM_HOME", str(Path(folder) / "in" / "home"))
        path = packed(Path(folder) / "a.tar", [(name, picture(i)) for i, name in enumerate(names)], form)
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(0, 6))):
            content[data.draw(st.integers(0, min(len(content), 3000) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
        found = index_or_message(path)
        assert "\n" not in (found if isinstance(found, str) else "".join(map(str, found.skipped)))
        inside = Path(folder) / "in" / "home" / "images"
        outside = [found for found in Path(folder).rglob("*") if not found.is_relative_to(inside)]
        assert {found.name for found in outside} <= {"a.tar", "in", "home"}
        assert not [found for found in inside.rglob("*") if found.is_symlink()]
