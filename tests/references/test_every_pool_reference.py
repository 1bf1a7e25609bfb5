"""Every method against its definition in NumPy, on pools of every type, unit and shape that people have."""

import numpy as np
import pytest
import torch

from skmm_core.config import SketchParams
from skmm_core.device import generator
from skmm_core.methods import kernel_matching
from skmm_core.methods.clusters import k_means
from skmm_core.methods.registry import list_methods, select
from skmm_core.methods.sampling import leverage_scores, ridge_leverage_scores
from skmm_core.pool.content_order import content_order
from skmm_core.pool.making import make_pool
from skmm_core.solvers.kernels import unit_rows
from tests.references.pools import NamedPool, assert_greedy, every_pool, unit
from tests.references.test_sampling_reference import brute_adaptive

UNSKETCHED = SketchParams(kind="none")
DOUBLE = float(np.finfo(np.float64).eps)
BUDGET = 8


def picks_of(pool: NamedPool, method: str, budget: int = BUDGET, **given):
    return select(pool.tensor, method, budget, sketch=UNSKETCHED, device="cpu", **given)


def singular(pool: NamedPool):
    """Left singular vectors and values of the directions that are more than rounding."""
    left, values, _ = np.linalg.svd(pool.exact, full_matrices=False)
    return left[:, : pool.rank], values[: pool.rank]


def direction_rounding(pool: NamedPool) -> float:
    """How far a squared coordinate on a singular vector may be off.

    The result is rounded to the type of the pool. Directions turn by the rounding of the decomposition over their
    singular value: 30 ε of float64 times the condition. Rows in float32 that lost their exact rank to rounding turn by
    their own ε over it.
    """
    values = singular(pool)[1]
    condition = float(values[0] / values[-1])
    lost = pool.epsilon if pool.rank < min(pool.given.shape) else 0.0
    return pool.epsilon + 4 * condition * (30 * DOUBLE + lost)


@every_pool
@pytest.mark.parametrize("rank", [1, 2, 100])
def test_leverage(pool, rank):
    left, values = singular(pool)
    assert len(values) == pool.rank
    expected = (left[:, :rank] ** 2).sum(axis=1)
    # a direction is known as well as it stands apart from the next one
    apart = 1 - values[rank] / values[rank - 1] if rank < pool.rank else 1
    found = leverage_scores(pool.tensor, rank)
    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=direction_rounding(pool) / apart)
    assert float(found.double().sum()) == pytest.approx(min(rank, pool.rank), abs=len(found) * direction_rounding(pool))
    scores = picks_of(pool, "leverage", params={"rank": rank}).scores
    # the method sees rows in another order, and float64 where the squares of the rows leave float32
    np.testing.assert_allclose(scores.numpy(), found.numpy(), rtol=0, atol=2 * direction_rounding(pool) / apart)


@every_pool
@pytest.mark.parametrize("rank", [1, 2, 100])
def test_ridge_leverage(pool, rank):
    left, values = singular(pool)
    alpha = (values[rank:] ** 2).sum() / rank
    expected = (left**2) @ (values**2 / (values**2 + alpha))
    found = ridge_leverage_scores(pool.tensor, rank).numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=2 * direction_rounding(pool))


@every_pool
def test_influence(pool):
    """Leverage times the squared residual of the ridge fit that the pool makes for diagnostics, by its own θ."""
    made = make_pool(pool.tensor, targets=pool.numbers, sketch=UNSKETCHED, device="cpu")
    left, _ = singular(pool)
    y = pool.numbers.numpy()
    residual = y - y.mean() - pool.exact @ made.fit.coef.numpy()[:, 0]
    found = select(made, "influence", BUDGET).scores.numpy()
    expected = (left**2).sum(axis=1) * residual**2
    # a prediction is a sum of d products that may be as large as the rows times θ
    sums = DOUBLE * pool.exact.shape[1] * (np.abs(pool.exact) @ np.abs(made.fit.coef.numpy()[:, 0])).max()
    allowed = (direction_rounding(pool) + pool.epsilon) * (residual**2).max() + 4 * sums * np.abs(residual).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=allowed)


