"""Parquet: which parts of a folder are splits, and which lists are an embedding."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skmm_core.data import load_dataset

COUNT = 12


def part(path, first):
    rows = np.arange(first, first + COUNT)
    pq.write_table(
        pa.table({"x": rows**2 % 7 + 0.5, "z": rows % 5 + 0.25, "label": [f"c{row % 2}" for row in rows]}), path
    )


@pytest.mark.parametrize(
    ("names", "pool", "test"),
    [
        (("train-0", "test-0"), COUNT, COUNT),
        (("train-0", "train-1", "test-0"), 2 * COUNT, COUNT),
        (("train-0", "test-0", "extra-0"), 3 * COUNT, 0),
        (("part-0", "test-0"), 2 * COUNT, 0),
    ],
)
def test_parts_are_splits_only_where_all_their_names_say_so(tmp_path, names, pool, test):
    for place, name in enumerate(names):
        part(tmp_path / f"{name}.parquet", place * COUNT)
    dataset = load_dataset(str(tmp_path))
    assert (len(dataset.split.train), len(dataset.split.test)) == (pool, test)


def test_lists_that_grow_later_on_are_no_embedding(tmp_path):
    lists = [[0.5, 1.5, float(row)] for row in range(80)] + [[0.25] * (row % 40 + 1) for row in range(80)]
    table = pa.table({"tokens": lists, "x": np.arange(160) ** 2 % 11 + 0.5, "z": np.arange(160) ** 3 % 13 + 0.5})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=160)
    assert load_dataset(str(tmp_path / "a.parquet")).feature_names == ("x", "z")
