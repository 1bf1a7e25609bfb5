"""k-means medoids, and DropQuery: the medoids of points whose predicted class dropout changes."""

import torch
from pydantic import Field
from torch import Tensor

from skmm_core.data import Given, row_blocks
from skmm_core.device import generator, with_more_digits
from skmm_core.gradients import WarmUp
from skmm_core.methods.clusters import k_means, take_in_turn
from skmm_core.methods.ranking import ranked
from skmm_core.methods.registry import Family, MethodParams, Need, Picks, register
from skmm_core.methods.spec import NoParams
from skmm_core.pool import Pool
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers import rows_about_middle, unit_rows


@register(
    key="kmeans_medoids",
    title="k-means medoids",
    family=Family.GEOMETRIC,
    summary="Makes as many clusters as points to pick, and takes the point nearest to the middle of each.",
    paper="Zhdanov 2019, Diverse mini-batch active learning, without its weights",
    url="https://arxiv.org/abs/1901.05954",
    params=NoParams,
    random=True,
    goes_on=True,
)
def _kmeans_medoids(pool: Pool, budget: int, params: NoParams, *, seed: int, report: Report) -> Picks:
    rows = unit_rows(with_more_digits(pool.features))
    return Picks(medoids(rows, budget, seed, "kmeans_medoids:clusters", given=pool.given, report=report))


def medoids(
    rows: Tensor, budget: int, seed: int, purpose: str, *, given: Given | None = None, report: Report = ignore
) -> Tensor:
    """As many k-means clusters as rows to pick, and of each the row nearest to the mean, largest cluster first.

    Where clusters stay empty, as among equal rows, others give their next nearest rows; see :func:`take_in_turn`.

    Args:
        rows: (N, d).
        budget: number of rows to pick, 1..N.
        seed: of the run.
        purpose: names what is random here.
        given: rows that are in by hand, which count for their clusters, and rows that may be picked.
        report: told of the clustering and of every pick.

    Returns:
        (budget,) int64 rows in the order picked; ties go to the lower row and cluster.
    """
    report(Progress("Clustering", 0, 1))
    clusters = k_means(rows, budget, seed, purpose)
    report(Progress("Clustering", 1, 1))

    def rank(members: Tensor) -> Tensor:
        own = rows[members]
        apart = (own - own.mean(dim=0)).square().sum(dim=1)
        return members[ranked(-apart).to(members.device)]

    return take_in_turn(clusters, budget, rank, given=given, report=report)


class DropQueryParams(MethodParams):
    """Options of DropQuery."""

    passes: int = Field(3, ge=1, le=101, description="Predictions with columns dropped at random, M.")
    dropout: float = Field(0.75, gt=0, lt=1, description="Chance of a column to be dropped.")


@register(
    key="dropquery",
    title="DropQuery",
    family=Family.UNCERTAINTY,
    summary="Clusters the points whose predicted class changes when columns are dropped at random; takes the middles.",
    paper="Gupte et al. 2024, Revisiting active learning in the era of vision foundation models (TMLR)",
    url="https://arxiv.org/abs/2401.14555",
    params=DropQueryParams,
    needs=frozenset({Need.SOME_CLASSES, Need.WARM_UP}),
    uses_labels=True,
    random=True,
    goes_on=True,
)
def _dropquery(pool: Pool, budget: int, params: DropQueryParams, *, seed: int, report: Report) -> Picks:
    draw = generator(seed, "dropquery:masks")
    changes = changed_predictions(pool, pool.warm_up, params.passes, params.dropout, draw, report=report)
    start, rest = pool.given.start, budget - len(pool.given.start)
    if not rest:
        return Picks(start)
    doubtful = doubtful_rows(changes, params.passes, rest, pool.given.free)
    rows = rows_about_middle(with_more_digits(pool.features[doubtful]))
    picks = doubtful[medoids(rows, rest, seed, "dropquery:clusters", report=report)]
    found = {"changed_rows": float((2 * changes > params.passes).sum()), "warm_up_rows": float(len(pool.warm_up.rows))}
    return Picks(torch.cat([start, picks]), scores=(changes / params.passes).to(pool.features), objective=found)


def changed_predictions(
    pool: Pool, head: WarmUp, passes: int, dropout: float, draw: torch.Generator, *, report: Report = ignore
) -> Tensor:
    """Passes in which a row's predicted class is another one than without dropout: (N,) int64.

    In every pass each standardised column of each row is 0 with the chance `dropout`, and divided by 1 - dropout
    otherwise. Masks are drawn pass by pass and row by row. O(N d K) a pass, a block at a time.
    """
    rows, weights = pool.features, head.weights
    bias = head.logits[0] - pool.scaler(rows[:1])[0] @ weights
    plain = head.logits.argmax(dim=1)
    changes = torch.zeros_like(plain)
    blocks = row_blocks(rows, rows.shape[1])
    for step in range(passes):
        done = 0
        for block in blocks:
            kept = torch.rand(block.shape, generator=draw) >= dropout
            dropped = pool.scaler(block) * kept.to(rows.device) / (1 - dropout)
            place = slice(done, done + len(block))
            changes[place] += (dropped @ weights + bias).argmax(dim=1) != plain[place]
            done += len(block)
        report(Progress("Dropping columns", step + 1, passes))
    return changes


def doubtful_rows(changes: Tensor, passes: int, least: int, free: Tensor) -> Tensor:
    """Free rows whose prediction changed in more than half of the passes, ascending, int64.

    Where these are fewer than `least`, the bar is lowered pass by pass until they are enough.
    """
    bar = passes // 2 + 1
    while int((free & (changes >= bar)).sum()) < least:
        bar -= 1
    return (free & (changes >= bar)).nonzero().squeeze(1)
