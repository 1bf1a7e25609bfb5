"""Small files whose values are used often, or that declare much: refused or left out before memory is taken."""

import base64
import io
import json
import subprocess
import sys
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

from skmm_core.config import DatasetConfig
from skmm_core.data.load import load_dataset
from skmm_core.errors import InputError

# A little more than the limit once written out, and no more.
N = 50_000
WIDTH = 400
NUMBERS = pa.array(np.zeros(WIDTH, np.float32))
LONG = "y" * 2_000


@pytest.fixture(autouse=True)
def limit(monkeypatch):
    monkeypatch.setenv("SKMM_MAX_FILE_MB", "64")


def load(path, **options):
    return load_dataset(DatasetConfig(source=str(path), **options))


def columns(data):
    return tuple(data.feature_names)


def arrow(path, values):
    table = pa.table({"id": [f"r{row}" for row in range(N)], "x": np.arange(N) * 0.5, "z": np.arange(N) % 7 / 3})
    table = table.append_column("e", values)
    with pa.ipc.new_file(path, table.schema) as out:
        out.write_table(table)
    return path


def one_run(values):
    return pa.RunEndEncodedArray.from_arrays(pa.array([N], pa.int32()), values)


def text_views():
    one = pa.array([LONG], pa.string_view()).buffers()
    return pa.Array.from_buffers(pa.string_view(), N, [None, pa.py_buffer(one[1].to_pybytes()[:16] * N), *one[2:]])


SHARED = {
    "runs of a list": lambda: one_run(pa.ListArray.from_arrays(pa.array([0, WIDTH], pa.int32()), NUMBERS)),
    "runs of bytes": lambda: one_run(pa.array([LONG.encode()])),
    "views of one list": lambda: pa.ListViewArray.from_arrays(
        pa.array(np.zeros(N, np.int32)), pa.array(np.full(N, WIDTH, np.int32)), NUMBERS
    ),
    "views of one text": text_views,
}


@pytest.mark.parametrize("kind", SHARED)
def test_values_that_all_rows_share_are_counted_before_they_are_written_out(tmp_path, kind):
    with pytest.raises(InputError, match=r"a\.arrow e unpacks to .* more than the limit of 64 MB"):
        load(arrow(tmp_path / "a.arrow", SHARED[kind]()))


def test_runs_of_what_is_not_read_are_not_written_out(tmp_path):
    data = load(arrow(tmp_path / "a.arrow", one_run(pa.array([{"a": LONG}]))))
    assert columns(data) == ("x", "z")


@pytest.mark.parametrize("name", ["a.arrow", "a.parquet"])
def test_a_long_text_in_every_row_is_not_written_out(tmp_path, name):
    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(N, np.int32)), pa.array([LONG]))
    path = arrow(tmp_path / "a.arrow", texts)
    if name == "a.parquet":
        with pa.ipc.open_file(path) as file:
            path = tmp_path / name
            pq.write_table(file.read_all(), path)
    assert columns(load(path)) == ("x", "z")
    with pytest.raises(InputError, match=r"e unpacks to .* more than the limit of 64 MB"):
        load(path, text="e")


def test_views_and_runs_within_the_limit_are_read(tmp_path):
    X = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2, 6], pa.int32()), pa.array(X[:2].tolist()))
    table = pa.table({"e": runs, "label": list("ababab")})
    with pa.ipc.new_file(tmp_path / "a.arrow", table.schema) as out:
        out.write_table(table)
    np.testing.assert_allclose(load(tmp_path / "a.arrow").features.numpy(), X[[0, 0, 1, 1, 1, 1]], rtol=1e-6)


def fiftyone(folder, samples):
    folder.mkdir()
    (folder / "samples.json").write_text(json.dumps({"samples": samples}))
    return folder


def test_fields_of_an_export_are_counted_together(tmp_path):
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(10 * WIDTH, np.float32))
    packed = {"$binary": {"base64": base64.b64encode(zlib.compress(buffer.getvalue())).decode()}}
    samples = [{"_id": f"{row}", **{f"e{field}": packed for field in range(30)}} for row in range(200)]
    with pytest.raises(InputError, match="more than the limit of 64 MB"):
        load(fiftyone(tmp_path / "export", samples))


def test_names_that_are_no_text_are_shown_with_a_question_mark(tmp_path):
    rows = [{"a\ud800": row / 3, "b": {"c\ud800": row**2 / 7}} for row in range(9)]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    assert columns(load(tmp_path / "a.jsonl")) == ("a?", "b.c?")
    samples = [{"_id": f"{row}", "a\ud800": row / 3, "b": row**2 / 7} for row in range(9)]
    assert columns(load(fiftyone(tmp_path / "export", samples))) == ("a?", "b")


@pytest.mark.parametrize("name", ["a.jsonl", "export"])
def test_too_many_names_are_refused_at_once(tmp_path, name):
    row = {f"c{place}": place / 7 for place in range(70_000)}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    fiftyone(tmp_path / "export", [row])
    with pytest.raises(InputError, match="70,000 columns, more than the limit"):
        load(tmp_path / name)


def test_a_text_longer_than_csv_expects_changes_nothing(tmp_path):
    rows = [f"{row};{row / 3};{row % 4 / 7};{'word ' * 40_000}" for row in range(8)]
    (tmp_path / "a.csv").write_text("\n".join(["id;x;z;text", *rows]))
    data = load(tmp_path / "a.csv")
    assert columns(data) == ("x", "z")
    assert data.ids[3] == "3"
    (tmp_path / "b.csv").write_text("\n".join(["id;x;z;text", *rows, "9;1"]))
    with pytest.raises(InputError, match="line 10: 2 fields, but the header has 4"):
        load(tmp_path / "b.csv")


@pytest.mark.filterwarnings("ignore:Feather V1")
def test_feather_files_of_version_1_are_read_and_damaged_ones_are_one_line(tmp_path):
    table = pa.table({"x": np.arange(9) / 3, "z": np.arange(9) ** 2 / 7, "label": list("abcabcabc")})
    path = tmp_path / "a.feather"
    pyarrow.feather.write_feather(table, path, version=1)
    data = load(path)
    np.testing.assert_allclose(data.features.numpy()[:, 1] + 0.0, np.arange(9) ** 2 / 7, rtol=1e-5)
    path.write_bytes(path.read_bytes()[:-30] + bytes(30))
    with pytest.raises(InputError, match="truncated or not a feather file"):
        load(path)


def test_a_name_that_steers_a_terminal_is_shown_without_it(tmp_path):
    (tmp_path / "a.csv").write_text("id,\x1b[31mred,b\n1,x,y\n2,z,w\n")
    command = [sys.executable, "-m", "skmm_core", "select", "--dataset", str(tmp_path / "a.csv"), "--budget", "1"]
    done = subprocess.run([*command, "--method", "uniform", "--out", str(tmp_path / "s.csv")], capture_output=True)
    assert done.returncode == 2
    assert b"\x1b[31m" not in done.stderr
    assert "\ufffd[31mred".encode() in done.stderr