@every_pool
def test_the_ridge_fit_of_the_pool(pool):
    """Its noise is that of the α with the least generalised cross-validation error, by singular vectors."""
    made = make_pool(pool.tensor, targets=pool.numbers, sketch=UNSKETCHED, device="cpu")
    y = pool.numbers.numpy() - pool.numbers.numpy().mean()
    left, values = singular(pool)
    fits = []
    for alpha in np.logspace(-14, 2, 49) * values[0] ** 2:
        shrink = values**2 / (values**2 + alpha)
        residual, freedom = ((y - left @ (shrink * (left.T @ y))) ** 2).sum(), len(y) - 1 - shrink.sum()
        if freedom > 1e-9 * len(y):
            fits.append((residual / freedom**2, residual / max(freedom, 1)))
    # by way of second moments, which square the condition
    rounding = 30 * DOUBLE * (values[0] / values[-1]) ** 2 + 30 * pool.epsilon
    assert made.fit.noise == pytest.approx(min(fits)[1], rel=4 * rounding)


@every_pool
@pytest.mark.parametrize("block", [1, 4])
def test_adaptive(pool, block):
    found = picks_of(pool, "adaptive", 12, params={"block": block}, seed=3).indices.tolist()
    assert found == brute_adaptive(pool.exact, 12, block, generator(3, "adaptive"))


def centred(pool: NamedPool):
    """Rows about their mean, and the rounding of a product of two of them in the type of the pool."""
    x = pool.exact - pool.exact.mean(axis=0)
    longest = np.linalg.norm(x, axis=1).max()
    return x, longest, (16 + 2 * x.shape[1]) * pool.epsilon


@every_pool
def test_herding(pool):
    x, longest, rounding = centred(pool)
    found = picks_of(pool, "herding", 12).indices.tolist()

    def costs(before):
        return ((x[before].sum(axis=0) + x) ** 2).sum(axis=1)

    def tolerance(before):
        total = np.linalg.norm(x[before].sum(axis=0))
        # each row summed is rounded too
        return 2 * rounding * longest * (longest + 2 * total + 2 * len(before) * longest)

    assert_greedy(found, costs, tolerance)


@every_pool
def test_k_center(pool):
    x, longest, rounding = centred(pool)

    def costs(before):
        return -((x[:, None] - x[before]) ** 2).sum(axis=2).min(axis=1)

    found = picks_of(pool, "k_center", 12).indices.tolist()
    assert_greedy(found, costs, lambda before: 2 * rounding * 4 * longest**2, start=1)


def similarity(pool: NamedPool):
    """(1 + cos)/2 of all pairs, and its rounding: float32 is left where rows are too alike for it."""
    x = unit(pool.exact)
    alike = (x**2).sum(axis=1).mean() - (x.mean(axis=0) ** 2).sum() < 1e-4
    assert alike == ("offset" in pool.name)
    return (1 + x @ x.T) / 2, (16 + 2 * x.shape[1]) * (DOUBLE if alike else pool.epsilon)


@every_pool
def test_facility_location(pool):
    similar, rounding = similarity(pool)

    def costs(before):
        covered = similar[:, before].max(axis=1, initial=0)
        return -np.maximum(similar - covered[:, None], 0).sum(axis=0)

    found = picks_of(pool, "facility_location", 12).indices.tolist()
    assert_greedy(found, costs, lambda before: 2 * rounding * len(similar))


@every_pool
def test_graph_cut(pool):
    similar, rounding = similarity(pool)
    redundancy = len(similar) / (2 * 12)

    def costs(before):
        chosen = 2 * similar[:, before].sum(axis=1) + similar.diagonal()
        return redundancy * chosen - similar.sum(axis=0)

    found = picks_of(pool, "graph_cut", 12).indices.tolist()
    assert_greedy(found, costs, lambda before: 2 * rounding * (len(similar) + redundancy * (2 * len(before) + 1)))


@every_pool
def test_typiclust(pool):
    """Within its cluster a pick has the nearest neighbours, up to rounding, of all rows not picked before."""
    x = unit(pool.exact)
    made = make_pool(pool.tensor, device="cpu")
    clusters = k_means(unit_rows(made.features), BUDGET, 0, "typiclust:clusters").numpy()
    _, rounding = similarity(pool)
    found = select(made, "typiclust", BUDGET, seed=0).indices.tolist()
    for place, row in enumerate(found):
        members = np.flatnonzero(clusters == clusters[row])
        near = np.sort(np.linalg.norm(x[members][:, None] - x[members], axis=2), axis=1)[:, 1:21]
        typical = near.mean(axis=1) if near.shape[1] else np.zeros(len(members))
        left = ~np.isin(members, found[:place])
        # a distance is the root of a square that is off by the rounding of the rows
        assert typical[members == row][0] <= typical[left].min() + 2 * np.sqrt(rounding)


