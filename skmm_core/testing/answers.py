"""A full, valid selection from every pool: all budgets, ties, duplicates, constants, extreme scales."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st
from torch import Tensor

from skmm_core.testing.subject import MethodUnderTest, normal_rows


class AnswerContract(MethodUnderTest):
    """What comes back is as many distinct rows of the pool as were asked for, whatever the pool looks like."""

    @pytest.mark.parametrize(
        ("budget", "dtype"), [(1, torch.float32), (17, torch.float32), (59, torch.float32), (17, torch.float64)]
    )
    def test_exact_budget_of_distinct_rows_in_range(self, dtype: torch.dtype, budget: int) -> None:
        self.assert_valid(self.run(self.rows(60, 9, dtype=dtype), budget), budget, 60)

    # Every subclass is another executor to Hypothesis; the answer depends on nothing of it but its method.
    @settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.differing_executors])
    @given(data=st.data())
    def test_small_grids_full_of_ties_are_valid_input(self, data: st.DataObject) -> None:
        size, dims = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 4))
        values = data.draw(st.lists(st.integers(-2, 2), min_size=size * dims, max_size=size * dims))
        budget = data.draw(st.integers(1, size))
        dtype = data.draw(st.sampled_from([torch.float32, torch.float64]))
        rows = torch.tensor(values, dtype=dtype).reshape(size, dims)
        self.assert_valid(self.run(rows, budget, seed=data.draw(st.integers(0, 3))), budget, size)

    @pytest.mark.parametrize(
        "rows",
        [
            pytest.param(normal_rows(8, 5).repeat(6, 1), id="duplicates of rows"),
            pytest.param(torch.cat([normal_rows(48, 4), torch.full((48, 1), 7.0)], dim=1), id="a constant column"),
            pytest.param(torch.ones(48, 3), id="only constant columns"),
            pytest.param(torch.zeros(48, 3), id="only zeros"),
            pytest.param(torch.cat([torch.zeros(40, 5), normal_rows(8, 5)]), id="mostly zero rows"),
            pytest.param(normal_rows(48, 1), id="a single column"),
            pytest.param(normal_rows(48, 200), id="more columns than rows"),
            pytest.param(normal_rows(48, 5) * 1e8, id="huge numbers"),
            pytest.param(normal_rows(48, 5) * 1e-8, id="tiny numbers"),
        ],
    )
    def test_odd_pools_give_a_full_selection(self, rows: Tensor) -> None:
        # Methods that fit a probe first are slow, and all alike once it is fitted.
        for budget in (5,) if self.spec.needs else (5, 48):
            self.assert_valid(self.run(rows, budget), budget, 48)

    @pytest.mark.parametrize("spread", [[1e10, 1, 1e-10], [1e17, 1e17, 1e17], [1e-30, 1e-30, 1e-30]])
    def test_float32_scales_far_apart_are_valid_input(self, spread: list[float]) -> None:
        self.assert_valid(self.run(normal_rows(9, 3) * torch.tensor(spread), 7), 7, 9)

    def test_the_whole_pool_is_the_whole_pool(self) -> None:
        assert self.run(self.rows(30, 4), 30).indices.sort().values.tolist() == list(range(30))

    def test_params_that_ran_are_in_the_answer(self) -> None:
        found = self.run(self.rows(30, 4), 5)
        assert found.params == self.spec.parse(self.params).model_dump(mode="json")
        assert (found.method, found.seed) == (self.spec.key, 0)
