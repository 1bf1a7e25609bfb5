"""The method under test: which one, with which options, on which rows; and what a valid answer looks like."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from skmm_core.methods import MethodSpec, Selection, get_method, select


def normal_rows(size: int, dims: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """(N, d) rows, normal around 0.3, whose columns have spreads from 2 down to 0.5."""
    draw = np.random.default_rng(0)
    return torch.tensor(draw.normal(size=(size, dims)) * np.linspace(2, 0.5, dims) + 0.3).to(dtype)


class MethodUnderTest:
    """What a subclass says of its method, and how the tests run it.

    Attributes:
        method: registry key, such as "stride". Every subclass has to give it.
        params: options to run with wherever a test does not say otherwise; those left out take their defaults.
        reports: whether the method tells of its progress. False for one whose whole work is a single quick step, such
            as drawing from ready-made scores; it then cannot be cancelled half-way either.
    """

    method: ClassVar[str]
    params: ClassVar[Mapping[str, Any]] = {}
    reports: ClassVar[bool] = True

    @property
    def spec(self) -> MethodSpec:
        """What the method was registered with."""
        return get_method(self.method)

    def rows(self, size: int, dims: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """The (N, d) rows of an ordinary pool, the same at every call; to be overridden for rows of another kind.

        The odd pools (ties, duplicates, constants, extreme scales) are the same for every method.
        """
        return normal_rows(size, dims, dtype)

    def labels(self, size: int) -> Tensor:
        """The (N,) targets of a pool: three classes in turn. To be overridden for targets of another kind."""
        return torch.arange(size) % 3

    def targets(self, size: int) -> Tensor | None:
        """The labels where the method needs something beyond the features, else None."""
        return self.labels(size) if self.spec.needs else None

    def run(self, rows: Tensor, budget: int, **options: Any) -> Selection:
        """Select from rows with the params of this class; `options` are those of :func:`select`."""
        asked: dict[str, Any] = {"params": self.params, "targets": self.targets(len(rows)), "device": "cpu", **options}
        return select(rows, self.method, budget, **asked)

    def assert_valid(self, found: Selection, budget: int, size: int) -> None:
        """Fail unless these are `budget` distinct rows of a pool of `size`, with sound weights and objectives."""
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
