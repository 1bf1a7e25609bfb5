"""Points that a person includes or excludes: what every method does with them."""

import numpy as np
import pytest
import torch
from torch import Tensor

from skmm_core.methods import select
from skmm_core.pool import make_pool
from skmm_core.testing.subject import MethodUnderTest

_SIZE = 60
_IN, _OUT = (41, 3, 17), (0, 5, 9, 22, 58)


class IncludeExcludeContract(MethodUnderTest):
    """Included rows come first and count in the budget; excluded ones never come; the pool itself stays as it was."""

    @pytest.mark.parametrize("budget", [3, 4, 17, _SIZE - len(_OUT)])
    def test_included_rows_come_first_and_excluded_ones_never(self, budget: int) -> None:
        found = self.run(self.rows(_SIZE, 7), budget, include=_IN, exclude=_OUT)
        chosen = found.indices.tolist()
        assert len(set(chosen)) == len(chosen) == budget
        assert chosen[: len(_IN)] == list(_IN)
        assert not set(chosen) & set(_OUT)
        assert bool((found.weights > 0).all())
        assert float(found.weights.sum()) == pytest.approx(1)
        assert all(np.isfinite(value) for value in found.objective.values())
        if found.scores is not None:
            assert found.scores.shape == (_SIZE,)

    def test_excluding_alone_leaves_the_others_to_choose_from(self) -> None:
        out = range(0, _SIZE, 2)
        found = self.run(self.rows(_SIZE, 7), 20, exclude=tuple(out))
        assert len(set(found.indices.tolist()) - set(out)) == 20

    def test_deciding_nothing_changes_nothing_and_leaves_the_pool_as_it_was(self) -> None:
        pool = make_pool(self.rows(_SIZE, 7), targets=self.targets(_SIZE), device="cpu")
        before = select(pool, self.method, 10, params=self.params)
        select(pool, self.method, 10, params=self.params, include=_IN, exclude=_OUT)
        after = select(pool.decide(_no_rows(), _no_rows()), self.method, 10, params=self.params)
        assert torch.equal(before.indices, after.indices)
        assert before.objective == after.objective
        assert torch.equal(before.indices, select(pool, self.method, 10, params=self.params).indices)


def _no_rows() -> Tensor:
    return torch.tensor([], dtype=torch.int64)
