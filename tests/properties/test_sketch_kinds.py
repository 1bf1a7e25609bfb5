"""Every kind of sketch: unbiased, within its derived bounds, and one map however rows and columns come in."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
import torch
from torch import Tensor

from skmm_core.config import SketchParams
from skmm_core.errors import InputError
from skmm_core.sketches import base, hadamard as hadamard_module
from skmm_core.sketches.bounds import tails, variance_bound
from skmm_core.sketches.distortion import PAIRS, measure_distortion
from skmm_core.sketches.hadamard import HadamardSketch, hadamard
from skmm_core.sketches.kinds import OuterRows, Sketch, draw_sketch, make_sketch, spectrum
from skmm_core.sketches.kronecker import KroneckerSketch
from skmm_core.sketches.sparse import SparseSketch

FALSE_ALARM = 1e-6
INNER, OUTER, M, SEEDS = 20, 5, 24, 800
R = INNER * OUTER
DENSE = ("gaussian", "rademacher", "srht", "sparse", "countsketch")
KINDS = (*DENSE, "kronecker")
each_kind = pytest.mark.parametrize("kind", KINDS)


def draw(kind: str, seed: int = 0, dim: int = M) -> Sketch:
    return draw_sketch(kind, R, dim, seed=seed, factors=(INNER, OUTER))


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.tensor(np.random.default_rng(seed).normal(size=shape))


def outer_rows(count: int = 60) -> OuterRows:
    return OuterRows(normal(count, INNER), normal(count, OUTER, seed=1))


def ratios(kind: str, vectors: Tensor) -> np.ndarray:
    """(SEEDS, vectors) ‖Γᵀg‖²/‖g‖²."""
    maps = [draw(kind, seed).rows(0, R).double() for seed in range(SEEDS)]
    return np.array([((vectors @ one).square().sum(1) / vectors.square().sum(1)).numpy() for one in maps])


@pytest.mark.statistical
@each_kind
def test_unbiased_with_at_most_the_derived_variance_and_within_the_derived_tails(kind: str) -> None:
    """Fixed vectors, many seeds. Numbers of trials outside an interval are binomial; means are near normal."""
    vectors = torch.stack(
        [
            normal(R),
            torch.outer(normal(OUTER), normal(INNER, seed=1)).flatten(),
            torch.eye(R, dtype=torch.float64)[[3, 40, 77]].sum(dim=0),
        ]
    )
    z, bound = scipy.stats.norm.isf(FALSE_ALARM / 2), variance_bound(draw(kind))
    for found in ratios(kind, vectors).T:
        assert abs(found.mean() - 1) < z * np.sqrt(bound / SEEDS)
        squares = (found - 1) ** 2
        assert squares.mean() < bound + z * squares.std() / np.sqrt(SEEDS)
        for failure in (0.3, 0.05, 1e-3):
            interval = tails(draw(kind), failure)
            outside = int(((found < interval.low) | (found > interval.high)).sum())
            assert outside <= scipy.stats.binom.isf(FALSE_ALARM, SEEDS, failure), (failure, interval)


@pytest.mark.statistical
@pytest.mark.parametrize("kind", ["rademacher", "sparse", "countsketch", "srht", "kronecker"])
def test_the_variance_is_what_the_derivation_says(kind: str) -> None:
    """The exact formula on one vector, not only an upper bound."""
    vector = normal(R)
    u, g = vector / vector.norm(), (vector / vector.norm()).view(OUTER, INNER)
    fourth = float(u.pow(4).sum())
    if kind == "kronecker":
        # moments of signs: E(bᵀMb)² = tr² + 2(‖M‖² - Σ M_ii²), and 2 Σ_i E(G_iᵀb)⁴ is taken off for a
        square = g @ g.T
        second = 1 + 2 * float(square.square().sum() - square.diagonal().square().sum())
        columns = float((3 * g.square().sum(dim=0).square() - 2 * g.pow(4).sum(dim=0)).sum())
        expected = (3 * second - 2 * columns - 1) / M
    elif kind == "srht":
        expected = variance_bound(draw(kind)) * (1 - fourth)
    else:
        expected = 2 / M * (1 - fourth)
    squares = (ratios(kind, vector[None])[:, 0] - 1) ** 2
    error = scipy.stats.norm.isf(FALSE_ALARM / 2) * squares.std() / np.sqrt(SEEDS)
    assert abs(squares.mean() - expected) < error
    assert expected <= variance_bound(draw(kind)) * (1 + 1e-12)


@each_kind
def test_tails_widen_as_the_chance_falls_and_narrow_with_the_size(kind: str) -> None:
    wide, narrow = tails(draw(kind), 1e-4), tails(draw(kind), 0.1)
    assert wide.low <= narrow.low < 1 < narrow.high < wide.high
    larger = tails(draw_sketch(kind, 40 * R, 40 * M, seed=0, factors=(40 * INNER, OUTER)), 0.1)
    assert larger.high - larger.low < narrow.high - narrow.low


@each_kind
@pytest.mark.parametrize(("rows_a_block", "numbers", "piece"), [(7, 2**24, 2**24), (16, 50, 2**24), (9, 300, 200)])
def test_blocks_and_parts_change_nothing(
    kind: str, rows_a_block: int, numbers: int, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows in blocks, columns in parts of any size, dense or as factors, pieces drawn again or held: one map."""
    monkeypatch.setattr(base, "PIECE_NUMBERS", piece)
    factors = outer_rows()
    dense = factors.dense()
    whole = dense @ draw(kind, 3).rows(0, R).double()
    monkeypatch.setattr(base, "BLOCK_ROWS", rows_a_block)
    monkeypatch.setattr(base, "BLOCK_NUMBERS", numbers)
    sketch = draw(kind, 3)
    torch.testing.assert_close(sketch(factors), whole, rtol=1e-6, atol=1e-6)
    if kind != "kronecker":
        torch.testing.assert_close(sketch(dense), whole, rtol=1e-6, atol=1e-6)
    for cuts in ([0, R], [0, 1, 33, 34, 99, R], [0, 50, R]):
        sketched = torch.zeros_like(whole)
        for start, stop in pairwise(cuts):
            sketch.add(sketched, dense[:, start:stop], start)
        torch.testing.assert_close(sketched, whole, rtol=1e-6, atol=1e-6)
    assert torch.equal(torch.cat([sketch.rows(0, 31), sketch.rows(31, R)]), sketch.rows(0, R))


