"""Methods that cover the feature space: every pick against all others, on the definition in float64."""

import numpy as np
import torch

from skmm_core.methods import select
from tests.audit.cases import on
from tests.audit.definitions import squared_distances, steps_behind, unit


def centred_rounding(case):
    """Squared distances by norms and products of centred rows, in the precision of the rows."""
    x = case.exact
    offset = np.abs(x.mean(axis=0)).max() / max(x.std(), 1e-300)
    return 64 * case.eps * x.shape[1] ** 0.5 * max(1.0, case.eps * offset)


@on()
def test_herding(case, audit):
    """The mean of the chosen rows after each pick, against that of every other choice."""
    x = case.exact
    mean, size = x.mean(axis=0), ((x - x.mean(axis=0)) ** 2).sum(axis=1).max()
    picks = select(case.rows, "herding", 12).indices.numpy()

    def gain(before):
        t = len(before) + 1
        gap = mean - (x[before].sum(axis=0) + x) / t
        return -(gap**2).sum(axis=1) * t

    slip = steps_behind(picks, gain) / size
    audit.at_most("method herding", "distance lost at a pick", slip, within=centred_rounding(case))


@on()
def test_k_center(case, audit):
    """Distance to the nearest chosen row by differences; the first row is uniform over seeds."""
    x = case.exact
    picks = select(case.rows, "k_center", 12).indices.numpy()
    distances = squared_distances(x, x)
    spread = ((x - x.mean(axis=0)) ** 2).sum(axis=1).max()
    slip = steps_behind(picks, lambda before: distances[:, before].min(axis=1), start=1) / spread
    audit.at_most("method k_center", "squared distance lost at a pick", slip, within=centred_rounding(case))


def test_the_first_row_of_k_center_is_any(audit):
    """3,000 seeds: every row begins with the same chance."""
    rows = torch.tensor(np.random.default_rng(0).normal(size=(6, 2)))
    firsts = [int(select(rows, "k_center", 1, seed=seed).indices) for seed in range(3000)]
    audit.chances(
        "method k_center", "chance of the first row", np.bincount(firsts, minlength=6), 3000, np.full(6, 1 / 6)
    )


@on()
def test_facility_location(case, audit):
    """Σ_i max_{j∈S} (1 + cos)/2 with every candidate added, and the reported coverage."""
    rows = unit(case.exact)
    similar = (1 + rows @ rows.T) / 2
    found = select(case.rows, "facility_location", 10)
    picks = found.indices.numpy()

    def gain(before):
        covered = similar[:, before].max(axis=1, initial=0.0)
        return np.maximum(similar, covered[:, None]).sum(axis=0)

    rounding = 64 * case.eps * rows.shape[1] ** 0.5
    audit.at_most(
        "method facility_location", "gain lost at a pick", steps_behind(picks, gain) / len(rows), within=rounding
    )
    value = similar[:, picks].max(axis=1).mean()
    audit.same("method facility_location", "objective", found.objective["coverage"], value, within=rounding)
    audit.same("method facility_location", "scores", found.scores, similar.mean(axis=0), within=rounding)


@on()
def test_graph_cut(case, audit):
    """Σ_i Σ_{j∈S} s_ij - λ Σ_{i,j∈S} s_ij with every candidate added, λ = N/(2n) and given."""
    rows = unit(case.exact)
    similar = (1 + rows @ rows.T) / 2
    size, n = len(rows), 10
    for asked in (None, 3.0):
        price = size / (2 * n) if asked is None else asked
        found = select(case.rows, "graph_cut", n, params={"redundancy": asked})
        picks = found.indices.numpy()

        def gain(before, price=price):
            return similar.sum(axis=0) - price * (2 * similar[:, before].sum(axis=1) + similar.diagonal())

        rounding = 64 * case.eps * rows.shape[1] ** 0.5
        slip = steps_behind(picks, gain) / (size + 2 * n * price)
        audit.at_most("method graph_cut", "gain lost at a pick", slip, within=rounding)
        value = (similar[:, picks].sum() - price * similar[np.ix_(picks, picks)].sum()) / size
        audit.same("method graph_cut", "objective", found.objective["cut"], value, within=rounding, scale=1.0)


def test_typiclust_takes_the_most_typical_of_every_cluster(audit):
    """Blobs of known rows, so that k-means has one answer: the row with the nearest 20 others, largest blob first."""
    rng = np.random.default_rng(3)
    sizes = np.array([60, 45, 38, 30, 25])
    blobs = np.repeat(np.arange(5), sizes)
    for scale, shift in ((1.0, 0.0), (1e-6, 0.0), (1e6, 0.0)):
        for dtype in (torch.float32, torch.float64):
            x = scale * (10 * np.eye(8)[blobs] + 0.4 * rng.normal(size=(len(blobs), 8)) + shift)
            rows = torch.tensor(x).to(dtype)
            exact = unit(rows.double().numpy())
            distances = np.sqrt(squared_distances(exact, exact))
            expected = []
            for blob in range(5):
                members = np.flatnonzero(blobs == blob)
                near = np.sort(distances[np.ix_(members, members)], axis=1)[:, 1:21].mean(axis=1)
                expected.append(int(members[near.argmin()]))
            found = select(rows, "typiclust", 5).indices.tolist()
            wrong = float(sum(a != b for a, b in zip(found, expected, strict=True)))
            audit.at_most("method typiclust", "picks other than the most typical", wrong, within=0.5, unit="rows")