def gaussian(x, bandwidth):
    return np.exp(-((x[:, None] - x) ** 2).sum(axis=2) / (2 * bandwidth))


def principal(pool: NamedPool, power: float):
    x = pool.exact - pool.exact.mean(axis=0)
    energy, directions = np.linalg.eigh(x.T @ x / len(x))
    return x @ (directions * (energy.clip(0) + 0.1 * energy.mean()) ** (-power / 2))


def standard(values):
    return (values - values.mean()) / values.std()


def rows_of(pool: NamedPool, method: str, params):
    if method == "skmm_direct":
        return pool.exact / np.sqrt((pool.exact**2).mean())
    if method == "skmm_whitened":
        return unit(principal(pool, 0.3))
    return unit(pool.exact) if params.get("normalise", True) else pool.exact


KERNELS = [
    ("skmm_kernel", {"keep_rare": False}, None),
    ("skmm_kernel", {"keep_rare": True, "normalise": False}, None),
    ("skmm_whitened", {}, None),
    ("skmm_joint", {}, "classes"),
    ("skmm_joint", {"normalise": False}, "numbers"),
    ("skmm_direct", {}, None),
]


@every_pool
@pytest.mark.parametrize(("method", "params", "targets"), KERNELS, ids=[f"{m} {p}" for m, p, _ in KERNELS])
def test_kernel_matching(pool, method, params, targets, monkeypatch):
    """Greedy without exchanges: kernel, its weighted mean, every pick and the objective."""
    used = {}

    def keep(kernel, mean, picks, *, fixed):
        used.update(kernel=kernel, mean=mean)
        return picks

    monkeypatch.setattr(kernel_matching, "order_by_prefix", keep)
    labels = None if targets is None else getattr(pool, targets)
    found = picks_of(pool, method, targets=labels, params={**params, "exchanges": 0})
    x, importance = rows_of(pool, method, params), np.ones(len(pool.given))
    if method == "skmm_direct":
        gram = (1 + x @ x.T / x.shape[1]) ** 2
        rounding = 16 * (x.shape[1] + 4) * DOUBLE * gram.max()
    else:
        bandwidth = getattr(used["kernel"], "inputs", used["kernel"]).bandwidth
        gram = gaussian(x, bandwidth)
        about = x - x.mean(axis=0)
        own = DOUBLE if "offset" in pool.name and params.get("normalise", method != "skmm_whitened") else pool.epsilon
        # each squared distance errs by some (d + 4) ε of the longest rows, the exponent by that over 2 h²
        longest = (about**2).sum(axis=1).max()
        rounding = 16 * (x.shape[1] + 4) * own * longest / (2 * bandwidth) + 4 * pool.epsilon
        # rows far from the origin are themselves off in float64, here and there, before they are centred
        size = 1 if params.get("normalise", method == "skmm_joint") else np.abs(pool.exact).max()
        if method == "skmm_whitened":
            size = np.abs(pool.exact).max() / np.linalg.norm(principal(pool, 0.3), axis=1).min()
        rounding += 64 * DOUBLE * size * np.sqrt(longest * x.shape[1]) / bandwidth
    if targets == "classes":
        gram = gram * (labels[:, None] == labels).numpy()
    if targets == "numbers":
        y = standard(labels.numpy())
        gram = gram * np.exp(-((y[:, None] - y) ** 2) / 2)
        rounding += 4 * pool.epsilon * (np.ptp(y) + 1) ** 2
    if params.get("keep_rare"):
        left, _ = singular(pool)
        leverage = (left**2).sum(axis=1)
        importance = np.maximum(leverage / (2 * leverage.mean()), 1)
        rounding += 4 * direction_rounding(pool)
    mean = gram @ importance / importance.sum()
    # equal rows of other targets stand in the order of these
    order = content_order(pool.tensor, labels).numpy()
    gram, mean, importance = gram[np.ix_(order, order)], mean[order], importance[order]
    picks = np.argsort(order)[found.indices.numpy()]
    columns = used["kernel"].columns(torch.arange(len(gram))).double().numpy()
    np.testing.assert_allclose(columns, gram, rtol=0, atol=rounding)
    np.testing.assert_allclose(used["mean"].double().numpy(), mean, rtol=0, atol=2 * rounding)

    def costs(before):
        return gram[:, before].sum(axis=1) - (len(before) + 1) * mean + gram.diagonal() / 2

    assert_greedy(picks.tolist(), costs, lambda before: 4 * (len(before) + 1) * rounding)
    whole = importance @ mean / importance.sum()
    objective = whole - 2 * mean[picks].mean() + gram[np.ix_(picks, picks)].mean()
    assert found.objective["greedy"] == pytest.approx(objective, abs=8 * rounding)


