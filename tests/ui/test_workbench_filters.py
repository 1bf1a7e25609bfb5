"""What the workbench works out without a browser: filters, orders, how points stand, undo, the next job, the grid."""

import numpy as np
import pyarrow as pa
import pytest

from dashboard.components.workbench.desk import Desk
from dashboard.components.workbench.filters import (
    ALIKE,
    BY_ID,
    OUTLIERS,
    REMOTE,
    ColumnFilter,
    Filters,
    ordered,
    passing,
)
from dashboard.components.workbench.pick_line import default_budget, select_job, status
from dashboard.components.workbench.standing import NOTHING_DONE, standing
from dashboard.services.pool_columns import Numbers, PoolColumns, Words, pool_columns
from dashboard.services.projects import begun
from skmm_core.config import DatasetConfig
from skmm_core.data import RowTexts, load_dataset
from skmm_core.projects import Batch, ProjectState

IDS = np.array(["a1", "a2", "b1", "b2", "ü1"], object)
PLACES = {str(id_): place for place, id_ in enumerate(IDS)}
COLUMNS = PoolColumns(
    IDS,
    {
        "colour": Words.of(pa.array(["red", "blue", None, "red", "Green"], pa.large_string())),
        "price": Numbers(np.array([5.0, 10.0, np.nan, 20.0, -1.0])),
    },
    {},
    RowTexts.of(["The dog", "a Cat and a dog", "", "rain", "café"]),
)
STATE = ProjectState(
    answers={"a1": {"me": "x"}, "a2": {"me": None}, "gone": {"me": "x"}},
    tags={"b1": frozenset({"odd"}), "b2": frozenset({"odd", "dark"})},
    pinned=frozenset({"b2"}),
    barred=frozenset({"ü1"}),
    batches=(Batch(1, "run", 0.0, ("a2", "a1")), Batch(2, "run2", 1.0, ("b1",))),
)
WHERE = standing(PLACES, STATE, np.array([False, False, True, True, False]))


def passed(**filters):
    odd = {OUTLIERS: np.array([True, False, False, False, True])}
    return [str(id_) for id_ in IDS[passing(Filters(**filters), COLUMNS, WHERE, odd)]]


def test_how_points_stand() -> None:
    positions = {state: [str(IDS[place]) for place in WHERE.positions(state)] for state in WHERE.states}
    assert positions == {
        "chosen": ["b1", "b2"], "labelled": ["a1"], "pending": ["b1"], "skipped": ["a2"], "free": ["ü1"],
        "pinned": ["b2"], "barred": ["ü1"],
    }  # fmt: skip
    assert WHERE.batch.tolist() == [1, 1, 2, 0, 0]
    assert WHERE.labels.tolist() == ["x", None, None, None, None]
    assert WHERE.words(2) == ["Chosen", "Waiting for a label", "batch 2"]


def test_labels_of_the_file_stand_where_the_project_knows_none() -> None:
    known = np.array(["file", "file", None, None, None], object)
    assert standing(PLACES, STATE, np.zeros(5, bool), known).labels.tolist() == ["x", "file", None, None, None]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, ["a1", "a2", "b1", "b2", "ü1"]),
        ({"text": "DOG"}, ["a1", "a2"]),
        ({"text": "dog blue"}, ["a2"]),  # one word in the text, one in a column
        ({"text": "b2"}, ["b2"]),
        ({"text": "CAFÉ"}, ["ü1"]),
        ({"columns": [ColumnFilter(column="price", low=5)]}, ["a1", "a2", "b2"]),
        ({"columns": [ColumnFilter(column="price", low=5, high=10)]}, ["a1", "a2"]),
        ({"columns": [ColumnFilter(column="colour", words=("red", "Green"))]}, ["a1", "b2", "ü1"]),
        ({"columns": [ColumnFilter(column="colour", words=("red",)), ColumnFilter(column="price", high=6)]}, ["a1"]),
        ({"columns": [ColumnFilter(column="no such", low=1)]}, ["a1", "a2", "b1", "b2", "ü1"]),
        ({"classes": ("x",)}, ["a1"]),
        ({"classes": ("None",)}, []),
        ({"tags": ("odd",)}, ["b1", "b2"]),
        ({"tags": ("no such",)}, []),
        ({"batches": (1,)}, ["a1", "a2"]),
        ({"states": ("pending", "skipped")}, ["a2", "b1"]),
        ({"outliers": True, "states": ("labelled",)}, ["a1"]),
    ],
)
def test_only_what_passes_every_filter_is_shown(filters, found) -> None:
    assert passed(**filters) == found


