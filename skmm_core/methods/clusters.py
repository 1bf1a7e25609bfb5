"""Clusters of a pool by k-means, and rows taken from them in turn."""

import warnings
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from skmm_core.data import Given, nothing_given
from skmm_core.device import generator
from skmm_core.progress import Progress, Report, ignore

# mini-batches of 5,000 rows above 50 clusters, as in TypiClust's own code
_FEW_CLUSTERS, _BATCH_ROWS = 50, 5_000


def k_means(rows: Tensor, count: int, seed: int, purpose: str) -> Tensor:
    """Cluster rows, started by k-means++ and in mini-batches where there are more than 50 clusters.

    Args:
        rows: (N, d).
        count: number of clusters, 1..N.
        seed: of the run.
        purpose: names what is random here, such as "typiclust:clusters".

    Returns:
        (N,) int64 clusters; some stay empty when rows are equal.
    """
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning

    random = int(torch.randint(2**31, (1,), generator=generator(seed, purpose)))
    if count <= _FEW_CLUSTERS:
        model = KMeans(count, random_state=random)
    else:
        model = MiniBatchKMeans(count, batch_size=_BATCH_ROWS, random_state=random)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different rows than clusters
        found = model.fit_predict(rows.cpu().numpy())
    return torch.as_tensor(found, dtype=torch.int64, device=rows.device)


def take_in_turn(
    clusters: Tensor,
    budget: int,
    rank: Callable[[Tensor], Tensor],
    *,
    smallest: int = 1,
    given: Given | None = None,
    report: Report = ignore,
) -> Tensor:
    """Take, one at a time, the best free row of the largest cluster among those with the fewest chosen rows.

    Args:
        clusters: (N,) int64.
        budget: number of rows to pick, 1..N.
        rank: puts the (M,) int64 rows of a cluster in order, best first.
        smallest: clusters of fewer rows wait until the others have no free row left.
        given: rows that are in by hand, which count for their clusters, and rows that may be picked.
        report: told of every pick.

    Returns:
        (budget,) int64 rows in the order picked; ties go to the lower cluster.
    """
    given = given or nothing_given(len(clusters), clusters.device)
    sizes = clusters.bincount().cpu().numpy()
    chosen = clusters[given.start].bincount(minlength=len(sizes)).cpu().numpy()
    left = clusters[given.free].bincount(minlength=len(sizes)).cpu().numpy()
    queues: dict[int, list[int]] = {}
    picks = given.start.tolist()
    while len(picks) < budget:
        # the last key counts most
        order = np.lexsort((-sizes, chosen, sizes < smallest, left == 0))
        cluster = int(order[0])
        if cluster not in queues:
            ranked = rank((clusters == cluster).nonzero().squeeze(1))
            queues[cluster] = ranked[given.free[ranked]].tolist()
        picks.append(queues[cluster].pop(0))
        chosen[cluster] += 1
        left[cluster] -= 1
        report(Progress("Picking points", len(picks), budget))
    return torch.tensor(picks, dtype=torch.int64, device=clusters.device)
