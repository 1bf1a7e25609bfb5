"""Full-data scores of real sets, known from elsewhere; needs the folder that SKMM_TEST_DATA names."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from skmm_core.data.dataset import Dataset, Split
from skmm_core.data.task import Task
from skmm_core.probes.linear_probe import score_probe

FOLDER = Path(os.environ.get("SKMM_TEST_DATA", "absent"))


def _dataset(features: np.ndarray, targets: np.ndarray, task: Task, pool: int) -> Dataset:
    rows = torch.arange(len(features))
    classes = task is Task.CLASSIFICATION
    return Dataset(
        name="real",
        task=task,
        features=torch.tensor(features.astype(np.float32)),
        targets=torch.tensor(targets.astype(np.int64 if classes else np.float32)),
        ids=tuple(map(str, range(len(features)))),
        rows=rows,
        split=Split(rows[:pool], rows[:0], rows[pool:]),
        fingerprint="sha256:real",
        source="real",
        class_names=tuple(map(str, range(int(targets.max()) + 1))) if classes else (),
    )


@pytest.mark.skipif(not (FOLDER / "california_housing.npz").exists(), reason="the data set is not here")
def test_ridge_on_california_housing() -> None:
    with np.load(FOLDER / "california_housing.npz", allow_pickle=False) as file:
        features, targets = file["X"].astype(np.float64), file["y"] / 1e5  # in $100,000
    whole = np.isfinite(features).all(axis=1)
    order = np.random.default_rng(0).permutation(int(whole.sum()))
    dataset = _dataset(features[whole][order], targets[whole][order], Task.REGRESSION, 16_000)
    assert score_probe(dataset, torch.arange(16_000)).metrics["mae"] == pytest.approx(0.497, abs=0.015)


@pytest.mark.skipif(not (FOLDER / "cifar10_mobilenetv2q_train.npz").exists(), reason="the data set is not here")
def test_logistic_on_cifar_features() -> None:
    parts = []
    for part in ("train", "test"):
        with np.load(FOLDER / f"cifar10_mobilenetv2q_{part}.npz", allow_pickle=False) as file:
            parts.append((file["X"], file["y"]))
    features, targets = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
    dataset = _dataset(features, targets, Task.CLASSIFICATION, len(parts[0][0]))
    assert score_probe(dataset, torch.arange(len(parts[0][0]))).metrics["accuracy"] == pytest.approx(0.727, abs=0.01)