@every_pool
def test_variance(pool):
    left, values = singular(pool)
    y = left * np.sqrt(len(left))  # coordinates in which the pool's second moment is the identity
    eigenvalues = values**2 / len(left)
    ridge = 1e-2 * eigenvalues.mean()

    def cost(chosen):
        return np.trace(np.linalg.inv(y[chosen].T @ y[chosen] / BUDGET + np.diag(ridge / eigenvalues)))

    def costs(before):
        return np.array([cost([*before, row]) for row in range(len(y))])

    found = picks_of(pool, "skmm_variance", params={"exchanges": 0})
    picks = found.indices.tolist()
    # a relative error of the coordinates comes back once for each of the two inverses in a difference of costs
    relative = 16 * len(eigenvalues) * (direction_rounding(pool) + DOUBLE * float(eigenvalues[0] / ridge))
    assert_greedy(picks, costs, lambda before: relative * (cost(before) if before else (eigenvalues / ridge).sum()))
    assert found.objective["rounded"] == pytest.approx(cost(picks), rel=relative)


@every_pool
@pytest.mark.parametrize("c_s", [0.9, "auto"])
def test_skmm(pool, c_s):
    """Weights that are feasible, objectives that are those of the weights and of the picks."""
    left, values = singular(pool)
    squares, eigenvalues = left**2 * values**2, values**2 / len(left)
    found = picks_of(pool, "skmm", params={"c_s": c_s})
    weights, reach = found.scores.double().numpy(), found.objective.get("c_s", c_s)
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert weights.min() >= 0
    assert weights.max() <= 1 / BUDGET * (1 + 1e-12)

    def relative(achieved):
        return (np.maximum(eigenvalues / reach - achieved, 0) / eigenvalues) ** 2

    relaxed, rounded = relative(weights @ squares).sum(), relative(squares[found.indices.numpy()].mean(axis=0)).sum()
    rounding = 16 * direction_rounding(pool) * len(left)
    assert found.objective["relaxed"] == pytest.approx(relaxed, abs=rounding * len(eigenvalues))
    assert found.objective["rounded"] == pytest.approx(rounded, rel=rounding, abs=rounding)
    assert found.objective["gap"] <= 1e-6 * len(eigenvalues) / reach**2
    if c_s == "auto":
        needed = eigenvalues / (weights @ squares)
        assert needed.max() == pytest.approx(reach, rel=rounding)
        assert needed.sum() <= found.objective["trace_bound"] * (1 + rounding)


@every_pool
@pytest.mark.parametrize("targets", ["classes", "numbers"])
def test_fit(pool, targets):
    """The pick of each budget is the one with which ridge predicts the pool best; without exchange they are nested."""
    labels = getattr(pool, targets)
    scaling, alpha = {"classes": ("unit", 0.03), "numbers": ("columns", 0.03)}[targets]
    x = unit(pool.exact) if scaling == "unit" else np.nan_to_num((pool.exact - pool.exact.mean(0)) / scale_of(pool))
    x = x - x.mean(axis=0)
    z = np.c_[x / np.sqrt((x**2).sum(axis=1).mean()), np.ones(len(x))]
    y = np.eye(int(labels.max()) + 1)[labels] if targets == "classes" else standard(labels.numpy())[:, None]
    y = y - y.mean(axis=0)
    params = {"scaling": scaling, "alpha": alpha, "caution": 0.0, "exchanges": 0}

    def agreement(chosen):
        rows = z[chosen]
        f = z @ np.linalg.solve(rows.T @ rows + alpha * np.eye(z.shape[1]), rows.T @ y[chosen])
        if targets == "classes":
            return (y * f).sum() * abs((y * f).sum()) / max((f**2).sum(), 1e-300) / (y**2).sum()
        return 1 - ((y - f) ** 2).sum() / (y**2).sum()

    chosen: list[int] = []
    for budget in range(1, 6):
        found = picks_of(pool, "skmm_fit", budget, targets=labels, params=params)
        (new,) = set(found.indices.tolist()) - set(chosen)
        best = max(agreement([*chosen, row]) for row in range(len(z)) if row not in chosen)
        # updates in the type of the rows, magnified by the condition 1 + ‖z‖²/α of the fit
        rounding = 16 * pool.epsilon * (1 + budget * (z**2).sum(axis=1).max() / alpha)
        chosen.append(new)
        assert agreement(chosen) >= best - rounding
        assert found.objective["greedy"] == pytest.approx(1 - agreement(chosen), abs=rounding)