@pytest.mark.parametrize(
    ("order", "descending", "found"),
    [
        ("Pick order", False, ["b2", "b1", "a1", "a2", "ü1"]),
        (BY_ID, False, ["a1", "a2", "b1", "b2", "ü1"]),
        (BY_ID, True, ["ü1", "b2", "b1", "a2", "a1"]),
        ("price", False, ["ü1", "a1", "a2", "b2", "b1"]),
        ("price", True, ["b2", "a2", "a1", "ü1", "b1"]),
        ("colour", False, ["ü1", "a2", "a1", "b2", "b1"]),
        (REMOTE, False, ["ü1", "b2", "b1", "a2", "a1"]),
        (ALIKE, False, ["b1", "b2", "a2", "ü1", "a1"]),
        ("a column that is gone", False, ["b2", "b1", "a1", "a2", "ü1"]),
    ],
)
def test_points_come_in_the_order_that_is_asked_for_those_without_a_value_last(order, descending, found) -> None:
    sorted_ = ordered(
        np.arange(5),
        Filters(order=order, descending=descending),
        COLUMNS,
        np.array([-1, -1, 1, 0, -1]),
        remoteness=lambda: np.arange(5.0),
        likeness=lambda: np.abs(np.arange(5) - 2.1),
    )
    assert [str(id_) for id_ in IDS[sorted_]] == found


def test_filters_are_kept_as_text_and_come_back() -> None:
    filters = Filters(text="dog", columns=(ColumnFilter(column="price", low=5.0),), tags=("odd",), duplicates=True)
    assert Filters.model_validate_json(filters.model_dump_json()) == filters
    assert filters.texts() == ["“dog”", "price at least 5", "tag odd", "near-duplicates"]
    assert filters.with_column(ColumnFilter(column="price", high=9.0)).columns == (
        ColumnFilter(column="price", high=9.0),
    )
    assert not filters.cleared().active


def test_filters_and_actions_are_undone_in_the_order_in_which_they_were_done() -> None:
    one, two = Filters(text="one"), Filters(text="two")
    held = Desk().filtered(one).acted().filtered(two)
    held, project = held.undone()
    assert (held.filters, project) == (one, False)
    held, project = held.undone()
    assert (held.filters, project) == (one, True)
    held, project = held.undone()
    assert (held.filters, project) == (Filters(), False)
    assert held.undone() == (held, True)  # what the project did before
    for wanted, by_project in ((one, False), (one, True), (two, False)):
        held, project = held.redone()
        assert (held.filters, project) == (wanted, by_project)
    assert held.filtered(one).future == ()


def test_the_budget_to_begin_with_is_never_the_whole_of_a_small_pool() -> None:
    assert [default_budget(size) for size in (1, 6, 40, 100, 700, 3_000)] == [1, 3, 10, 10, 70, 100]


def test_where_a_pool_stands_is_said_in_one_line() -> None:
    assert status(NOTHING_DONE, 3_000) == "3,000 points"
    assert status(STATE, 3_000) == "batch 2 · 2 labelled · 1 waiting · 2,996 left"


def test_the_next_batch_is_picked_around_what_the_project_decided(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SKMM_HOME", str(tmp_path))
    config = DatasetConfig(source="diabetes")
    dataset = load_dataset(config)
    train = dataset.split.train.tolist()
    ids = [dataset.ids[place] for place in train]
    row = [int(dataset.rows[train[place]]) for place in range(5)]
    project = begun(config, dataset.fingerprint, "d")
    project.decide([ids[2], ids[0]], "pin")
    project.decide([ids[3]], "bar")
    first = select_job(dataset, "uniform", 9, {}, 0, None, project.state(), next_=False)
    assert (set(first.include), first.exclude, first.labels) == ({row[2], row[0]}, (row[3],), None)
    project.add_batch("run", [ids[0], ids[1], ids[4]])
    project.label({ids[0]: "1", ids[1]: None})
    job = select_job(dataset, "uniform", 9, {}, 0, project, project.state(), next_=True)
    assert (job.include, job.exclude, job.labels) == ((row[2],), (), str(project.snapshot()))
    anew = select_job(dataset, "uniform", 9, {}, 0, project, project.state(), next_=False)
    assert (set(anew.include), anew.exclude, anew.labels) == ({row[2], row[0]}, (row[3],), None)


def test_the_columns_of_a_file_are_read_as_they_stand(tmp_path) -> None:
    path = tmp_path / "own.csv"
    rows = ["id,text,x,kind", "q,a long text about one,1.5,u", "r,another text of two,2.5,v", "s,yet another text,9,u"]
    path.write_text("\n".join(rows))
    found = pool_columns(load_dataset(DatasetConfig(source=str(path))))
    assert found.ids.tolist() == ["q", "r", "s"]
    row = dict(found.row(1, 40))
    assert row["x"] == "2.5"
    assert row["kind"] == "v"
