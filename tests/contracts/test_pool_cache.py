"""What a pool keeps of one selection for the next: it changes no result, and goes where it may be used alone."""

import dataclasses

import numpy as np
import pytest
import torch

from skmm_core.config import SketchParams
from skmm_core.methods import fit_matching, kernel_matching
from skmm_core.methods.registry import select
from skmm_core.pool import cache as kept
from skmm_core.pool.cache import Kept
from skmm_core.pool.making import make_pool
from skmm_core.pool.pool import Pool
from skmm_core.solvers import mean_embedding

PARAMS = {
    "skmm_kernel": {"scale": 0.3},
    "skmm_joint": {"target_scale": 0.2},
    "skmm_whitened": {"power": 0.7},
    "skmm_cover": {"rank": 3},
}
KEYS = tuple(PARAMS)
every_key = pytest.mark.parametrize("key", KEYS)


def fresh(seed: int = 0, size: int = 80) -> Pool:
    rng = np.random.default_rng(1)
    rows = torch.tensor(rng.normal(size=(size, 9)) * np.linspace(2, 0.5, 9) + 0.3, dtype=torch.float32)
    return make_pool(rows, targets=rows.sum(dim=1), sketch=SketchParams(dim=6), seed=seed, device="cpu")


def fit_pool(numbers: bool) -> Pool:
    """The same rows in columns of very different spread, with numbers or three classes to predict."""
    pool = fresh()
    wanted = pool.features @ torch.linspace(-1, 2, 9) + pool.features[:, 0].square()
    targets = wanted if numbers else (wanted > -1).long() + (wanted > 1)
    return make_pool(
        pool.features * torch.logspace(0, 1, 9), targets=targets, sketch=SketchParams(dim=6), seed=0, device="cpu"
    )


@pytest.fixture
def averaged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of the pools whose kernels were averaged."""
    sizes: list[int] = []

    def counted(kernel, importance, **options):
        sizes.append(len(importance))
        return mean_embedding.kernel_mean(kernel, importance, **options)

    monkeypatch.setattr(kernel_matching, "kernel_mean", counted)
    return sizes


def outcome(pool: Pool, key: str, budget: int, **options):
    found = dataclasses.asdict(select(pool, key, budget, **options))
    found.pop("seconds")
    return {name: value.tolist() if isinstance(value, torch.Tensor) else value for name, value in found.items()}


@every_key
def test_a_pool_gives_the_same_selections_as_one_made_anew_for_each(key, averaged):
    pool = fresh()
    asked = [
        (20, {}),
        (7, {}),
        (20, {"params": {"exchanges": 0}}),
        (20, {"include": [3, 40], "exclude": [0, 8]}),
        (20, {"params": PARAMS[key]}),
        (20, {"params": {"space": "sketch"}}),
        (20, {}),
    ]
    shared = [outcome(pool, key, budget, **options) for budget, options in asked]
    assert averaged == [80] * 3, "once for the defaults, once for each other kernel"
    assert shared == [outcome(fresh(), key, budget, **options) for budget, options in asked]


def test_another_seed_draws_another_median(averaged):
    pool = fresh(size=300)  # of which there are more pairs than the 20,000 that are looked at
    first, second = outcome(pool, "skmm_kernel", 12, seed=0), outcome(pool, "skmm_kernel", 12, seed=1)
    assert averaged == [300, 300]
    assert second == outcome(fresh(size=300), "skmm_kernel", 12, seed=1)
    assert first["objective"] != second["objective"]


@every_key
def test_another_sketch_takes_nothing_over(key, averaged):
    pool = fresh()
    outcome(pool, key, 12)
    assert outcome(pool.reseeded(5), key, 12, params={"space": "sketch"}) == outcome(
        fresh(5), key, 12, params={"space": "sketch"}
    )
    assert averaged == [80] * 3


@every_key
def test_part_of_a_pool_takes_nothing_over(key, averaged):
    pool = fresh()
    outcome(pool, key, 12)
    part = pool.subset(torch.arange(0, 80, 2))
    assert max(outcome(part, key, 12)["indices"]) < 40
    assert averaged == [80, 40]


def test_decisions_by_hand_share_what_is_found_later(averaged):
    pool = fresh()
    nothing = torch.tensor([], dtype=torch.int64)
    select(pool.decide(torch.tensor([4]), nothing), "skmm_kernel", 9)
    select(pool.decide(nothing, torch.tensor([4])), "skmm_kernel", 9)
    select(pool, "skmm_kernel", 9)
    assert averaged == [80]


@pytest.fixture
def turned(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Sizes of the pools whose rows fit matching turned into principal directions, and how many it kept."""
    sizes: list[tuple[int, int]] = []
    turn = fit_matching.principal_rows

    def counted(rows, rank, **options):
        sizes.append((len(rows), rank))
        return turn(rows, rank, **options)

    monkeypatch.setattr(fit_matching, "principal_rows", counted)
    return sizes


