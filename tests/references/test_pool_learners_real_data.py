"""Propagation against the linear probe on features of photographs; needs the folder that SKMM_TEST_DATA names."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import t

from skmm_core.probes.pool_learners import score_learner
from tests.references.test_pool_learners import dataset

FOLDER = Path(os.environ.get("SKMM_TEST_DATA", "absent"))
POOLS = 8


def drawn(stem, seed, pool, test):
    parts = []
    for part in ("train", "test"):
        with np.load(FOLDER / f"{stem}_{part}.npz", allow_pickle=False) as file:
            parts.append((file["X"], file["y"]))
    features, targets = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
    rows = np.random.default_rng(seed).permutation(len(features))[: pool + test]
    return dataset(features[rows], targets[rows], pool)


@pytest.mark.parametrize(("stem", "pool", "test"), [
    ("cifar10_mobilenetv2q", 3_000, 1_000), ("flowers5_efficientnetlite0", 2_000, 1_000),
])  # fmt: skip
@pytest.mark.parametrize("each", [1, 2])
def test_propagation_is_ahead_of_the_linear_probe_at_few_labels(stem, pool, test, each):
    """Random picks of eight pools, paired: the 99 % interval of the mean difference in accuracy lies above 0."""
    if not (FOLDER / f"{stem}_train.npz").exists():
        pytest.skip("the data set is not here")
    gaps = []
    for seed in range(POOLS):
        made = drawn(stem, seed, pool, test)
        count = each * len(made.class_names)
        chosen = torch.tensor(np.random.default_rng(100 + seed).permutation(pool)[:count])
        scores = [score_learner(made, chosen, key).metrics["accuracy"] for key in ("propagate", "linear")]
        gaps.append(scores[0] - scores[1])
    error = np.std(gaps, ddof=1) / np.sqrt(POOLS)
    assert np.mean(gaps) > t.ppf(0.995, POOLS - 1) * error, f"{np.mean(gaps):+.3f} ± {error:.3f}"
    assert np.mean(gaps) > 0.02
