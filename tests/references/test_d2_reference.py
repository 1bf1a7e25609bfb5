"""D2 pruning against a slow version written from the paper."""

import numpy as np
import pytest
import torch

from skmm_core.methods.registry import select
from skmm_core.pool.making import make_pool
from tests.references.pools import assert_greedy, every_pool, unit
from tests.references.test_labelled_rivals_reference import BUDGET, pool_in_order, quotas_of


def slow_graph(x, neighbours):
    """(N, N) squared distances and which pairs are linked, rows as near as the last neighbour by place."""
    squares = ((x[:, None] - x[None]) ** 2).sum(axis=2)
    linked = np.zeros(squares.shape, dtype=bool)
    for i in range(len(x)):
        order = sorted((j for j in range(len(x)) if j != i), key=lambda j: squares[i, j])
        linked[i, order[:neighbours]] = True
    return squares, linked | linked.T


@every_pool
@pytest.mark.parametrize(("neighbours", "forward", "reverse", "prune"), [(5, 1.0, 0.1, 0.4), (2, 3.0, 5.0, 0.0)])
def test_d2_passes_scores_forward_and_takes_them_back_from_neighbours(pool, neighbours, forward, reverse, prune):
    """Within a class, every pick has the largest score of the rows left, from the definition, up to rounding."""
    if pool.name.startswith(("ties", "duplicates")):
        pytest.skip("of rows at equal distance any may be the last neighbour; see the test below")
    made = pool_in_order(pool)
    params = {"neighbours": neighbours, "forward": forward, "reverse": reverse, "prune": prune}
    found = select(made, "d2", BUDGET, params=params)
    x, classes = unit(made.features.double().numpy()), made.targets.numpy()
    margin, forgotten = made.dynamics.margin.double().numpy(), made.dynamics.forgetting.double().numpy()
    order = sorted(range(made.size), key=lambda i: (round(margin[i], 12 if pool.epsilon < 1e-10 else 6), i))
    hard = np.isin(np.arange(made.size), order[: int(prune * made.size)])
    for rows, quota in quotas_of(classes, BUDGET):
        soft = [row for row in rows if not hard[row]]
        spare = [row for row in reversed(order) if row in rows and hard[row]]
        nodes = np.array(sorted(soft + spare[: max(0, quota - len(soft))]))
        squares, linked = slow_graph(x[nodes], neighbours)
        begun = forgotten[nodes] + np.where(linked, np.exp(-forward * squares), 0) @ forgotten[nodes]
        picks = [int(np.flatnonzero(nodes == row)[0]) for row in found.indices.tolist() if row in rows]
        assert len(picks) == quota
        np.testing.assert_allclose(found.scores.double().numpy()[nodes], begun, rtol=1e-5, atol=1e-5)

        def costs(before, begun=begun, linked=linked, squares=squares):
            left = begun.copy()
            for pick in before:
                left[linked[pick]] -= np.exp(-reverse * squares[pick, linked[pick]]) * left[pick]
            return -left

        assert_greedy(picks, costs, lambda before, begun=begun: 1e-5 * begun.max())


def test_d2_on_duplicates_is_a_full_selection_that_their_order_does_not_change():
    rng = np.random.default_rng(3)
    rows, targets = torch.tensor(rng.normal(size=(10, 4))).repeat(8, 1), (torch.arange(10) % 2).repeat(8)
    order = torch.tensor(rng.permutation(80))
    one = select(rows, "d2", 20, targets=targets, device="cpu").indices
    two = select(rows[order], "d2", 20, targets=targets[order], device="cpu").indices
    assert torch.equal(rows[one], rows[order][two])
    assert len(one.unique()) == 20


def test_points_in_by_hand_take_from_their_neighbours_first():
    """Two clusters of one class: with a point of the harder one in, the next pick is from the other."""
    rng = np.random.default_rng(4)
    rows = np.concatenate([[1, 0] + 0.01 * rng.normal(size=(6, 2)), [0, 1] + 0.01 * rng.normal(size=(6, 2))])
    targets = torch.zeros(12, dtype=torch.int64)
    pool = make_pool(torch.tensor(rows), targets=targets, device="cpu")
    vars(pool.ordered)["dynamics"] = pool.ordered.dynamics
    dynamics = pool.ordered.dynamics
    hard_first = torch.where(pool.order < 6, 2.0, 1.5).double()
    vars(pool.ordered)["dynamics"] = type(dynamics)(
        dynamics.el2n, dynamics.grand, hard_first, dynamics.margin, dynamics.epochs
    )
    plain = select(pool, "d2", 2, params={"prune": 0.0}).indices.tolist()
    assert plain[0] < 6 <= plain[1]
    started = select(pool, "d2", 2, params={"prune": 0.0}, include=[2]).indices.tolist()
    assert started[0] == 2
    assert started[1] >= 6
