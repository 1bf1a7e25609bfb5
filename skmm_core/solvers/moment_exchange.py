"""Exchange chosen points for better ones on the discrete moment objective, with bounds before trials.

    F(S) = Σ_j w_j² max(0, λ_j/c_S - mean_{i∈S} a_ij)²

F is convex in the moments and no a_ij is negative. With h_j what is missing of w_j λ_j/c_S and v_i = w a_i / n, taking
in row i for row s gains at most 2 h·(v_i - v_s), and no more than adding v_i to what is there. Only rows that these two
bounds call promising are tried, from one list for many slots, since h moves little from slot to slot.
"""

import torch
from torch import Tensor

from skmm_core.progress import Progress, Report, ignore

_MOST_SWEEPS = 20
_LEAST_SHARE = 1e-5  # of F: a sweep that brings less is the last on lists of that length
_LEAST_GAIN = 1e-6  # of F: an exchange that brings less may be rounding
_NOTHING = 1e-12  # of the moments asked for, squared: a shortfall below that is rounding
_WIDE_LIST, _SHORT_LIST = 4096, 512  # rows with the largest bounds: by the first, and of these by the second
_TRIAL_ELEMENTS = 2**18  # of what is missing after each exchange that is tried together: they stay in the cache
_MOST_EXCHANGES = 32  # on one list
_FEWEST_EXCHANGES = 8  # ... unless none is found
_MOVED = 0.25  # of what was missing: a list made before that is out of date


def polish(
    squares: Tensor, targets: Tensor, picks: Tensor, *, column_weights: Tensor, report: Report = ignore
) -> Tensor:
    """Exchange chosen points for better ones while that lowers F of the equally weighted selection.

    Sweeps over the chosen points; each gives way to the best of the 512 most promising points outside, if that lowers
    F by more than a millionth. When a sweep brings less than 1/100,000 of F, further ones look at the 4,096 most
    promising points. It ends when these bring less too, after 20 sweeps, or when nothing is missing. A list of
    promising points costs O(N · k) and serves 8 to 32 exchanges, or any number of points that stay.

    Args:
        squares: (N, k) a_ij.
        targets: (k,) moments asked for.
        picks: (n,) int64 distinct rows.
        column_weights: (k,) w.
        report: told of every point tried.

    Returns:
        (n,) int64 distinct rows; F is at most what it was.
    """
    state, n = _State(squares, targets, picks, column_weights), len(picks)
    for sweep in range(_MOST_SWEEPS):
        before, slot, width = state.value, 0, 1
        state.list_rows()  # rows that came out since the last list may go in elsewhere
        while slot < n and state.value > state.nothing:
            report(Progress("Polishing", sweep * n + slot, _MOST_SWEEPS * n, {"objective": state.value}))
            passed, exchanged = state.try_slots(slot, width)
            slot += passed
            # where points stay, many can be tried at once; after an exchange the next ones see other moments
            width = 1 if exchanged else 2 * width
        if state.value <= state.nothing or (before - state.value < _LEAST_SHARE * before and not state.look_wider()):
            break
    return state.picks


class _State:
    """The chosen rows, what is missing, and the rows outside that are most promising."""

    def __init__(self, squares: Tensor, targets: Tensor, picks: Tensor, column_weights: Tensor) -> None:
        self._squares, self._scale = squares, column_weights.to(squares) / len(picks)
        self._asked = targets.to(squares) * column_weights.to(squares)
        self.picks = picks.clone()
        self._values = squares[picks] * self._scale
        self._outside = torch.ones(len(squares), dtype=torch.bool, device=squares.device)
        self._outside[picks] = False
        self._left = self._asked - self._values.sum(dim=0)
        self.value = float(self._missing.square().sum())
        self.nothing = _NOTHING * float(self._asked.square().sum())
        self._length = _SHORT_LIST

    @property
    def _missing(self) -> Tensor:
        return self._left.clamp_min(0)

    def list_rows(self) -> None:
        """List the rows with the largest bounds on what they may bring, by what is missing now."""
        missing = self._missing
        slope = (self._squares @ (missing * self._scale)).masked_fill_(~self._outside, -torch.inf)
        rows = slope.topk(min(_WIDE_LIST, int(self._outside.sum()))).indices
        values = self._squares[rows] * self._scale
        if len(rows) > self._length:
            left_then = (missing - values).clamp_min_(0).square_().sum(dim=1)
            best = left_then.topk(self._length, largest=False).indices
            rows, values = rows[best], values[best]
        self._rows, self._row_values = rows, values
        self._open = torch.ones(len(rows), dtype=torch.bool, device=rows.device)
        self._missing_then, self._exchanges = missing, 0

    def look_wider(self) -> bool:
        """Whether longer lists may hold a better row, which sweeps look at from now on."""
        if self._length == _WIDE_LIST or len(self._rows) < self._length:
            return False
        self._length = _WIDE_LIST
        return True

    def _out_of_date(self) -> bool:
        """Whether the list served long enough, or what is missing has moved."""
        if not _FEWEST_EXCHANGES <= self._exchanges < _MOST_EXCHANGES:
            return self._exchanges >= _MOST_EXCHANGES
        return bool((self._missing - self._missing_then).norm() > _MOVED * self._missing_then.norm())

    def try_slots(self, start: int, most: int) -> tuple[int, bool]:
        """Exchange the first of the next slots that gains by it: how many slots are done with, and whether one did."""
        if self._out_of_date():
            self.list_rows()
        if not len(self._rows):
            return len(self.picks), False
        count = max(1, min(most, _TRIAL_ELEMENTS // self._row_values.numel()))
        without = self._left + self._values[start : start + count]
        values = (without[:, None] - self._row_values).clamp_min_(0).square_().sum(dim=2)
        least, places = values.masked_fill_(~self._open, torch.inf).min(dim=1)
        gains = (least < self.value * (1 - _LEAST_GAIN)).nonzero()
        if not len(gains):
            return len(without), False
        first = int(gains[0])
        self._put(start + first, places[first])
        return first + 1, True

    def _put(self, slot: int, place: Tensor) -> None:
        old, new = self.picks[slot].clone(), self._rows[place]
        self._left += self._values[slot] - self._row_values[place]
        self._outside[old], self._outside[new] = True, False
        self.picks[slot], self._values[slot] = new, self._row_values[place]
        self._open[place] = False
        self.value = float(self._missing.square().sum())
        self._exchanges += 1
