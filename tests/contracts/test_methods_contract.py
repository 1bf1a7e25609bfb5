"""What every registered method promises, whatever it does."""

import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from skmm_core.config import SketchParams
from skmm_core.data.dataset import Task
from skmm_core.errors import Cancelled, InputError
from skmm_core.methods.kernel_matching import rarity
from skmm_core.methods.moment_matching import SkmmParams
from skmm_core.methods.registry import MethodSpec, Selection, list_methods, recommended_method, select
from skmm_core.pool.pool import Pool, make_pool
from skmm_core.progress import Progress
from skmm_core.solvers.kernels import gaussian_kernel
from skmm_core.solvers.mmd import kernel_mean, squared_mmd
from skmm_core.solvers.moments import shortfall_objective

SPECS = list_methods()
every_method = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.key)
random_methods = pytest.mark.parametrize("spec", [s for s in SPECS if s.random], ids=lambda spec: spec.key)


def normal(n: int, d: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    rng = np.random.default_rng(seed)
    return torch.tensor(rng.normal(size=(n, d)) * np.linspace(2, 0.5, d) + 0.3).to(dtype)


def labels(n: int) -> Tensor:
    return torch.arange(n) % 3


def run(spec: MethodSpec, rows: Tensor, budget: int, **options: object) -> Selection:
    targets = labels(len(rows)) if spec.needs else None
    return select(rows, spec.key, budget, targets=targets, device="cpu", **options)  # type: ignore[arg-type]


def assert_valid(found: Selection, budget: int, size: int) -> None:
    assert found.indices.dtype == torch.int64
    assert found.indices.shape == (budget,)
    assert len(found.indices.unique()) == budget
    assert int(found.indices.min()) >= 0
    assert int(found.indices.max()) < size
    assert found.weights.shape == (budget,)
    assert found.weights.dtype == torch.float64
    assert bool((found.weights > 0).all())
    assert float(found.weights.sum()) == pytest.approx(1, abs=1e-12)
    assert all(np.isfinite(value) for value in found.objective.values())
    if found.scores is not None:
        assert found.scores.shape == (size,)
        assert bool(torch.isfinite(found.scores).all())


def test_the_first_methods_are_there() -> None:
    assert {"skmm", "skmm_kernel", "uniform", "leverage", "herding", "k_center"} <= {spec.key for spec in SPECS}


def test_each_league_has_one_default_and_it_runs_on_classes_and_numbers() -> None:
    for uses_labels in (False, True):
        assert [spec.uses_labels for spec in SPECS if spec.recommended].count(uses_labels) == 1
        spec = recommended_method(uses_labels=uses_labels)
        assert all(spec.missing(task) is None for task in (Task.CLASSIFICATION, Task.REGRESSION))


@every_method
@pytest.mark.parametrize(
    ("budget", "dtype"), [(1, torch.float32), (17, torch.float32), (59, torch.float32), (17, torch.float64)]
)
def test_exact_budget_of_distinct_rows_in_range(spec: MethodSpec, dtype: torch.dtype, budget: int) -> None:
    assert_valid(run(spec, normal(60, 9, dtype=dtype), budget), budget, 60)


@every_method
@settings(deadline=None, max_examples=8)
@given(data=st.data())
def test_small_grids_full_of_ties_are_valid_input(spec: MethodSpec, data: st.DataObject) -> None:
    size, dims = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 4))
    values = data.draw(st.lists(st.integers(-2, 2), min_size=size * dims, max_size=size * dims))
    budget = data.draw(st.integers(1, size))
    dtype = data.draw(st.sampled_from([torch.float32, torch.float64]))
    rows = torch.tensor(values, dtype=dtype).reshape(size, dims)
    assert_valid(run(spec, rows, budget, seed=data.draw(st.integers(0, 3))), budget, size)


@every_method
@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(normal(8, 5).repeat(6, 1), id="duplicates of rows"),
        pytest.param(torch.cat([normal(48, 4), torch.full((48, 1), 7.0)], dim=1), id="a constant column"),
        pytest.param(torch.ones(48, 3), id="only constant columns"),
        pytest.param(torch.zeros(48, 3), id="only zeros"),
        pytest.param(torch.cat([torch.zeros(40, 5), normal(8, 5)]), id="mostly zero rows"),
        pytest.param(normal(48, 1), id="a single column"),
        pytest.param(normal(48, 200), id="more columns than rows"),
        pytest.param(normal(48, 5) * 1e8, id="huge numbers"),
        pytest.param(normal(48, 5) * 1e-8, id="tiny numbers"),
    ],
)
def test_odd_pools_give_a_full_selection(spec: MethodSpec, rows: Tensor) -> None:
    # Methods that fit a probe first are slow, and all alike once it is fitted.
    for budget in (5,) if spec.needs else (5, 48):
        assert_valid(run(spec, rows, budget), budget, 48)


@every_method
@pytest.mark.parametrize("spread", [[1e10, 1, 1e-10], [1e17, 1e17, 1e17], [1e-30, 1e-30, 1e-30]])
def test_float32_scales_far_apart_are_valid_input(spec: MethodSpec, spread: list[float]) -> None:
    assert_valid(run(spec, normal(9, 3) * torch.tensor(spread), 7), 7, 9)


