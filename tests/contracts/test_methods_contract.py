"""What every registered method promises, whatever it does, and what single methods promise beyond that."""

import numpy as np
import pytest
import torch
from torch import Tensor

from skmm_core.config import SketchParams
from skmm_core.data.task import Task
from skmm_core.errors import InputError
from skmm_core.methods.kernel_matching import rarity
from skmm_core.methods.moment_matching import SkmmParams
from skmm_core.methods.registry import list_methods, recommended_method, select
from skmm_core.pool.making import make_pool
from skmm_core.pool.pool import Pool
from skmm_core.solvers.kernels import gaussian_kernel
from skmm_core.solvers.mean_embedding import kernel_mean
from skmm_core.solvers.mmd import squared_mmd
from skmm_core.solvers.moments import shortfall_objective
from skmm_core.testing import MethodContract

SPECS = list_methods()
# Drawing from ready-made scores is one step and has nothing to report.
OF_ONE_STEP = {"uniform", "uniform_stratified", "leverage"}


def contract(key: str) -> type[MethodContract]:
    """The suite for one method; its name ends in the key, so that `-k KEY` finds it."""
    words = {"method": key, "reports": key not in OF_ONE_STEP}
    return type(f"Test_{key}", (MethodContract,), words)


globals().update({suite.__name__: suite for suite in (contract(spec.key) for spec in SPECS)})


def normal(n: int, d: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    rng = np.random.default_rng(seed)
    return torch.tensor(rng.normal(size=(n, d)) * np.linspace(2, 0.5, d) + 0.3).to(dtype)


def test_every_method_has_a_suite_with_its_key_in_the_name(request: pytest.FixtureRequest) -> None:
    suites = [value.method for name, value in vars(request.module).items() if name.startswith("Test_")]
    assert suites == [spec.key for spec in SPECS]


def test_the_first_methods_are_there() -> None:
    assert {"skmm", "skmm_kernel", "uniform", "leverage", "herding", "k_center"} <= {spec.key for spec in SPECS}


def test_each_league_has_one_default_and_it_runs_on_classes_and_numbers() -> None:
    for uses_labels in (False, True):
        assert [spec.uses_labels for spec in SPECS if spec.recommended].count(uses_labels) == 1
        spec = recommended_method(uses_labels=uses_labels)
        assert all(spec.missing(task) is None for task in (Task.CLASSIFICATION, Task.REGRESSION))


@pytest.mark.parametrize(("scale", "dtype"), [(1e25, torch.float32), (1e-42, torch.float32), (1e160, torch.float64)])
def test_numbers_that_cannot_be_squared_are_refused_with_advice(scale: float, dtype: torch.dtype) -> None:
    for key in ("herding", "skmm_kernel"):
        with pytest.raises(InputError, match="scale them"):
            select((normal(9, 3, dtype=torch.float64) * scale).to(dtype), key, 7, device="cpu")


def test_an_unknown_method_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(InputError, match="skmm_kernel"):
        select(normal(10, 2), "no_such_method", 2)


@pytest.mark.parametrize("key", ["herding", "k_center"])
def test_prefixes_of_greedy_methods_are_their_smaller_selections(key: str) -> None:
    rows = normal(100, 6)
    large = select(rows, key, 30, seed=2).indices
    assert torch.equal(large[:10], select(rows, key, 10, seed=2).indices)


@pytest.mark.parametrize("key", ["skmm", "skmm_kernel"])
def test_the_first_half_is_a_better_selection_than_the_second(key: str) -> None:
    """The order is greedy in the method's own objective, so the halves differ."""
    better = 0
    for seed in range(8):
        pool = make_pool(normal(300, 12, seed=seed), sketch=SketchParams(dim=8), seed=seed, device="cpu")
        order = select(pool, key, 24, seed=seed).indices
        errors = [objective(pool, key, half) for half in (order[:12], order[12:])]
        better += errors[0] < errors[1]
    # With no order at all 7 of 8 wins have a chance of 9/256.
    assert better >= 7


def objective(pool: Pool, key: str, chosen: Tensor) -> float:
    if key == "skmm":
        achieved = pool.moments.coordinates[chosen].double().square().mean(dim=0)
        return shortfall_objective(achieved, pool.moments.eigenvalues, SkmmParams().c_s or 1.0, relative=True)
    kernel = gaussian_kernel(pool.features, normalise=True, scale=0.1, seed=0)
    mean = kernel_mean(kernel, rarity(pool.moments.leverage), seed=0)
    return squared_mmd(kernel, mean, chosen, constant=1.0)
