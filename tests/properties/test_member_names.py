"""Names of zip members for any bytes: each has one answer, and names that say what they are keep it."""

import zipfile

from hypothesis import given, strategies as st

from skmm_core.data.archive_names import read_names


def member(raw, extra, maker):
    info = zipfile.ZipInfo("x")
    info.orig_filename, info.extra, info.create_system = raw.decode("cp437"), extra, maker
    return info


@given(st.lists(st.tuples(st.binary(max_size=300), st.binary(max_size=40), st.sampled_from([0, 3, 11])), max_size=6))
def test_any_bytes_have_a_name(members):
    read = read_names([member(*each) for each in members])
    assert len(read.names) == len(members)
    assert all("\n" not in note for note in read.notes)
    plain = [raw for raw, _, _ in members if raw.isascii()]
    assert {raw.decode() for raw in plain} <= set(read.names)


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=12), min_size=1, max_size=6))
def test_utf8_of_unix_comes_back(names):
    read = read_names([member(name.encode(), b"", 3) for name in names])
    assert read.names == tuple(names)
    assert not read.notes
