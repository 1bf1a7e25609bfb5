"""Columns and targets that float32 cannot hold keep their values; what is done to them is said."""

import csv

import numpy as np
import pytest
import torch

from skmm_core.config import DatasetConfig
from skmm_core.data import load_dataset, train_targets
from skmm_core.data.column_offsets import middle_if_far
from skmm_core.methods.registry import list_methods, select

DRAW = np.random.default_rng(0)
PLAIN = DRAW.normal(size=(200, 2))
FAR = np.c_[PLAIN[:, 0], PLAIN[:, 1] + 1e8]


def saved(tmp_path, x, y=None, name="features"):
    if y is None:
        np.save(tmp_path / f"{name}.npy", x)
        return str(tmp_path / f"{name}.npy")
    np.savez(tmp_path / f"{name}.npz", X=x, y=y)
    return str(tmp_path / f"{name}.npz")


def written(tmp_path, x, name="table"):
    path = tmp_path / f"{name}.csv"
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["size", "time"])
        out.writerows([repr(float(value)) for value in row] for row in x)
    return str(path)


@pytest.mark.parametrize("save", [saved, written])
def test_a_column_far_from_the_origin_keeps_its_values(tmp_path, save):
    """As float32 one value of 200 would be left."""
    assert len(np.unique(FAR[:, 1].astype(np.float32))) == 1
    found = load_dataset(save(tmp_path, FAR))
    assert found.features.dtype == torch.float32
    assert len(found.features[:, 1].unique()) > 195
    apart = found.features[:, 1].double().numpy() - (FAR[:, 1] - np.median(FAR[:, 1]))
    assert apart.std() <= 1e-7 * PLAIN[:, 1].std() + 1.5e-8  # float32 after, float64 at 1e8 before
    assert np.array_equal(found.features[:, 0].numpy(), PLAIN[:, 0].astype(np.float32))
    (note,) = [note for note in found.notes if "offset" in note]
    assert "(1 of 200 values, offset" in note
    assert ("'time'" in note) == (save is written)


def test_whole_numbers_are_no_exception(tmp_path):
    times = np.c_[np.arange(1000) + 1_700_000_000, np.arange(1000) % 7]
    assert len(np.unique(times[:, 0].astype(np.float32))) == 9
    found = load_dataset(saved(tmp_path, times))
    assert len(found.features[:, 0].unique()) == 1000
    assert np.array_equal(np.diff(found.features[:, 0].numpy()), np.ones(999))


@pytest.mark.parametrize("kind", [np.int64, np.uint64])
@pytest.mark.parametrize("ending", ["csv", "npy"])
def test_whole_numbers_beyond_float64_keep_their_distances(tmp_path, kind, ending):
    """Nanoseconds since 1970 lie 256 apart in float64."""
    steps = DRAW.permutation(1000)
    times = np.c_[steps.astype(kind) + kind(1_700_000_000_000_000_000), (steps % 7).astype(kind)]
    assert len(np.unique(times[:, 0].astype(np.float64))) < 6
    path = tmp_path / "a.csv"
    np.savetxt(path, times, fmt="%d", delimiter=",", header="time,size", comments="")
    found = load_dataset(str(path) if ending == "csv" else saved(tmp_path, times))
    assert np.array_equal(np.diff(found.features[:, 0].numpy()), np.diff(steps))


def test_test_rows_lose_the_offset_of_the_pool(tmp_path):
    moved = FAR[:50] + np.array([0, 3])
    pool, test = saved(tmp_path, FAR), saved(tmp_path, moved, name="test")
    found = load_dataset(DatasetConfig(source=pool, test=test))
    shift = found.features[found.split.test][:, 1] - found.features[found.split.train][:50, 1]
    assert torch.allclose(shift, torch.tensor(3.0), atol=1e-6)
    np.savez(tmp_path / "both.npz", X=FAR, X_test=moved)
    both = load_dataset(str(tmp_path / "both.npz"))
    assert torch.equal(both.features, found.features)


@pytest.mark.parametrize(
    "x", [PLAIN, PLAIN + 100, PLAIN * 1e-30, PLAIN * 1e30, np.c_[PLAIN[:, 0], np.full(200, 1e9)], np.float32(FAR)]
)
def test_nothing_is_done_to_columns_that_float32_holds(tmp_path, x):
    found = load_dataset(saved(tmp_path, x))
    assert np.array_equal(found.features.numpy(), x.astype(np.float32))
    assert not [note for note in found.notes if "offset" in note]


def test_an_outlier_hides_no_column_that_is_harmed(tmp_path):
    x = FAR.copy()
    x[7, 1] = 1e12
    assert len(load_dataset(saved(tmp_path, x)).features[:, 1].unique()) > 195


def test_what_no_offset_can_keep_is_said(tmp_path):
    """Two far groups: one offset serves only the larger."""
    x = PLAIN.copy()
    x[:80, 1] += 1e9
    x[80:, 1] += 3e9
    (note,) = [note for note in load_dataset(saved(tmp_path, x)).notes if "near each other" in note]
    assert "1 (121 of 200) values are left" in note


def test_only_harmed_columns_are_far():
    assert middle_if_far(np.full(5, 1e9)) == 0
    assert middle_if_far(np.array([np.nan, np.inf])) == 0
    largest = float(np.finfo(np.float32).max)
    assert middle_if_far(np.array([-largest, 0.0])) == 0
    assert middle_if_far(np.array([1e39, 1.1e39])) == 0
    # float32 numbers near 2^23 lie 1 apart: a thousandth of 1,000
    assert middle_if_far(2.0**23 + 0.25 + 1001 * np.arange(-5, 6)) == 0
    assert middle_if_far(2.0**23 + 0.25 + 300 * np.arange(-5, 6)) == 2.0**23 + 0.25
    assert middle_if_far(2.0**23 + 300 * np.arange(-5, 6)) == 0, "float32 holds these whole numbers as they are"


def test_targets_that_float32_cannot_hold_stay_in_float64(tmp_path):
    y = 1.7e9 + 100 * DRAW.normal(size=200)
    assert len(np.unique(y.astype(np.float32))) < 10
    found = load_dataset(saved(tmp_path, PLAIN, y))
    assert np.array_equal(train_targets(found).numpy(), y)
    assert train_targets(load_dataset(saved(tmp_path, PLAIN, y - 1.7e9, name="near"))).dtype == torch.float32


@pytest.mark.parametrize(
    "spec", [spec for spec in list_methods() if spec.missing("regression") is None], ids=lambda spec: spec.key
)
def test_every_method_reads_targets_of_float64(tmp_path, spec):
    """What it picks may not depend on where the targets lie."""
    y = np.random.default_rng(1).normal(size=200).round(3)
    near = select(load_dataset(saved(tmp_path, PLAIN, y)), spec.key, 12)
    far = select(load_dataset(saved(tmp_path, PLAIN, y * 64 + 2.0**31, name="far")), spec.key, 12)
    assert near.indices.tolist() == far.indices.tolist()
