"""BADGE: k-means++ on the gradients that the head would have if its own predictions were the labels.

The gradient embedding of a row is (p - 1[argmax p]) ⊗ x, K · d numbers that are never built: squared distances are
‖e‖²‖x‖² + ‖e'‖²‖x'‖² - 2 (e·e')(x·x').
"""

import torch
from torch import Tensor

from skmm_core.data import Given, Scaler, nothing_given
from skmm_core.device import generator, widest
from skmm_core.methods.registry import Family, Need, Picks, register
from skmm_core.methods.spec import NoParams
from skmm_core.pool import Pool
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers import draw_rows

_BLOCK_ELEMENTS = 200_000  # of rows widened at a time, 1.6 MB
_ROUNDING = 64  # ε of the smaller norm that a distance must exceed


@register(
    key="badge",
    title="BADGE",
    family=Family.UNCERTAINTY,
    summary="Draws points whose gradients, at the classes that a head predicts, are large and unlike each other.",
    paper="Ash et al. 2020, Deep batch active learning by diverse, uncertain gradient lower bounds (ICLR)",
    url="https://arxiv.org/abs/1906.03671",
    params=NoParams,
    needs=frozenset({Need.SOME_CLASSES, Need.WARM_UP}),
    uses_labels=True,
    random=True,
    goes_on=True,
)
def _badge(pool: Pool, budget: int, params: NoParams, *, seed: int, report: Report) -> Picks:
    embeddings = GradientEmbeddings(pool.features, pool.scaler, pool.warm_up.probabilities)
    picks = k_means_plus_plus(embeddings, budget, generator(seed, "badge"), given=pool.given, report=report)
    scores = embeddings.squared_norms.sqrt().to(pool.features)
    return Picks(picks, scores=scores, objective={"warm_up_rows": float(len(pool.warm_up.rows))})


class GradientEmbeddings:
    """Gradients of the weights of a head on standardised columns at its own predictions, as factors.

    Beyond the features it keeps (N, K) errors and O(N) numbers.

    Attributes:
        errors: (N, K) e = p - 1[argmax p].
        squared_norms: (N,) ‖e‖²‖x‖².
    """

    def __init__(self, features: Tensor, scaler: Scaler, probabilities: Tensor) -> None:
        """Factorise.

        Args:
            features: (N, d) rows as they come; x is made of them a block at a time.
            scaler: of the pool.
            probabilities: (N, K) of the head.
        """
        self._features, self._scaler = features, scaler
        top = probabilities.argmax(dim=1, keepdim=True)
        self.errors = probabilities.scatter_add(1, top, -torch.ones_like(probabilities[:, :1]))
        lengths = torch.cat([scaler(block).square_().sum(dim=1) for block in self._blocks()])
        self.squared_norms = torch.linalg.vector_norm(self.errors, dim=1).square_() * lengths

    def _blocks(self) -> tuple[Tensor, ...]:
        blocks: tuple[Tensor, ...] = self._features.split(max(1, _BLOCK_ELEMENTS // self._features.shape[1]))
        return blocks

    def squared_distances(self, row: Tensor) -> Tensor:
        """(N,) squared distances of all embeddings to that of one row, 0 to its duplicates. O(N (d + K))."""
        x = self._scaler(self._features[row])
        products = torch.cat([self._scaler(block) @ x for block in self._blocks()])
        products *= self.errors @ self.errors[row]
        norms, own = self.squared_norms, self.squared_norms[row]
        squared = norms + own - 2 * products
        nothing = _ROUNDING * torch.finfo(squared.dtype).eps * torch.minimum(norms, own)
        found: Tensor = squared.masked_fill_(squared <= nothing, 0)
        return found


def k_means_plus_plus(
    embeddings: GradientEmbeddings,
    budget: int,
    draw: torch.Generator,
    *,
    given: Given | None = None,
    report: Report = ignore,
) -> Tensor:
    """Draw rows one at a time in proportion to their squared distance to the nearest row drawn before.

    The seeding of k-means++ (Arthur & Vassilvitskii, 2007): the first row is any, with equal chances. So are rows once
    all that are left equal a row drawn before. O(N (d + K)) a pick, O(N) memory.

    Args:
        embeddings: of N rows.
        budget: number of rows to draw, 1..N.
        draw: on the CPU; one uniform number a pick.
        given: rows that are in by hand, which count as drawn, and rows that may be drawn.
        report: told of every pick.

    Returns:
        (budget,) int64 distinct rows in the order drawn.
    """
    norms = embeddings.squared_norms
    given = given or nothing_given(len(norms), norms.device)
    free = given.free.clone()
    nearest = torch.full_like(norms, torch.inf, dtype=widest(norms.device))
    picks = torch.empty(budget, dtype=torch.int64, device=norms.device)
    for t in range(budget):
        if t < len(given.start):
            pick = given.start[t]
        else:
            chances = nearest.masked_fill(~free, 0)
            useful = bool(chances.any()) and t > 0
            pick = draw_rows(chances if useful else free.to(nearest), 1, draw)[0]
        picks[t], free[pick] = pick, False
        torch.minimum(nearest, embeddings.squared_distances(pick), out=nearest)
        report(Progress("Picking points", t + 1, budget))
    return picks