@pytest.mark.parametrize("numbers", [True, False])
def test_fit_matching_turns_rows_once_for_all_budgets(numbers, turned):
    pool, shared = fit_pool(numbers), [{"alpha": 0.5}, {"exchanges": 0}, {"caution": 2.0}]
    asked = [{"scaling": "columns"}, {"scaling": "none"}, {"space": "sketch"}, {"rank": 3}]
    settings = [
        *((20, {}), (7, {}), (7, {"include": [3, 40], "exclude": [0, 8]})),
        *((7, {"params": each}) for each in [*shared, *asked]),
        (20, {}),
    ]
    found = [outcome(pool, "skmm_fit", budget, **options) for budget, options in settings]
    # auto, which takes unit length here, turns the rows in three scalings for its pilot first, at each space and rank
    assert len(turned) == (14 if numbers else 5)
    assert found == [outcome(fit_pool(numbers), "skmm_fit", budget, **options) for budget, options in settings]


def test_fit_matching_keeps_nothing_of_another_sketch_or_of_part_of_a_pool(turned):
    pool, sketched = fit_pool(numbers=True), {"params": {"space": "sketch", "scaling": "none"}}
    outcome(pool, "skmm_fit", 9, **sketched)
    assert outcome(pool.reseeded(5), "skmm_fit", 9, **sketched) != outcome(pool, "skmm_fit", 9, **sketched)
    outcome(pool.subset(torch.arange(0, 80, 2)), "skmm_fit", 9, **sketched)
    assert [size for size, _ in turned] == [80, 80, 40]


@pytest.mark.parametrize(("limit", "times"), [(80 * 10 * 8 + 10 * 10 * 8 + 10 * 3 * 8, 1), (7439, 2)])
def test_what_fit_matching_keeps_counts_with_all_of_its_bytes(limit, times, turned, monkeypatch):
    monkeypatch.setattr(kept, "_MOST_BYTES", limit)  # rows, and their moments among themselves and with three classes
    pool = fit_pool(numbers=False)
    for budget in (9, 12):
        select(pool, "skmm_fit", budget)
    assert len(turned) == times


def test_products_are_kept_for_every_sketch():
    pool = fresh()
    rows = pool.features.double()
    torch.testing.assert_close(pool.feature_products, rows @ rows.T)
    assert pool.reseeded(3).feature_products is pool.feature_products
    assert "feature_products" not in vars(pool.subset(torch.arange(5)))


class Lump:
    """Something of a stated size."""

    def __init__(self, nbytes: int = 1) -> None:
        self.nbytes = nbytes


def test_the_last_eight_things_are_kept_and_time_saved_is_told():
    found = Kept()
    things = {}
    for key in range(8):
        things[key], saved = found.get(key, Lump)
        assert saved == 0
    again, saved = found.get(0, Lump)
    assert again is things[0]
    assert saved > 0
    found.get(8, Lump)  # sends away the one asked for the longest time ago, which is 1
    assert found.get(0, Lump)[0] is things[0]
    assert found.get(1, Lump)[0] is not things[1]


def test_nothing_large_is_kept_and_nothing_that_failed():
    found = Kept()
    large, _ = found.get("large", lambda: Lump(64 * 2**20 + 1))
    assert found.get("large", lambda: Lump(64 * 2**20 + 1))[0] is not large

    def fail() -> Lump:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        found.get("failing", fail)
    assert found.get("failing", Lump)[1] == 0


@pytest.mark.parametrize("key", ["skmm_kernel", "skmm_fit"])
def test_a_selection_is_timed_as_if_nothing_had_been_kept(key):
    """What an earlier selection spent is added, so that a method looks no faster at the second budget."""
    pool = fresh()
    select(pool, key, 5)
    assert len(pool.ordered.kept._things) == 2
    for name, (thing, _) in list(pool.ordered.kept._things.items()):
        pool.ordered.kept._things[name] = thing, 1000.0
    assert select(pool, key, 6).seconds > 2000