@pytest.mark.parametrize(("scale", "dtype"), [(1e25, torch.float32), (1e-42, torch.float32), (1e160, torch.float64)])
def test_numbers_that_cannot_be_squared_are_refused_with_advice(scale: float, dtype: torch.dtype) -> None:
    for key in ("herding", "skmm_kernel"):
        with pytest.raises(InputError, match="scale them"):
            select((normal(9, 3, dtype=torch.float64) * scale).to(dtype), key, 7, device="cpu")


@every_method
def test_the_whole_pool_is_the_whole_pool(spec: MethodSpec) -> None:
    assert run(spec, normal(30, 4), 30).indices.sort().values.tolist() == list(range(30))


@every_method
def test_same_seed_same_answer(spec: MethodSpec) -> None:
    one, two = run(spec, normal(150, 8), 20, seed=3), run(spec, normal(150, 8), 20, seed=3)
    assert torch.equal(one.indices, two.indices)
    assert torch.equal(one.weights, two.weights)
    assert one.objective == two.objective


@random_methods
def test_another_seed_another_answer(spec: MethodSpec) -> None:
    # 40 dimensions sketched to 8: methods that are random only through the map must see another one.
    rows, sketch = normal(300, 40), SketchParams(dim=8)
    answers = [tuple(run(spec, rows, 20, seed=seed, sketch=sketch).indices.tolist()) for seed in range(3)]
    assert len(set(answers)) == 3


@pytest.mark.parametrize("spec", [s for s in SPECS if not s.random], ids=lambda spec: spec.key)
def test_methods_said_not_to_be_random_do_not_depend_on_the_seed(spec: MethodSpec) -> None:
    answers = {tuple(run(spec, normal(100, 20), 15, seed=seed).indices.tolist()) for seed in range(4)}
    assert len(answers) == 1


@every_method
def test_global_generators_are_neither_read_nor_written(spec: MethodSpec) -> None:
    rows = normal(80, 6)
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002 - the legacy global state is what must stay as it is
    random.seed(1)
    one = run(spec, rows, 10)
    after = torch.rand(1).item(), np.random.rand(), random.random()  # noqa: NPY002
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    assert after == (torch.rand(1).item(), np.random.rand(), random.random())  # noqa: NPY002
    assert torch.equal(one.indices, run(spec, rows, 10).indices)


@every_method
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_input_is_not_modified(spec: MethodSpec, dtype: torch.dtype) -> None:
    rows, targets = normal(80, 6, dtype=dtype), labels(80)
    rows_before, targets_before = rows.clone(), targets.clone()
    select(rows, spec.key, 10, targets=targets, device="cpu")
    assert torch.equal(rows, rows_before)
    assert torch.equal(targets, targets_before)


@every_method
def test_a_pool_can_be_used_again(spec: MethodSpec) -> None:
    pool = make_pool(normal(80, 6), targets=labels(80), device="cpu")
    one, two = select(pool, spec.key, 10), select(pool, spec.key, 10)
    assert torch.equal(one.indices, two.indices)
    assert torch.equal(one.indices, run(spec, normal(80, 6), 10).indices)


@every_method
@pytest.mark.parametrize("budget", [0, -1, 81])
def test_a_budget_outside_the_pool_is_refused_with_its_size(spec: MethodSpec, budget: int) -> None:
    with pytest.raises(InputError, match=rf"budget {budget} is outside 1\.\.80"):
        run(spec, normal(80, 6), budget)


@every_method
def test_an_unknown_param_is_refused_and_the_known_ones_are_named(spec: MethodSpec) -> None:
    with pytest.raises(InputError, match="no_such_option") as caught:
        run(spec, normal(80, 6), 10, params={"no_such_option": 1})
    assert "\n" not in str(caught.value)
    for name in spec.params.model_fields:
        assert name in str(caught.value)


def test_an_unknown_method_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(InputError, match="skmm_kernel"):
        select(normal(10, 2), "no_such_method", 2)


class CancelAt:
    """A report that stops the task at the k-th call."""

    def __init__(self, k: int) -> None:
        self.left = k

    def __call__(self, progress: Progress) -> None:
        self.left -= 1
        if self.left <= 0:
            raise Cancelled


@every_method
def test_cancelling_from_a_report_ends_the_method(spec: MethodSpec) -> None:
    reports: list[Progress] = []
    run(spec, normal(150, 40), 20, report=reports.append)
    # Drawing from ready-made scores is one step and has nothing to report.
    assert reports or spec.key in {"uniform", "uniform_stratified", "leverage"}
    for k in {1, (len(reports) + 1) // 2, len(reports)} if reports else ():
        with pytest.raises(Cancelled):
            run(spec, normal(150, 40), 20, report=CancelAt(k))


@every_method
def test_reports_have_words_and_never_pass_their_total(spec: MethodSpec) -> None:
    reports: list[Progress] = []
    run(spec, normal(200, 40), 20, report=reports.append)
    for progress in reports:
        assert progress.phase[0].isupper()
        assert progress.step >= 0
        assert progress.total is None or progress.step <= progress.total


@every_method
def test_every_param_has_a_help_text_and_every_method_its_source(spec: MethodSpec) -> None:
    assert spec.summary.endswith(".")
    assert spec.url.startswith("https://")
    assert all(field.description for field in spec.params.model_fields.values())
    assert spec.params() == spec.parse({})


@every_method
def test_params_that_ran_are_in_the_answer(spec: MethodSpec) -> None:
    found = run(spec, normal(30, 4), 5)
    assert found.params == spec.params().model_dump(mode="json")
    assert (found.method, found.seed) == (spec.key, 0)


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
