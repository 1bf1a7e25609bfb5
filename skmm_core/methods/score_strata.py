"""Coverage-centric selection (CCS): leave out the hardest points, and draw evenly from all degrees of difficulty."""

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Tensor

from skmm_core.data import Given
from skmm_core.device import generator
from skmm_core.methods.ranking import ranked
from skmm_core.methods.registry import Family, MethodParams, Need, Picks, register
from skmm_core.methods.stratify import interleaved
from skmm_core.pool import Pool
from skmm_core.progress import Progress, Report


class CcsParams(MethodParams):
    """Options of coverage-centric selection."""

    prune: float = Field(
        0.3, ge=0, lt=1, description="Share β of the pool, the hardest points, that is left out; many are mislabelled."
    )
    strata: int = Field(50, ge=1, le=10_000, description="Stretches of equal width that the scores are cut into.")


@register(
    key="ccs",
    title="Coverage-centric selection",
    family=Family.TRAINING,
    summary="Leaves out the points that are hardest to learn, and draws evenly from easy to hard among the others.",
    paper="Zheng, Liu, Lai & Prakash 2023, Coverage-centric coreset selection for high pruning rates (ICLR)",
    url="https://arxiv.org/abs/2210.15809",
    params=CcsParams,
    needs=frozenset({Need.CLASSES, Need.DYNAMICS}),
    uses_labels=True,
    random=True,
    goes_on=True,
)
def ccs(pool: Pool, budget: int, params: CcsParams, *, seed: int, report: Report) -> Picks:
    """Draw from strata of the area under the margin, as evenly as their rows allow. O(N log N) after the dynamics.

    The draw is without replacement, by one random number a row, so that a row that enters a stratum changes the draw
    from it by no more than itself.
    """
    report(Progress("Drawing points", 0, 1))
    margin, given = pool.dynamics.margin.cpu(), Given(pool.given.start.cpu(), pool.given.free.cpu())
    hard = hardest(margin, params.prune)
    open_rows = left_open(margin, hard, given, budget - len(given.start))
    strata = cut(margin, ~hard | open_rows, params.strata)
    sizes, held = (strata[rows].bincount(minlength=params.strata).tolist() for rows in (open_rows, given.start))
    quotas = [quota - have for quota, have in zip(even_quotas(sizes, budget, held=held), held, strict=True)]
    keys = torch.rand(pool.size, generator=generator(seed, "ccs:strata"), dtype=torch.float64)
    rows = keys.argsort()
    rows = rows[open_rows[rows]]
    rows = rows[strata[rows].sort(stable=True).indices]
    drawn = [part[:quota] for part, quota in zip(rows.split(sizes), quotas, strict=True)]
    picks = torch.cat([given.start, torch.cat(drawn)[interleaved(quotas)]]) if sum(quotas) else given.start
    return Picks(picks, scores=margin)


def hardest(margin: Tensor, share: float) -> Tensor:
    """(N,) bool on the CPU: the ⌊share · N⌋ rows with the smallest margins, ties to the lower row."""
    found = torch.zeros(len(margin), dtype=torch.bool)
    found[ranked(-margin)[: int(share * len(margin))]] = True
    return found


def left_open(margin: Tensor, hard: Tensor, given: Given, needed: int) -> Tensor:
    """(N,) bool: rows that may be chosen and are not hard; where these are too few, the easiest hard ones too.

    All on the CPU.

    Args:
        margin: (N,) the smaller, the harder.
        hard: (N,) bool, rows to leave out.
        given: rows that may be picked.
        needed: number of rows still to pick, at most those that may be.
    """
    found = given.free & ~hard
    order = ranked(-margin).flip(0)  # so that of equal rows those go first that are left out last
    order = order[(given.free & hard)[order]]
    found[order[: max(0, needed - int(found.sum()))]] = True
    return found


def cut(scores: Tensor, counted: Tensor, strata: int) -> Tensor:
    """(N,) int64 stratum of every row: stretches of equal width from the least to the largest of the scores counted.

    The largest belongs to the last stratum, and so does all above it; what lies below the least belongs to the first.
    """
    exact = scores.double()
    least, most = exact[counted].aminmax() if bool(counted.any()) else exact.aminmax()
    width = float(most - least) or 1.0
    return ((exact - least) * (strata / width)).floor().clamp(0, strata - 1).long()


def even_quotas(sizes: Sequence[int], budget: int, *, held: Sequence[int]) -> list[int]:
    """As many points of every stratum, as far as its rows go; what remains goes to the largest strata, one point each.

    Without points held it is what the authors' loop over strata in the order of their sizes gives: each gets its rows,
    or an even share of the budget that is left. Equal sizes count in the order of the strata.

    Args:
        sizes: rows of every stratum that may be picked.
        budget: what the quotas add up to; Σ held <= budget <= Σ held + Σ sizes.
        held: points of a stratum that are in by hand.
    """
    most = [size + have for size, have in zip(sizes, held, strict=True)]

    def filled(level: int) -> list[int]:
        return [min(max(level, have), top) for have, top in zip(held, most, strict=True)]

    low, high = 0, max(most)
    while low < high:  # the highest level that the budget pays for
        middle = (low + high + 1) // 2
        low, high = (middle, high) if sum(filled(middle)) <= budget else (low, middle - 1)
    quotas, more = filled(low), filled(low + 1)
    by_size = sorted(range(len(sizes)), key=lambda stratum: most[stratum])
    rising = [stratum for stratum in by_size if more[stratum] > quotas[stratum]]
    for stratum in rising[len(rising) - (budget - sum(quotas)) :]:
        quotas[stratum] += 1
    return quotas
