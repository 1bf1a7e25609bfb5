"""Tables of many columns: read right, and by code that does nothing once a column that takes as long as all columns."""

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from skmm_core.config import DatasetConfig
from skmm_core.data import load_dataset, parquet_reader
from tests.contracts.rooms import ENGINE

READING = sorted((ENGINE / "data").glob("*.py"))
# Of pyarrow: each makes a list of all names, or copies that of all columns.
LISTING = {"column_names", "names"}
COPYING = {"set_column", "drop_columns", "append_column", "add_column", "remove_column"}
# Turns of these loops are not one for each column of the same table.
FEW = {
    "image_metadata": {"target not in each.table.column_names"},  # a table each
    "image_tables": {"table.drop_columns()"},  # where a column names more pictures than those before
    "named_arrays": {"name not in chosen.names"},  # three at most
}
LOOPS = (ast.For, ast.While)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def repeated(tree: ast.AST) -> Iterator[ast.AST]:
    """Nodes that run once for every turn of a loop or comprehension."""
    for node in ast.walk(tree):
        if isinstance(node, LOOPS):
            turns = [*node.body, *([node.test] if isinstance(node, ast.While) else [])]
        elif isinstance(node, COMPREHENSIONS):
            made = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            first, *others = node.generators
            turns = [*made, *first.ifs, *others]
        else:
            continue
        for turn in turns:
            yield from ast.walk(turn)


def whole_each_time(source: str) -> set[str]:
    """What a loop does in each turn that takes as long as the table has columns."""
    found = set()
    for node in repeated(ast.parse(source)):
        if isinstance(node, ast.Compare) and isinstance(node.ops[-1], ast.In | ast.NotIn):
            among = node.comparators[-1]
            listed = isinstance(among, ast.Attribute) and among.attr in LISTING
            built = isinstance(among, ast.Set | ast.List | ast.Tuple) and any(
                isinstance(each, ast.Starred) for each in among.elts
            )
            if listed or built:
                found.add(ast.unparse(node))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in COPYING:
            found.add(f"{ast.unparse(node.func)}()")
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr in LISTING:
            found.add(ast.unparse(node))
    return found


def test_the_walk_sees_what_it_looks_for() -> None:
    source = """
left = [name for name in names if name not in table.column_names and name in {*a, b}]
kept = {name: 1 for name in table.column_names if name in known}
for place, name in enumerate(table.column_names):
    table = table.set_column(place, table.column_names[place], column)
if name in file.names:
    table.drop_columns(few)
"""
    assert whole_each_time(source) == {
        "name not in table.column_names",
        "name in {*a, b}",
        "table.set_column()",
        "table.column_names[place]",
    }


@pytest.mark.parametrize("path", READING, ids=lambda path: path.stem)
def test_no_loop_over_columns_goes_over_all_of_them_again(path: Path) -> None:
    assert whole_each_time(path.read_text(encoding="utf-8")) == FEW.get(path.stem, set())


WIDE = 3000
WRITERS = {
    "parquet": pq.write_table,
    "feather": feather.write_feather,
    "csv": pa_csv.write_csv,
}


@pytest.mark.parametrize("ending", [*WRITERS, "arrow"])
def test_a_wide_table_is_read_right_in_every_format(tmp_path: Path, ending: str) -> None:
    rows = np.random.default_rng(0).integers(-99, 100, size=(6, WIDE)) / 4
    columns = {f"f{place}": column for place, column in enumerate(rows.T)}
    table = pa.table({"id": [*"abcdef"], **columns, "label": [0, 1, 1, 0, 1, 0], "note": [*"xyzzyx"]})
    path = tmp_path / f"wide.{ending}"
    if ending == "arrow":
        with ipc.new_file(path, table.schema) as file:
            file.write_table(table)
    else:
        WRITERS[ending](table, path)
    read = load_dataset(DatasetConfig(source=str(path)))
    assert np.array_equal(read.features.numpy(), rows.astype(np.float32))
    assert read.feature_names == tuple(columns)
    assert read.ids == tuple("abcdef")
    assert read.targets is not None
    assert read.targets.tolist() == [0, 1, 1, 0, 1, 0]
    assert read.shown is not None
    assert read.shown.column_names == ["label", "note"]
    tested = load_dataset(DatasetConfig(source=str(path), test=str(path)))
    assert np.array_equal(tested.features[tested.split.test].numpy(), rows.astype(np.float32))


def test_many_columns_of_vectors_are_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lists = pa.array([[1.0, 2.0], [3.0, 4.0]])
    path = tmp_path / "vectors.parquet"
    pq.write_table(pa.table({f"v.{place}": lists for place in range(40)} | {"v": lists, "flat": [1, 2]}), path)
    opened, file = 0, pq.ParquetFile

    def counted(*args: object, **options: object) -> object:
        nonlocal opened
        opened += 1
        return file(*args, **options)

    monkeypatch.setattr(pq, "ParquetFile", counted)
    read = parquet_reader.read_parquet_files([path], "vectors.parquet")
    assert opened == 3, "for the schema, the plain columns and the lengths of vectors"
    assert list(read.vectors) == [*(f"v.{place}" for place in range(40)), "v"]
    declared = parquet_reader._leaves([file(path).metadata], ["v.7", "v"], path.name)
    assert declared == {"v.7": 4, "v": 4 + 39 * 4}, "what is not asked for counts for the name that it starts with"
    assert np.array_equal(read.vectors["v.7"].read(None), np.array([[1, 2], [3, 4]], np.float32))
