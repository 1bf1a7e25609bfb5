"""A selection that is itself a random pick is beaten by any share of random draws equally often."""

import math

import numpy as np
import pytest
import torch

from skmm_core.config import SketchParams
from skmm_core.diagnostics import diagnose, measure_band
from skmm_core.methods import select
from skmm_core.pool import make_pool

_RUNS = 240


@pytest.mark.statistical
def test_random_picks_get_every_verdict_equally_often() -> None:
    chance = np.random.default_rng(11)
    shares = []
    for seed in range(_RUNS):
        rows = torch.tensor(chance.normal(size=(60, 4)) ** 3 + 1)
        labels = torch.tensor(chance.integers(0, 3, 60))
        pool = make_pool(rows, targets=labels, sketch=SketchParams(kind="none"), seed=seed)
        chosen = select(pool, "uniform", 8, seed=seed).indices
        shares.append(measure_band(pool, chosen, diagnose(pool, chosen), seed=seed)[0].better)
    found = np.array(shares)
    # of 21 exchangeable places each is as likely, whatever the measures are and how they hang together
    assert abs(found.mean() - 0.5) < 4 * math.sqrt(1 / 12 / _RUNS)
    for edge in (0.0, 1.0):  # "better than all", "worse than all"
        expected = 1 / 21
        assert abs((found == edge).mean() - expected) < 4 * math.sqrt(expected * (1 - expected) / _RUNS)
    fourths = np.histogram(found, [-0.01, 0.2501, 0.5001, 0.7501, 1.01])[0] / _RUNS
    assert abs(fourths - [5.5 / 21, 5 / 21, 5 / 21, 5.5 / 21]).max() < 4 * math.sqrt(0.25 * 0.75 / _RUNS) + 0.5 / 21
