"""Lance tables and LanceDB folders; what needs the library runs where pylance is installed."""

import importlib.util

import numpy as np
import pyarrow as pa
import pytest

from skmm_core.config import DatasetConfig
from skmm_core.data.load import load_dataset
from skmm_core.data.table_formats import names_in
from skmm_core.errors import InputError

N = 20
X = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
HAS_LANCE = importlib.util.find_spec("lance") is not None


def table(kind=None):
    vectors = pa.array(X.tolist(), kind or pa.list_(pa.float32(), 4))
    return pa.table({"id": [f"{row:03d}" for row in range(N)], "vector": vectors, "label": ["ant", "bee"] * (N // 2)})


def load(path, **options):
    return load_dataset(DatasetConfig(source=str(path), **options))


def looks_like_a_table(folder):
    (folder / "_versions").mkdir(parents=True)
    (folder / "data").mkdir()


@pytest.mark.skipif(HAS_LANCE, reason="pylance is installed")
@pytest.mark.parametrize("name", ["t.lance", "."])
def test_without_the_library_one_line_says_what_to_do(tmp_path, name):
    looks_like_a_table(tmp_path / "db" / "t.lance")
    with pytest.raises(InputError, match=r"t\.lance.*pip install pylance.*parquet") as caught:
        load(tmp_path / "db" / name)
    assert "\n" not in str(caught.value)


def test_of_several_tables_one_is_asked_for(tmp_path):
    for name in ("b.lance", "a.lance"):
        looks_like_a_table(tmp_path / "db" / name)
    with pytest.raises(InputError, match=r"db holds 2 tables: a\.lance, b\.lance; name one"):
        load(tmp_path / "db")


@pytest.mark.parametrize("kind", [pa.list_(pa.float32(), 4), pa.list_(pa.float64()), pa.large_list(pa.float16())])
def test_an_updated_row_moves_to_the_end_and_keeps_its_id(tmp_path, kind):
    lance = pytest.importorskip("lance")
    made = table(kind)
    lance.write_dataset(made, tmp_path / "db" / "t.lance").update({"label": "'bee'"}, where="id = '004'")
    for path in (tmp_path / "db", tmp_path / "db" / "t.lance"):
        data = load(path)
        assert sorted(data.ids) == made["id"].to_pylist()
        rows = [int(name) for name in data.ids]
        stored = np.array(made["vector"].to_pylist(), np.float32)
        np.testing.assert_array_equal(data.features.numpy(), stored[rows])
        labels = {name: data.class_names[code] for name, code in zip(data.ids, data.targets.tolist(), strict=True)}
        assert labels == {name: "bee" if name == "004" or int(name) % 2 else "ant" for name in data.ids}
        assert "current order" in data.reading[0].taken
        assert names_in(path) == ["id", "label", "vector"]


def test_a_damaged_table_is_one_line(tmp_path):
    lance = pytest.importorskip("lance")
    lance.write_dataset(table(), tmp_path / "t.lance")
    for file in (tmp_path / "t.lance" / "data").iterdir():
        file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(InputError, match=r"t\.lance is damaged") as caught:
        load(tmp_path / "t.lance")
    assert "\n" not in str(caught.value)
