"""Methods that ask a warm-up head what it is unsure of: entropy, margin, least confidence, DeepFool, CAL, diversity.

The score functions take what the head says of every row, so that they can be checked, and used, without a pool.
"""

from functools import partial

import torch
from pydantic import Field
from torch import Tensor

from skmm_core.data import Given, Scaler, nothing_given, row_blocks
from skmm_core.device import generator
from skmm_core.methods.geometric import first_row
from skmm_core.methods.ranking import best
from skmm_core.methods.registry import Family, MethodParams, Need, Picks, register
from skmm_core.methods.spec import NoParams
from skmm_core.pool import Pool
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers import farthest_first

# What the methods of this family have in common; a registration below says what is its own.
_register = partial(
    register,
    family=Family.UNCERTAINTY,
    needs=frozenset({Need.SOME_CLASSES, Need.WARM_UP}),
    uses_labels=True,
    random=True,  # in the rows that train the head
    goes_on=True,
)


def _highest(pool: Pool, scores: Tensor, budget: int) -> Picks:
    found = {"warm_up_rows": float(len(pool.warm_up.rows))}
    return Picks(best(scores, budget, pool.given), scores=scores, objective=found)


@_register(
    key="entropy",
    title="Entropy",
    summary="Takes the points whose predicted class is most open; at small budgets these are look-alikes, often "
    "worse than random.",
    paper="Settles 2009, Active learning literature survey",
    url="https://minds.wisconsin.edu/handle/1793/60660",
    params=NoParams,
)
def entropy(pool: Pool, budget: int, params: NoParams, *, seed: int, report: Report) -> Picks:
    """Largest entropy -Σ p log p of the warm-up head first. O(N K) after the warm-up."""
    return _highest(pool, entropy_scores(pool.warm_up.log_probabilities), budget)


def entropy_scores(log_probabilities: Tensor) -> Tensor:
    """(N,) entropy in nats of (N, K) finite log-probabilities; a p that underflows adds 0, as it should."""
    return -(log_probabilities.exp() * log_probabilities).sum(dim=1)


@_register(
    key="margin",
    title="Margin",
    summary="Takes the points whose two likeliest classes are closest; at small budgets often worse than random.",
    paper="Scheffer, Decomain & Wrobel 2001, Active hidden Markov models for information extraction",
    url="https://doi.org/10.1007/3-540-44816-0_31",
    params=NoParams,
)
def margin(pool: Pool, budget: int, params: NoParams, *, seed: int, report: Report) -> Picks:
    """Smallest gap between the two largest probabilities first. O(N K) after the warm-up."""
    return _highest(pool, margin_scores(pool.warm_up.log_probabilities), budget)


def margin_scores(log_probabilities: Tensor) -> Tensor:
    """(N,) minus the gap between the two largest probabilities; -1 with a single class."""
    if log_probabilities.shape[1] == 1:
        return -torch.ones_like(log_probabilities[:, 0])
    largest = log_probabilities.topk(2, dim=1).values.exp()
    return largest[:, 1] - largest[:, 0]


@_register(
    key="least_confidence",
    title="Least confidence",
    summary="Takes the points whose likeliest class is least likely; at small budgets often worse than random.",
    paper="Lewis & Gale 1994, A sequential algorithm for training text classifiers",
    url="https://arxiv.org/abs/cmp-lg/9407020",
    params=NoParams,
)
def least_confidence(pool: Pool, budget: int, params: NoParams, *, seed: int, report: Report) -> Picks:
    """Largest 1 - max p first. O(N K) after the warm-up."""
    return _highest(pool, least_confidence_scores(pool.warm_up.log_probabilities), budget)


def least_confidence_scores(log_probabilities: Tensor) -> Tensor:
    """(N,) 1 - max p, with full digits also where p is almost 1."""
    return -torch.expm1(log_probabilities.amax(dim=1))


@_register(
    key="deepfool",
    title="DeepFool",
    summary="Takes the points nearest to the head's decision boundary; at small budgets often worse than random.",
    paper="Ducoffe & Precioso 2018, Adversarial active learning for deep networks: a margin based approach",
    url="https://arxiv.org/abs/1802.09841",
    params=NoParams,
)
def deepfool(pool: Pool, budget: int, params: NoParams, *, seed: int, report: Report) -> Picks:
    """Smallest distance to the decision boundary first, in standardised features. O(N K + K² d) after the warm-up."""
    return _highest(pool, deepfool_scores(pool.warm_up.logits, pool.warm_up.weights), budget)


def deepfool_scores(logits: Tensor, weights: Tensor) -> Tensor:
    """Minus the distance to the nearest decision boundary, min over k != y of |f_k - f_y| / ‖w_k - w_y‖.

    That is the smallest step that changes the predicted class y of a linear head, so DeepFool needs no iterations. A
    class with the same weights as y is never reached unless its logit is the same too.

    Args:
        logits: (N, K) f.
        weights: (d, K) w.

    Returns:
        (N,) scores; 0 with a single class.
    """
    if logits.shape[1] == 1:
        return torch.zeros_like(logits[:, 0])
    apart = torch.stack([(weights - column[:, None]).norm(dim=0) for column in weights.T])
    apart.clamp_min_(torch.finfo(apart.dtype).tiny ** 0.5)
    top, predicted = logits.max(dim=1)
    distance = (top[:, None] - logits) / apart[predicted]
    return -distance.scatter(1, predicted[:, None], torch.inf).amin(dim=1)


