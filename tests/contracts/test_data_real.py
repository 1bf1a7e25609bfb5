"""Real feature files, read as a person would give them; skipped where they are not kept."""

import os
from pathlib import Path

import pytest
import torch

from skmm_core.config import DatasetConfig
from skmm_core.data.load import load_dataset
from skmm_core.data.summary import describe
from skmm_core.data.task import Task
from skmm_core.errors import InputError

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"
FOLDER = Path(os.environ.get("SKMM_REAL_DATA", _BESIDE))


def real(name):
    if not (FOLDER / name).is_file():
        pytest.skip(f"{name} is not here; set SKMM_REAL_DATA to its folder")
    return str(FOLDER / name)


def test_half_precision_features_with_their_own_test_file():
    stem = "cifar10_mobilenetv2q"
    dataset = load_dataset(DatasetConfig(source=real(f"{stem}_train.npz"), test=real(f"{stem}_test.npz")))
    summary = describe(dataset)
    assert (summary.pool, summary.test, summary.dims) == (10_000, 5_000, 1280)
    assert dataset.features.dtype == torch.float32
    assert dataset.class_names[:2] == ("airplane", "automobile")
    assert sum(summary.class_counts.values()) == 10_000


def test_196_classes_with_names():
    stem = "stanfordcars196_mobilenetv2q"
    dataset = load_dataset(DatasetConfig(source=real(f"{stem}_train.npz"), test=real(f"{stem}_test.npz")))
    assert dataset.n_classes == 196
    held = load_dataset(DatasetConfig(source=real(f"{stem}_train.npz"), holdout=0.02))
    assert len(held.split.test) == 123, "fewer rows than classes can be held out"


def test_missing_values_are_found_and_can_be_dropped():
    source = real("california_housing.npz")
    with pytest.raises(InputError, match=r"207 of 20,640 rows hold NaN.*column 'total_bedrooms'"):
        load_dataset(source)
    dataset = load_dataset(DatasetConfig(source=source, drop_bad_rows=True, holdout=0.2))
    assert dataset.task is Task.REGRESSION
    assert dataset.pool_size + len(dataset.split.test) == 20_640 - 207


def test_images_are_no_features():
    with pytest.raises(InputError, match=r"has no array of rows × columns \(images 10,000 × 28 × 28\)"):
        load_dataset(real("fashion_mnist_images_test10k.npz"))
