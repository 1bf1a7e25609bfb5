"""From tidy rows of scores to draws: the scores of every method at every budget, seed by seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmm_core.comparison.draws import Draws

SCORE_COLUMNS = ["dataset", "method", "budget", "seed", "metric", "value", "seconds", "split"]
# Later ones, empty where all seeds share the pool, as they all did in earlier versions. `pool`: rows that the seed
# picks from / rows of the pool / parts that it was cut into. `left_out`: the score without each block of test rows.
DRAW_COLUMNS = ["pool", "left_out"]
# Later still. `learner`: what was trained on the selection. `settled`: the learner that auto chose, else empty.
LEARNER_COLUMNS = ["learner", "settled"]


@dataclass(frozen=True)
class PoolPart:
    """What a seed picks from: so many rows of the pool's, which was cut into so many parts."""

    rows: int
    pool_size: int
    parts: int

    def __str__(self) -> str:
        return f"{self.rows}/{self.pool_size}/{self.parts}"

    @classmethod
    def read(cls, text: str) -> "PoolPart":
        """From the column `pool`."""
        return cls(*map(int, text.split("/")))


class ScoreTable:
    """The scores of one metric by method and budget.

    A cell with a score that is no number is left out: without its failed draw its mean would flatter it.

    Args:
        scores: tidy rows of one learner, columns SCORE_COLUMNS and, unless all seeds share the pool, DRAW_COLUMNS.
        metric: key of the score.

    Raises:
        ValueError: scores of several learners, whose means would be of no learner at all.
    """

    def __init__(self, scores: pd.DataFrame, metric: str) -> None:
        if "learner" in scores and scores["learner"].nunique() > 1:
            raise ValueError("scores of several learners; give those of one (under_learner)")
        rows = scores[scores["metric"] == metric]
        self._cells: dict[tuple[str, int], Draws] = {
            (str(method), int(str(budget))): _draws(group)
            for (method, budget), group in rows.groupby(["method", "budget"])
            if group["value"].notna().all()
        }

    @property
    def budgets(self) -> list[int]:
        """All budgets, ascending."""
        return sorted({budget for _, budget in self._cells})

    def budgets_of(self, method: str) -> list[int]:
        """Budgets of a method, ascending."""
        return sorted(budget for key, budget in self._cells if key == method)

    def get(self, method: str, budget: int) -> Draws | None:
        """Scores of one cell; None where there are none."""
        return self._cells.get((method, budget))

    def curve(self, method: str, budgets: Sequence[int], seeds: NDArray[np.int64]) -> Draws:
        """Scores of a method at several budgets, over seeds that have all of them."""
        cells = [self._cells[method, budget].on(seeds) for budget in budgets]
        left = [cell.left_out for cell in cells if cell.left_out is not None]
        return Draws(
            np.concatenate([cell.values for cell in cells], axis=1),
            seeds,
            np.concatenate([cell.parts for cell in cells]),
            np.concatenate(left, axis=2) if len(left) == len(cells) else None,
            cells[0].strata,
        )

    def seeds(self, method: str, budgets: Sequence[int]) -> NDArray[np.int64]:
        """Seeds that have all of these budgets, ascending."""
        found = self._cells[method, budgets[0]].seeds
        for budget in budgets[1:]:
            found = np.intersect1d(found, self._cells[method, budget].seeds)
        return found


def under_learner(scores: pd.DataFrame, learner: str) -> pd.DataFrame:
    """The rows of one learner."""
    return scores[scores["learner"] == learner]


def _draws(rows: pd.DataFrame) -> Draws:
    rows = rows.drop_duplicates("seed").sort_values("seed")
    pools = set(rows["pool"]) if "pool" in rows else {""}
    parts = 1 if "" in pools else PoolPart.read(str(next(iter(pools)))).parts
    return Draws(
        values=rows["value"].to_numpy(dtype=np.float64)[:, None],
        seeds=rows["seed"].to_numpy(dtype=np.int64),
        parts=np.array([parts]),
        left_out=_left_out(rows),
        strata=np.unique(rows["dataset"], return_inverse=True)[1] if "dataset" in rows else None,
    )


def _left_out(rows: pd.DataFrame) -> NDArray[np.float64] | None:
    """(S, B, 1) scores without each block of test rows; None where a seed lacks them."""
    lists = [[float(word) for word in str(text).split()] for text in rows["left_out"]] if "left_out" in rows else [[]]
    sizes = {len(each) for each in lists}
    return np.array(lists)[:, :, None] if len(sizes) == 1 and 0 not in sizes else None