class CalParams(MethodParams):
    """Options of contrastive active learning."""

    neighbours: int = Field(10, ge=1, le=1000, description="Labelled points that each point is compared with.")


@_register(
    key="cal",
    title="CAL",
    summary="Takes the points that the head sees differently from their nearest labelled neighbours; at small budgets "
    "often worse than random.",
    paper="Margatina et al. 2021, Active learning by acquiring contrastive examples (EMNLP)",
    url="https://arxiv.org/abs/2109.03764",
    params=CalParams,
)
def cal(pool: Pool, budget: int, params: CalParams, *, seed: int, report: Report) -> Picks:
    """Largest mean KL(p of a neighbour ‖ p) first; the labelled points are the w warm-up rows. O(N w d)."""
    warm_up = pool.warm_up
    scores = cal_scores(
        pool.features,
        pool.scaler,
        warm_up.log_probabilities,
        labelled=warm_up.rows,
        neighbours=params.neighbours,
        report=report,
    )
    return _highest(pool, scores, budget)


def cal_scores(
    features: Tensor,
    scaler: Scaler,
    log_probabilities: Tensor,
    *,
    labelled: Tensor,
    neighbours: int,
    report: Report = ignore,
) -> Tensor:
    """Mean Kullback-Leibler divergence from the predictions of the nearest labelled rows to a row's own.

    Distances are Euclidean in standardised features. A labelled row is not its own neighbour.

    Args:
        features: (N, d) rows.
        scaler: of the pool.
        log_probabilities: (N, K), finite.
        labelled: (w,) int64 rows.
        neighbours: labelled rows to compare with, at most as many as there are.
        report: told of the blocks.

    Returns:
        (N,) scores; 0 where there is no other labelled row.
    """
    count = min(neighbours, len(labelled))
    anchors, answers = scaler(features[labelled]).to(features), log_probabilities[labelled]
    negentropy, norms = (answers.exp() * answers).sum(dim=1), anchors.square().sum(dim=1)
    scores, done = [], 0
    width = max(features.shape[1], len(labelled), count * answers.shape[1])
    for block in row_blocks(features, width):
        own = torch.arange(done, done + len(block), device=features.device)
        distance = norms - 2 * (scaler(block).to(features) @ anchors.T)  # without ‖x‖², the same for all labelled rows
        distance.masked_fill_(labelled == own[:, None], torch.inf)
        near = distance.topk(count, dim=1, largest=False)
        share = near.values.isfinite().to(answers)  # of every neighbour; itself counts for nothing
        share /= share.sum(dim=1, keepdim=True).clamp_min(1)
        mixture = (share[:, :, None] * answers.exp()[near.indices]).sum(dim=1)
        cross = (mixture * log_probabilities[own]).sum(dim=1)
        scores.append((share * negentropy[near.indices]).sum(dim=1) - cross)
        done += len(block)
        report(Progress("Comparing neighbours", done, len(features)))
    return torch.cat(scores).clamp_min(0)


@_register(
    key="contextual_diversity",
    title="Contextual diversity",
    summary="Adds the point whose predicted probabilities differ most from those of all chosen ones.",
    paper="Agarwal et al. 2020, Contextual diversity for active learning (ECCV)",
    url="https://arxiv.org/abs/2008.05723",
    params=NoParams,
)
def contextual_diversity(pool: Pool, budget: int, params: NoParams, *, seed: int, report: Report) -> Picks:
    """Greedy k-center on the symmetric KL divergence of predictions, from a random first point. O(N K) a pick."""
    first = first_row(pool, generator(seed, "contextual_diversity:first"))
    said = pool.warm_up.log_probabilities
    picks = diverse_predictions(said, budget, first=first, given=pool.given, report=report)
    return Picks(picks, objective={"warm_up_rows": float(len(pool.warm_up.rows))})


def diverse_predictions(
    log_probabilities: Tensor, budget: int, *, first: int, given: Given | None = None, report: Report = ignore
) -> Tensor:
    """Add, one at a time, the row farthest from its nearest chosen row in ½ KL(p‖q) + ½ KL(q‖p).

    The divergence is ½ Σ (p - q)(log p - log q). The logarithms come from the logits and are finite, so a probability
    that underflows to 0 gives a large number and never NaN. One running minimum: O(N) memory.

    Args:
        log_probabilities: (N, K), finite.
        budget: rows to pick, 1..N.
        first: row to start from.
        given: rows that are in by hand, picked before any other, and rows that may be picked.
        report: told of every pick.

    Returns:
        (budget,) int64 rows in the order picked; ties go to the lower row.
    """
    probabilities = log_probabilities.exp()
    negentropy = (probabilities * log_probabilities).sum(dim=1)

    def divergences(chosen: Tensor, among: Tensor | slice) -> Tensor:
        cross = probabilities[among] @ log_probabilities[chosen].T + log_probabilities[among] @ probabilities[chosen].T
        return (negentropy[among][:, None] + negentropy[chosen] - cross).mul_(0.5)

    given = given or nothing_given(len(negentropy), negentropy.device)
    scale = log_probabilities.abs().amax()
    return farthest_first(divergences, budget, first=first, scale=scale, given=given, report=report)
