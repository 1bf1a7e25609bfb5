"""What is handed in stays as it was, can be used again, and is refused in words when it cannot be right."""

import pytest
import torch

from skmm_core.errors import InputError
from skmm_core.methods import select
from skmm_core.pool import make_pool
from skmm_core.testing.subject import MethodUnderTest


class InputContract(MethodUnderTest):
    """Rows, targets, pool, budget and options as a caller sees them."""

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_input_is_not_modified(self, dtype: torch.dtype) -> None:
        rows, targets = self.rows(80, 6, dtype=dtype), self.labels(80)
        rows_before, targets_before = rows.clone(), targets.clone()
        pool = make_pool(rows, targets=targets, device="cpu")
        seen = pool.ordered.features.clone()
        select(pool, self.method, 10, params=self.params)
        assert torch.equal(rows, rows_before)
        assert torch.equal(targets, targets_before)
        assert torch.equal(pool.ordered.features, seen)

    def test_a_pool_can_be_used_again(self) -> None:
        pool = make_pool(self.rows(80, 6), targets=self.labels(80), device="cpu")
        one, two = (select(pool, self.method, 10, params=self.params) for _ in range(2))
        assert torch.equal(one.indices, two.indices)
        assert torch.equal(one.indices, self.run(self.rows(80, 6), 10).indices)

    @pytest.mark.parametrize("budget", [0, -1, 81])
    def test_a_budget_outside_the_pool_is_refused_with_its_size(self, budget: int) -> None:
        with pytest.raises(InputError, match=rf"budget {budget} is outside 1\.\.80"):
            self.run(self.rows(80, 6), budget)

    def test_an_unknown_param_is_refused_and_the_known_ones_are_named(self) -> None:
        with pytest.raises(InputError, match="no_such_option") as caught:
            self.run(self.rows(80, 6), 10, params={"no_such_option": 1})
        assert "\n" not in str(caught.value)
        for name in self.spec.params.model_fields:
            assert name in str(caught.value)