def scale_of(pool: NamedPool):
    deviation = pool.exact.std(axis=0)
    return np.where(deviation > 0, deviation, np.inf)


HEADS = ["entropy", "margin", "least_confidence", "deepfool", "cal", "el2n", "grand", "forgetting", "influence"]


@every_pool
@pytest.mark.parametrize("method", HEADS)
def test_scores_of_heads_are_those_of_the_same_numbers_in_float64(pool, method):
    """Heads see standardised columns, and their scores are compared with NumPy in float64 elsewhere."""
    if method == "cal" and "ties" in pool.name:
        pytest.skip("of neighbours at equal distance either is the nearest")
    if method == "influence" and pool.rank < min(pool.given.shape):
        pytest.skip("in float64 what rounding to float32 left counts as directions of their own")
    here = select(pool.tensor, method, BUDGET, targets=pool.classes, device="cpu").scores.double()
    wide = select(pool.tensor.double(), method, BUDGET, targets=pool.classes, device="cpu").scores
    # rounded once, after sums of d products of standardised columns
    size = float(wide.abs().max()) + 1
    np.testing.assert_allclose(here.numpy(), wide.numpy(), rtol=0, atol=64 * pool.epsilon * size * pool.given.shape[1])


@every_pool
@pytest.mark.parametrize(
    ("method", "key"), [("craig", "mean_distance"), ("gradmatch", "gradient_error"), ("glister", "loss_after")]
)
def test_matched_gradients_are_those_of_the_same_numbers_in_float64(pool, method, key):
    here = select(pool.tensor, method, BUDGET, targets=pool.classes, device="cpu").objective[key]
    wide = select(pool.tensor.double(), method, BUDGET, targets=pool.classes, device="cpu").objective[key]
    # distances are roots of squares that are off by some ε
    assert here == pytest.approx(wide, rel=1e-6, abs=8 * np.sqrt(pool.epsilon) * pool.given.shape[1])


@every_pool
def test_diverse_predictions_are_far_apart(pool):
    made = make_pool(pool.tensor, targets=pool.classes, device="cpu")
    log = made.warm_up.log_probabilities.double().numpy()
    apart = ((np.exp(log)[:, None] - np.exp(log)) * (log[:, None] - log)).sum(axis=2) / 2
    found = select(made, "contextual_diversity", BUDGET).indices.tolist()
    assert_greedy(
        found, lambda before: -apart[:, before].min(axis=1), lambda _: 64 * DOUBLE * np.abs(log).max(), start=1
    )


@every_pool
@pytest.mark.parametrize("method", ["uniform", "uniform_stratified"])
def test_uniform_draws_see_no_features(pool, method):
    """Which rows are drawn depends on the seed, on classes and on the order of rows, not on what their numbers are."""
    other = pool.tensor * 4  # which keeps their order
    found = [select(x, method, BUDGET, targets=pool.classes, device="cpu").indices for x in (pool.tensor, other)]
    assert torch.equal(*found)


def test_every_method_is_tested_here():
    others = {"skmm", "skmm_fit", "skmm_variance", "uniform", "uniform_stratified", "leverage", "ridge_leverage"}
    greedy = {"adaptive", "herding", "k_center", "facility_location", "graph_cut", "typiclust", "contextual_diversity"}
    matched = {"craig", "gradmatch", "glister", *(method for method, _, _ in KERNELS)}
    by_label = {"ccs", "d2", "moderate"}  # in test_labelled_rivals_reference and test_d2_reference
    # on the same pools, in files of their own
    rivals = {"max_herding", "u_herding", "probcover", "active_ft", "kmeans_medoids", "dropquery", "badge"}
    others |= {"skmm_cover"}  # likewise
    assert {spec.key for spec in list_methods()} == others | greedy | matched | by_label | rivals | set(HEADS)
