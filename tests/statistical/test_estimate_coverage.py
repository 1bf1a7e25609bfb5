"""Intervals of the expected score hold the truth about as often as they say, however the labels were picked."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from skmm_core.config import DatasetConfig
from skmm_core.data import Split, empty_rows, load_dataset
from skmm_core.estimates import estimate, labelled_rows
from skmm_core.methods import select
from skmm_core.pool import make_pool

_DRAWS = 6


@pytest.mark.parametrize("method", ["uniform", "k_center"])
def test_intervals_hold_the_accuracy_on_the_rest(method: str) -> None:
    full = load_dataset(DatasetConfig(source="digits"))
    assert full.targets is not None
    held, centred = 0, []
    for seed in range(_DRAWS):
        drawn = np.sort(np.random.default_rng(seed).choice(full.pool_size, 300, replace=False))
        split = Split(full.split.train[torch.from_numpy(drawn)], empty_rows(), empty_rows())
        made = replace(full, split=split, fingerprint=f"coverage:{seed}")
        chosen = select(make_pool(made, seed=seed), method, 70, seed=seed).indices
        rows, truth = split.train[chosen].tolist(), full.targets[split.train].numpy()
        labels = {made.ids[row]: made.class_names[int(full.targets[row])] for row in rows}
        found = estimate(made, labelled_rows(made, labels), learner="linear", with_curve=False)
        names = np.array(made.class_names, dtype=object)[truth[found.predictions["position"]]]
        right = float((found.predictions["prediction"].to_numpy() == names).mean())
        held += found.score.lo <= right <= found.score.hi
        centred.append(found.score.value - right)
    assert held >= 5, "an interval of 95 % misses two of six in one of thirty such tests"
    assert abs(np.mean(centred)) < 0.06
