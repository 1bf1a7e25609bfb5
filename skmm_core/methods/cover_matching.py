"""Cover the pool and match its moments of all orders at once, on gradients in which strong directions are toned down.

Matching alone leaves small groups without a point, since few points weigh little in a mean; covering alone counts a
crowd as little more than a straggler. With few points either may be far behind. The sum of both objectives was near the
better one on the data sets that constants were chosen on; assets/docs/evidence.md says where other methods are ahead.
"""

from typing import Literal

from pydantic import Field

from skmm_core.data import in_one_unit
from skmm_core.methods.kernel_matching import aim_at_pool
from skmm_core.methods.registry import Family, Picks, Status, register
from skmm_core.methods.submodular import reference_rows
from skmm_core.methods.whitened_matching import POWER, RANK, SCALE, SkmmWhitenedParams, whitened_kernel
from skmm_core.pool import Pool, matched_rows
from skmm_core.progress import Report
from skmm_core.solvers import (
    CoverAim,
    exchange_cover_mmd,
    greedy_cover_mmd,
)

SCALED_ALIKE = "Columns were brought to equal spread, since they hardly share a unit."
_SCALING = (
    "auto: columns of equal spread for tables of at most 50 columns in mixed units, other rows as they are; none: as "
    "they are."
)


class SkmmCoverParams(SkmmWhitenedParams):
    """Options of covering and matching: those of whitened matching, with constants of its own."""

    scaling: Literal["auto", "none"] = Field("auto", description=_SCALING)
    power: float = Field(0.15, ge=0, le=1, description=POWER)
    rank: int = Field(128, ge=1, le=2048, description=RANK)
    scale: float = Field(0.1, gt=0, le=100, description=SCALE)


@register(
    key="skmm_cover",
    title="SkMM cover",
    family=Family.MOMENT_MATCHING,
    summary="Picks points that match the pool's moments of all orders and leave no part of it without a near point.",
    paper="Chen, Welling & Smola 2010, Super-samples from kernel herding; coverage of Bae et al. 2024, exchange added",
    url="https://arxiv.org/abs/1203.3472",
    params=SkmmCoverParams,
    recommended=True,
    goes_on=True,
    beyond_memory=True,
)
def skmm_cover(pool: Pool, budget: int, params: SkmmCoverParams, *, seed: int, report: Report) -> Picks:
    """Maximise coverage minus squared MMD under a Gaussian kernel on partly whitened rows of unit length.

    Tables in mixed units are brought to one first, see :func:`~skmm_core.data.in_one_unit`.
    Rows are centred, turned into their `rank` leading principal directions, scaled by (λ + 0.1 mean λ)^(-power/2) each,
    and brought to unit length. Coverage is a mean over all rows up to 10,000, else over 10,000 fixed random ones.
    O(N · min(N, 10,000) · rank) at the start, O(N · rank) and the rows whose nearest chosen point changes a pick. What
    it draws (pairs for the median, reference rows of large pools) does not depend on the seed.
    """
    given = matched_rows(pool, params.space)
    rows = in_one_unit(given) if params.scaling == "auto" else given
    ones = rows.new_ones(len(rows))
    drawn = pool.some_drawn
    whole = aim_at_pool(pool, params, lambda: whitened_kernel(rows, params, drawn), ones, seed=0, report=report)
    aim = CoverAim(whole.kernel, whole.mean, reference_rows(pool))
    picks = greedy_cover_mmd(aim, budget, given=pool.given, report=report)
    greedy = aim.value(picks)
    picks, converged = exchange_cover_mmd(aim, picks, sweeps=params.exchanges, given=pool.given, report=report)
    ordered = greedy_cover_mmd(aim, budget, candidates=picks.sort().values, given=pool.given, report=report)
    return Picks(
        ordered,
        scores=whole.mean,
        status=Status.CONVERGED if converged else Status.MAX_SWEEPS,
        objective={"greedy": greedy, "rounded": aim.value(ordered)},
        seconds_saved=whole.seconds_saved,
        remarks=() if rows is given else (SCALED_ALIKE,),
    )