@each_kind
def test_kind_seed_and_sizes_decide_the_map(kind: str) -> None:
    one = draw(kind, 3).rows(0, R)
    assert torch.equal(one, draw(kind, 3).rows(0, R))
    assert not torch.equal(one, draw(kind, 4).rows(0, R))
    assert not any(torch.equal(one, draw(other, 3).rows(0, R)) for other in KINDS if other != kind)


def test_outer_rows_are_written_out_in_the_order_of_a_linear_layer() -> None:
    factors = outer_rows(4)
    expected = torch.stack([torch.outer(e, x).flatten() for e, x in zip(factors.outer, factors.inner, strict=True)])
    torch.testing.assert_close(factors.dense(), expected)
    torch.testing.assert_close(factors[torch.tensor([2, 0])].columns(slice(0, 1), 13, 47), expected[2:3, 13:47])
    assert factors.shape == (4, R)


def test_srht_is_the_dense_hadamard_product() -> None:
    sketch = HadamardSketch(R, M, seed=2)
    signs, kept = sketch._signs.numpy(), sketch._kept.numpy()
    assert sketch.order == 128
    assert len(set(kept)) == M
    dense = (np.diag(np.pad(signs, (0, 28))) @ scipy.linalg.hadamard(128))[:R, kept] / np.sqrt(M)
    points = normal(9, R)
    np.testing.assert_allclose(sketch(points).numpy(), points.numpy() @ dense, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(sketch.rows(0, R).numpy(), dense, rtol=1e-6)


@pytest.mark.parametrize("order", [1, 2, 32, 64, 1024])
@pytest.mark.parametrize("radix", [4, 64])
def test_fast_hadamard_transform(order: int, radix: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hadamard_module, "_RADIX", radix)
    points = normal(3, order)
    np.testing.assert_allclose(hadamard(points), points.numpy() @ scipy.linalg.hadamard(order), rtol=1e-9, atol=1e-9)


def test_kronecker_is_the_dense_map_of_its_factors() -> None:
    sketch = KroneckerSketch(INNER, OUTER, M, seed=5)
    # column j of Γ is b_j ⊗ a_j; the 1/√m is in a_j
    pairs = zip(sketch._outer.T.numpy(), sketch._inner.T.numpy(), strict=True)
    dense = np.stack([np.kron(b, a) for b, a in pairs], axis=1)
    factors = outer_rows()
    np.testing.assert_allclose(sketch(factors).numpy(), factors.dense().numpy() @ dense, rtol=1e-5, atol=1e-5)
    assert set(np.unique(np.abs(dense * np.sqrt(M)).round(5))) == {1.0}


@pytest.mark.parametrize(("dim", "nonzeros"), [(24, 8), (25, 4), (5, 5), (7, 1)])
def test_sparse_has_one_entry_in_every_group(dim: int, nonzeros: int) -> None:
    matrix = SparseSketch(R, dim, seed=0, nonzeros=nonzeros).rows(0, R)
    np.testing.assert_allclose(matrix.square().sum(dim=1), 1, rtol=1e-6)
    edges = [group * dim // nonzeros for group in range(nonzeros + 1)]
    for start, stop in pairwise(edges):
        assert bool(((matrix[:, start:stop] != 0).sum(dim=1) == 1).all())
    # R draws leave a given sum empty with a chance of at most (1 - 1/size)^R: below 1e-6 for all sizes here
    assert bool((matrix != 0).any(dim=0).all())


@pytest.mark.parametrize("kind", ["gaussian", "rademacher", "sparse", "countsketch"])
def test_a_large_map_is_never_held_whole(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "PIECE_NUMBERS", 256)
    sketch, drawn = draw_sketch(kind, 2000, M, seed=0), []
    kept = type(sketch)._draw  # type: ignore[attr-defined]

    def watched(self: Sketch, piece: int, count: int) -> Tensor:
        found: Tensor = kept(self, piece, count)
        drawn.append(found.numel())
        return found

    monkeypatch.setattr(type(sketch), "_draw", watched)
    sketch(normal(5, 2000))
    assert len(drawn) > 5
    assert max(drawn) <= 256


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (SketchParams(kind="kronecker", dim=8), "--gradient head"),
        (SketchParams(kind="sparse", dim=4, nonzeros=5), r"exceeds the sketch dim 4.*1\.\.4"),
        (SketchParams(kind="srht", dim=R + 1), f"exceeds the {R}"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(params: SketchParams, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        make_sketch(params, normal(50, R), seed=0)
    assert "\n" not in str(caught.value)


def test_kind_none_refuses_outer_products_too_many_to_write_out() -> None:
    many = OuterRows(torch.zeros(3000, 500), torch.zeros(3000, 200))
    with pytest.raises(InputError, match="take kronecker"):
        make_sketch(SketchParams(kind="none"), many, seed=0)
    small = outer_rows()
    assert torch.equal(make_sketch(SketchParams(kind="none"), small, seed=0)(small), small.dense())


def test_spectrum_of_outer_products_is_that_of_the_rows_written_out() -> None:
    factors = outer_rows()
    torch.testing.assert_close(spectrum(factors), spectrum(factors.dense()))
    wide = OuterRows(normal(60, 300), normal(60, 20, seed=1))
    one, whole = spectrum(wide), spectrum(wide.dense())
    # the trace is ‖Γᵀg‖² averaged over rows; each is off by at most √(8/1024) on average, so their mean is too
    assert abs(float(one.sum() / whole.sum()) - 1) < scipy.stats.norm.isf(FALSE_ALARM) * np.sqrt(8 / 1024)


@each_kind
def test_measured_distortion_is_that_of_the_pairs(kind: str) -> None:
    factors, sketch = outer_rows(), draw(kind, 1)
    dense, sketched = factors.dense(), sketch(factors)
    found = measure_distortion(factors, sketched, sketch, seed=0)
    again = measure_distortion(dense, sketched, sketch, seed=0)
    assert found is not None
    assert again is not None
    np.testing.assert_allclose(found.ratios, again.ratios, rtol=1e-9)
    assert len(found.ratios) == PAIRS
    first, second = np.triu_indices(len(dense), 1)
    possible = (sketched[first] - sketched[second]).square().sum(1) / (dense[first] - dense[second]).square().sum(1)
    assert np.abs(possible.numpy()[None, :] - found.ratios[::50, None]).min(axis=1).max() < 1e-6
    np.testing.assert_allclose(found.rms, np.sqrt(np.mean((found.ratios - 1) ** 2)))
    assert found.all_low <= found.pair_low < 1 < found.pair_high < found.all_high
    another = measure_distortion(factors, sketched, sketch, seed=1)
    assert another is not None
    assert not np.array_equal(another.ratios, found.ratios)


def test_repeated_rows_have_no_distortion() -> None:
    twins, sketch = normal(2, R).repeat(20, 1), draw("gaussian")
    found = measure_distortion(twins, sketch(twins), sketch, seed=0)
    assert found is not None
    assert len(found.ratios) < PAIRS
    assert np.ptp(found.ratios) < 1e-5
    alike = normal(1, R).repeat(20, 1)
    assert measure_distortion(alike, sketch(alike), sketch, seed=0) is None
    assert measure_distortion(twins, twins, make_sketch(SketchParams(kind="none"), twins, seed=0), seed=0) is None
