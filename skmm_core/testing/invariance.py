"""The same points, however a file puts them: in what order of rows, in which unit, with which last digits."""

from collections.abc import Mapping
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from skmm_core.testing.subject import MethodUnderTest

_SIZE, _DIMS, _BUDGET = 120, 40, 15
# A common factor that is no power of two, and a cast, round every number anew, by half a unit in its last place.
_SINGLE, _DOUBLE = 2.0**-23, 2.0**-48


class InvarianceContract(MethodUnderTest):
    """Order of the rows, unit, number type and last digits of the features change no pick, beyond true ties.

    A true tie is one that exact arithmetic cannot break either: duplicates, points in symmetric places. The ordinary
    pool of :class:`MethodUnderTest` has none but the duplicates that a test puts in. What is random is drawn for rows
    in the order of what they hold, see :attr:`skmm_core.pool.Pool.ordered`, so all of this holds for random methods
    with one seed as for others; the engine sees to the order of the rows, and the method to the rest.

    Attributes:
        not_kept: what this method cannot promise, each with the reason in a sentence: any of "unit", "precision" and
            "last digits". There is no such excuse for the order of the rows.
    """

    not_kept: ClassVar[Mapping[str, str]] = {}

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    @pytest.mark.parametrize("duplicates", [False, True])
    def test_the_order_of_the_rows_changes_no_pick(self, dtype: torch.dtype, duplicates: bool) -> None:
        rows, labels = self.rows(_SIZE, _DIMS, dtype=dtype), self.labels(_SIZE)
        if duplicates:
            rows[_SIZE // 2 :] = rows[: _SIZE - _SIZE // 2].clone()
        order = torch.randperm(_SIZE, generator=torch.Generator().manual_seed(1))
        for seed in (0, 1):
            one = self._contents(rows, labels, seed)
            assert torch.equal(one, self._contents(rows[order], labels[order], seed))

    def test_decisions_by_hand_follow_their_rows(self) -> None:
        rows, labels = self.rows(_SIZE, _DIMS), self.labels(_SIZE)
        order = torch.randperm(_SIZE, generator=torch.Generator().manual_seed(2))
        place = order.argsort()
        include, exclude = torch.tensor([7, 90, 31]), torch.arange(40, 60)
        one = self._picks(rows, labels, include=include.tolist(), exclude=exclude.tolist())
        moved = {"include": place[include].tolist(), "exclude": place[exclude].tolist()}
        assert one == order[self._picks(rows[order], labels[order], **moved)].tolist()

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    @pytest.mark.parametrize("factor", [1024.0, 2.0**-20, 1e3, 1e-6])
    def test_the_unit_of_the_features_changes_no_pick(self, dtype: torch.dtype, factor: float) -> None:
        self._promise("unit")
        rows, labels = self.rows(_SIZE, _DIMS, dtype=dtype), self.labels(_SIZE)
        for seed in (0, 1):
            assert self._picks(rows, labels, seed=seed) == self._picks(rows * factor, labels, seed=seed)

    def test_the_type_that_holds_the_numbers_changes_no_pick(self) -> None:
        self._promise("precision")
        rows, labels = self.rows(_SIZE, _DIMS), self.labels(_SIZE)
        for seed in (0, 1):
            assert self._picks(rows, labels, seed=seed) == self._picks(rows.double(), labels, seed=seed)

    @pytest.mark.parametrize(("dtype", "noise"), [(torch.float32, _SINGLE), (torch.float64, _DOUBLE)])
    def test_last_digits_of_the_features_change_no_pick(self, dtype: torch.dtype, noise: float) -> None:
        self._promise("last digits")
        rows, labels = self.rows(_SIZE, _DIMS, dtype=dtype), self.labels(_SIZE)
        for seed in (0, 1):
            draw = torch.Generator().manual_seed(seed)
            factors = 1 + noise * (2 * torch.rand(rows.shape, generator=draw, dtype=torch.float64) - 1)
            assert self._picks(rows, labels, seed=seed) == self._picks((rows * factors).to(dtype), labels, seed=seed)

    def _promise(self, name: str) -> None:
        if name in self.not_kept:
            pytest.skip(self.not_kept[name])

    def _picks(self, rows: Tensor, labels: Tensor, **options: object) -> list[int]:
        targets = labels if self.spec.needs else None
        return self.run(rows, _BUDGET, targets=targets, **options).indices.tolist()

    def _contents(self, rows: Tensor, labels: Tensor, seed: int) -> Tensor:
        """(n, d + 1) rows and targets of the picks, in the order picked."""
        return torch.column_stack([rows.double(), labels.double()])[self._picks(rows, labels, seed=seed)]
