"""Properties of the hold-out: exact size, a partition, in proportion, seeded."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings, strategies as st

from skmm_core.data.holdout import hold_out
from skmm_core.errors import InputError

sizes = st.lists(st.integers(1, 30), min_size=1, max_size=8)


@settings(deadline=None)
@given(sizes=sizes, data=st.data())
def test_stratified(sizes, data):
    total = sum(sizes)
    assume(total > len(sizes))
    count = data.draw(st.integers(1, total - len(sizes)))
    classes = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))
    rows = np.arange(total) * 3 + 1
    kept, held = hold_out(rows, count, classes=classes, seed=5, purpose="test")
    assert len(held) == count
    assert np.array_equal(np.sort(np.concatenate([kept, held])), rows)
    assert np.all(np.diff(kept) > 0)
    assert np.all(np.diff(held) > 0)
    given_up = np.bincount(classes[(held - 1) // 3], minlength=len(sizes))
    assert np.all(given_up < np.array(sizes)), "a class keeps no row"
    exact = count * np.array(sizes) / total
    if np.all(np.ceil(exact) < np.array(sizes)):  # no class is at its limit, so each is off by less than one row
        assert np.all(np.abs(given_up - exact) < 1)


@settings(deadline=None)
@given(total=st.integers(2, 200), data=st.data())
def test_plain(total, data):
    count = data.draw(st.integers(1, total - 1))
    kept, held = hold_out(np.arange(total), count, classes=None, seed=1, purpose="test")
    assert len(held) == count
    assert np.array_equal(np.sort(np.concatenate([kept, held])), np.arange(total))


def test_seed_and_purpose_decide():
    def held(seed, purpose):
        return hold_out(np.arange(200), 50, classes=None, seed=seed, purpose=purpose)[1].tolist()

    before = torch.random.get_rng_state()
    assert held(1, "a") == held(1, "a")
    assert held(1, "a") != held(2, "a")
    assert held(1, "a") != held(1, "b")
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.statistical
def test_every_row_is_equally_likely():
    rounds, total, count = 800, 20, 5
    times = np.zeros(total)
    for seed in range(rounds):
        times[hold_out(np.arange(total), count, classes=np.arange(total) % 2, seed=seed, purpose="t")[1]] += 1
    share = count / total
    # Each row is held out in a share 1/4 of the rounds; five binomial standard errors.
    assert np.abs(times / rounds - share).max() < 5 * np.sqrt(share * (1 - share) / rounds)


@pytest.mark.parametrize("count", [0, 10, 11, -1])
def test_both_sides_have_a_row(count):
    with pytest.raises(InputError, match=f"a hold-out of {count} of 10 rows leaves one side empty"):
        hold_out(np.arange(10), count, classes=None, seed=0, purpose="t")


def test_a_class_cannot_be_emptied():
    with pytest.raises(InputError, match="a hold-out of 8 of 10 rows takes every row of a class"):
        hold_out(np.arange(10), 8, classes=np.arange(10) % 3, seed=0, purpose="t")
