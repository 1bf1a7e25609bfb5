"""Columns in mixed units: found from the data, said, and scaled when asked."""

import numpy as np
import pandas as pd
import pytest
import torch

from skmm_core.config import DatasetConfig, RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.data.mixed_units import SCALED, in_one_unit, spread_note, spread_notes
from skmm_core.runs.record import run_id

N = 60


@pytest.fixture
def table(tmp_path):
    """A csv file of dollars, rooms, a share and a column that never changes."""
    rng = np.random.default_rng(2)
    rows = {"rooms": rng.integers(1, 9, N), "dollars": rng.normal(5e4, 2e4, N), "share": rng.random(N), "year": 2026}
    path = tmp_path / "houses.csv"
    pd.DataFrame(rows).assign(y=rng.normal(size=N)).to_csv(path, index=False)
    return path


def load(path, **options):
    """The constant year is asked for, too."""
    return load_dataset(DatasetConfig(source=str(path), features="rooms,dollars,share,year", **options))


def test_a_column_that_decides_all_distances_is_named_with_its_share_and_ratio(table):
    dataset = load(table, holdout=0.25)
    (note,) = spread_notes(dataset.notes)
    spread = dataset.features[dataset.split.train].double().numpy().std(axis=0)
    assert "column 'dollars' alone makes up more than 99 % of all variance" in note
    assert f"spreads {float(f'{spread[1] / spread[2]:.3g}'):,.0f} times as far as the narrowest" in note, (
        "constant columns do not count"
    )
    assert "--scale-columns" in note


def test_scaled_columns_have_equal_spread_over_the_pool_alone(table):
    dataset, raw = load(table, holdout=0.25, scale_columns=True), load(table, holdout=0.25)
    pool = raw.features[raw.split.train].double()
    expected = (raw.features.double() - pool.mean(dim=0)) / pool.std(dim=0, correction=0)
    expected[:, 3] = 0
    torch.testing.assert_close(dataset.features, expected.float())
    assert len(dataset.split.test) == 15
    assert dataset.features.dtype == torch.float32
    assert SCALED in dataset.notes
    assert not spread_notes(dataset.notes)
    assert dataset.feature_names == raw.feature_names
    assert torch.equal(dataset.targets, raw.targets)


def test_a_run_on_scaled_columns_is_another_run(table):
    job = SelectJob(method="uniform", budget=5)
    configs = [
        RunConfig(dataset=DatasetConfig(source=str(table), **more), job=job) for more in ({}, {"scale_columns": True})
    ]
    fingerprints = [load_dataset(config.dataset).fingerprint for config in configs]
    assert len(set(fingerprints)) == 2
    assert len({run_id(config, fingerprints[0]) for config in configs}) == 2
    unsaid = RunConfig(dataset=DatasetConfig(source=str(table), scale_columns=False), job=job)
    assert run_id(unsaid, fingerprints[0]) == run_id(configs[0], fingerprints[0])


def principal(rows):
    left, spread, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    return left * spread


SPREADS = np.random.default_rng(3).normal(size=(300, 64)) * np.geomspace(100, 0.1, 64)
LABELLED = [
    ("equal", np.random.default_rng(0).normal(size=(50, 4)), False),
    (
        "many columns, some hardly used",
        np.random.default_rng(1).normal(size=(200, 40)) * np.geomspace(1, 1e-3, 40),
        False,
    ),
    ("principal directions", principal(SPREADS), False),
    ("one column", np.arange(9.0)[:, None], False),
    ("one row", np.array([[1.0, 1000.0]]), False),
    ("two of three in one unit", np.random.default_rng(4).normal(size=(50, 3)) * [30, 30, 1], True),
    ("nine times apart", np.column_stack([np.tile([0.0, 1], 20), np.tile([0.0, 9], 20)]), False),
    ("ten times apart", np.column_stack([np.tile([0.0, 1], 20), np.tile([0.0, 10], 20)]), True),
]


@pytest.mark.parametrize(("rows", "warned"), [case[1:] for case in LABELLED], ids=[case[0] for case in LABELLED])
def test_only_mixed_units_are_warned_of(rows, warned):
    note = spread_note(torch.tensor(rows, dtype=torch.float32), ())
    assert (note is not None) == warned
    if warned:
        assert f"column {int(np.argmax(rows.std(axis=0)))} alone" in note


def test_rows_that_are_all_the_same_are_said():
    assert "same numbers" in spread_note(torch.ones(5, 3), ())
    assert spread_note(torch.ones(1, 3), ()) is None


def test_pixels_and_measurements_in_one_unit_are_left_in_peace():
    for name in ("digits", "diabetes"):
        dataset = load_dataset(name)
        assert spread_note(dataset.features[dataset.split.train], dataset.feature_names) is None


def test_only_tables_whose_columns_hardly_share_a_unit_are_brought_to_one() -> None:
    rng = np.random.default_rng(4)
    alike = rng.normal(size=(300, 20)) * np.linspace(1, 4, 20)
    decades = alike * np.logspace(-2, 2, 20)
    one_wide = np.c_[alike, 1e5 * rng.normal(size=300)]
    wide = rng.normal(size=(300, 51)) * np.logspace(-2, 2, 51)
    same = np.full((300, 3), 7.0)
    for rows in (alike, wide, same):
        given = torch.tensor(rows)
        assert in_one_unit(given) is given
    for rows in (decades, one_wide, np.c_[decades, np.full(300, 7.0)]):
        deviation = rows.std(axis=0)
        expected = ((rows - rows.mean(axis=0)) / np.where(deviation > 0, deviation, np.inf)).clip(-3, 3)
        for kind in (torch.float64, torch.float32):
            found = in_one_unit(torch.tensor(rows, dtype=kind))
            assert found.dtype == kind
            torch.testing.assert_close(found.double(), torch.tensor(expected), rtol=0, atol=1e-5)


def test_a_straggler_counts_as_three_deviations() -> None:
    rows = torch.randn(500, 2, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 1e4])
    rows[17, 0] = 1e3
    assert in_one_unit(rows)[17, 0] == 3.0
