"""Pools that memory cannot hold: the same numbers as of rows that it holds, from every format, after any kill."""

import itertools
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from skmm_core.blocks import Checkpoint
from skmm_core.config import DatasetConfig
from skmm_core.data import load_dataset, rows_beyond_memory
from skmm_core.data.candidates import find_candidates
from skmm_core.data.natural_order import missing_part
from skmm_core.data.npy_stream import NpyStream
from skmm_core.diagnostics import diagnose
from skmm_core.errors import Cancelled, InputError
from skmm_core.jobs import pool_positions
from skmm_core.methods import list_methods, select
from skmm_core.pool import make_pool
from skmm_core.progress import Progress

N, D, HELD = 4_000, 12, 600


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    """Clustered rows with heavy tails, far from the origin, as float16 files hold them."""
    draw = np.random.default_rng(5)
    centres = draw.normal(size=(9, D)) * 3 + 20
    noise = draw.normal(size=(N, D)) / np.sqrt(draw.chisquare(4, size=(N, 1)) / 4)
    return (centres[draw.integers(9, size=N)] + noise).astype(np.float16)


@pytest.fixture
def file(tmp_path, rows) -> Path:
    path = tmp_path / "big.npy"
    np.save(path, rows)
    return path


def small_blocks(monkeypatch, numbers: int = 1_000) -> None:
    monkeypatch.setattr("skmm_core.data.row_stream.BLOCK_NUMBERS", numbers)


def test_moments_are_those_of_all_rows_and_the_held_rows_are_those_of_the_file(monkeypatch, file, rows):
    small_blocks(monkeypatch)
    dataset = load_dataset(DatasetConfig(source=str(file), candidates=HELD))
    wide, whole = rows.astype(np.float64), dataset.whole
    assert whole is not None
    assert whole.size == N
    np.testing.assert_allclose(whole.mean, wide.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(whole.scatter, np.cov(wide.T, bias=True), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(whole.moment, wide.T @ wide / N, rtol=1e-12)
    assert int(whole.drawn.sum()) == HELD - 2 * (HELD // 8)
    assert HELD - 2 * (HELD // 8) < len(dataset.features) <= HELD
    np.testing.assert_array_equal(dataset.features, rows[dataset.rows].astype(np.float32))
    assert dataset.ids == tuple(map(str, dataset.rows.tolist()))
    assert any("Of 4,000 rows" in note and "are held" in note for note in dataset.notes)


def test_rows_that_lie_farthest_out_are_all_held(file, rows):
    dataset = load_dataset(DatasetConfig(source=str(file), candidates=HELD))
    wide = rows.astype(np.float64)
    leverage = np.einsum("ij,jk,ik->i", wide, np.linalg.inv(wide.T @ wide), wide)
    apart = np.linalg.norm(wide - wide.mean(axis=0), axis=1)
    certain = set(dataset.rows[dataset.whole.certain].tolist())
    for far in (leverage, apart):
        assert (
            set(np.argsort(-far)[: HELD // 8 - 3].tolist()) <= certain
        )  # float32 may swap those that are nearly equal


@pytest.mark.parametrize("kind", ["npy parts", "npz parts", "parquet", "parquet parts", "parquet of columns"])
def test_every_format_gives_the_same_rows(tmp_path, monkeypatch, file, rows, kind):
    small_blocks(monkeypatch)
    expected = load_dataset(DatasetConfig(source=str(file), candidates=HELD))
    folder = tmp_path / "parts"
    folder.mkdir()
    names = [f"id-{row}" for row in range(N)]
    cuts = [0, 1_500, 1_501, N]
    for part, (start, stop) in enumerate(itertools.pairwise(cuts)):
        mine = rows[start:stop]
        if kind == "npy parts":
            np.save(folder / f"part-{part}.npy", mine)
        elif kind == "npz parts":
            np.savez(folder / f"part-{part}.npz", X=mine, ids=np.array(names[start:stop]))
        else:
            numbers = pa.array(mine.astype(np.float32).ravel())
            vectors = pa.FixedSizeListArray.from_arrays(numbers, D)
            columns = {"id": pa.array(names[start:stop]), "vector": vectors}
            if kind == "parquet of columns":
                columns = {
                    "id": columns["id"],
                    **{f"x{place}": pa.array(mine[:, place].astype(np.float32)) for place in range(D)},
                }
            pq.write_table(pa.table(columns), folder / f"part-{part}.parquet", row_group_size=700)
    source = folder
    if kind == "parquet":
        source = tmp_path / "one.parquet"
        pq.write_table(pq.ParquetDataset(folder).read(), source)
    found = load_dataset(DatasetConfig(source=str(source), candidates=HELD))
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_array_equal(found.features, expected.features)
    np.testing.assert_allclose(found.whole.moment, expected.whole.moment, rtol=1e-12)
    if kind != "npy parts":
        assert found.ids == tuple(names[row] for row in found.rows.tolist())


def test_labels_go_with_their_rows(tmp_path, file, rows):
    classes = np.arange(N) % 7
    np.save(tmp_path / "y.npy", classes)
    dataset = load_dataset(DatasetConfig(source=str(file), labels=str(tmp_path / "y.npy"), candidates=HELD))
    np.testing.assert_array_equal(dataset.targets, classes[dataset.rows])
    words = pa.table({"v": pa.FixedSizeListArray.from_arrays(pa.array(rows.astype(np.float32).ravel()), D),
                      "label": pa.array([f"class {each}" for each in classes])})  # fmt: skip
    pq.write_table(words, tmp_path / "words.parquet", row_group_size=3)  # few classes in a group
    named = load_dataset(DatasetConfig(source=str(tmp_path / "words.parquet"), candidates=HELD))
    assert named.class_names == tuple(f"class {each}" for each in range(7))
    np.testing.assert_array_equal(named.targets, classes[named.rows])


class Killed(Exception):
    """What stands for a signal."""


def test_a_pass_that_was_killed_goes_on_where_it_was(tmp_path, monkeypatch, file):
    small_blocks(monkeypatch)
    monkeypatch.setattr("skmm_core.blocks.checkpoint._SECONDS", 0.0)
    monkeypatch.setattr(Checkpoint.__init__, "__kwdefaults__", {"every": 0.0})
    expected = load_dataset(DatasetConfig(source=str(file), candidates=HELD))
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "another"))
    read: list[int] = []

    def stop(progress: Progress) -> None:
        read.append(progress.step)
        if progress.phase.startswith("Adding up") and progress.step > N // 2:
            raise Killed

    with pytest.raises(Killed):
        load_dataset(DatasetConfig(source=str(file), candidates=HELD), report=stop)
    added: list[int] = []

    def note(progress: Progress) -> None:
        if progress.phase.startswith("Adding up"):
            added.append(progress.step)

    again = load_dataset(DatasetConfig(source=str(file), candidates=HELD), report=note)
    assert added[0] > N // 2  # the first half was not read again
    assert again.fingerprint == expected.fingerprint
    torch.testing.assert_close(again.whole.scatter, expected.whole.scatter, rtol=0, atol=0)


def test_a_damaged_checkpoint_is_made_anew(tmp_path, monkeypatch, file):
    expected = load_dataset(DatasetConfig(source=str(file), candidates=HELD))
    for path in (tmp_path / "home" / "cache" / "passes").iterdir():
        path.write_bytes(path.read_bytes()[:50])
    again = load_dataset(DatasetConfig(source=str(file), candidates=HELD))
    assert again.fingerprint == expected.fingerprint
    torch.testing.assert_close(again.whole.moment, expected.whole.moment)


def test_other_columns_of_the_same_file_are_another_pool(tmp_path, rows):
    wide = rows.astype(np.float32)
    pq.write_table(pa.table({f"x{place}": wide[:, place] for place in range(D)}), tmp_path / "columns.parquet")
    config = DatasetConfig(source=str(tmp_path / "columns.parquet"), candidates=HELD)
    for ignore, kept in ((None, range(D)), ("x0", range(1, D)), ("x3", [0, 1, 2, *range(4, D)])):
        dataset = load_dataset(config.model_copy(update={"ignore": ignore}))
        np.testing.assert_allclose(dataset.whole.mean, wide[:, list(kept)].astype(np.float64).mean(axis=0), rtol=1e-9)


def test_bad_rows_are_refused_by_number_or_left_out(tmp_path, rows):
    bad = rows.copy()
    bad[17, 3], bad[3_999, 0] = np.nan, np.inf
    np.save(tmp_path / "bad.npy", bad)
    source = str(tmp_path / "bad.npy")
    with pytest.raises(
        InputError, match=r"2 of 4,000 rows hold NaN or infinite numbers \(first rows, from 0: 17, 3999\)"
    ):
        load_dataset(DatasetConfig(source=source, candidates=HELD))
    dataset = load_dataset(DatasetConfig(source=source, candidates=HELD, drop_bad_rows=True))
    good = np.delete(rows, [17, 3_999], axis=0).astype(np.float64)
    assert dataset.whole.size == N - 2
    np.testing.assert_allclose(dataset.whole.mean, good.mean(axis=0), rtol=1e-12)
    assert not {17, 3_999} & set(dataset.rows.tolist())


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ((np.ones((5, 3), np.float32), np.ones((5, 4), np.float32)), "4 columns"),
        ((np.ones((5, 3), np.float32), np.ones((5, 3), np.float16)), "float16"),
        ((np.ones((5, 3), np.float32), np.ones(5, np.float32)), r"shape \(5,\)"),
        ((np.ones((5, 3), np.float32), np.ones((0, 3), np.float32)), "is empty"),
    ],
)
def test_a_part_that_does_not_go_with_the_others_is_named(tmp_path, parts, told):
    for place, part in enumerate(parts):
        np.save(tmp_path / f"part-{place}.npy", part)
    with pytest.raises(InputError, match=rf"part-1.npy .*{told}"):
        load_dataset(str(tmp_path))


@pytest.mark.parametrize("option", ["scale_columns", "labelled_only"])
def test_what_changes_every_row_is_refused(file, option):
    with pytest.raises(InputError, match=rf"--{option.replace('_', '-')} changes all of them"):
        load_dataset(DatasetConfig(source=str(file), candidates=HELD, **{option: True}))


@pytest.mark.parametrize("method", ["uniform", "skmm", "skmm_kernel"])
def test_no_class_is_taken_for_a_pool_of_its_own(tmp_path, file, method):
    np.save(tmp_path / "y.npy", np.arange(N) % 3)
    config = DatasetConfig(source=str(file), labels=str(tmp_path / "y.npy"), candidates=HELD)
    with pytest.raises(InputError, match="stratify picks within every class, and of 4,000 rows"):
        select(make_pool(load_dataset(config)), method, 9, params={"stratify": True})


def test_held_out_rows_are_never_picked(file):
    dataset = load_dataset(DatasetConfig(source=str(file), candidates=HELD, holdout=0.2))
    pool = make_pool(dataset)
    assert pool.size == dataset.pool_size < len(dataset.features)
    assert len(pool.whole.drawn) == pool.size
    torch.testing.assert_close(pool.features, dataset.features[dataset.split.train])


def test_more_rows_than_can_be_told_apart_are_refused(file, monkeypatch):
    monkeypatch.setattr("skmm_core.data.large_pools._MOST_ROWS", N - 1)
    with pytest.raises(InputError, match=r"big\.npy has 4,000 rows, more than 3,999; pick from a part of them"):
        load_dataset(DatasetConfig(source=str(file), candidates=HELD))


def test_a_truncated_part_is_named(tmp_path, file):
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    with pytest.raises(InputError, match=r"big.npy is truncated"):
        load_dataset(DatasetConfig(source=str(file), candidates=HELD))


def test_a_folder_of_few_rows_is_read_whole(tmp_path, rows):
    folder = tmp_path / "few"
    folder.mkdir()
    np.save(folder / "2.npy", rows[:30])
    np.save(folder / "10.npy", rows[30:70])  # natural order: 2 before 10
    dataset = load_dataset(str(folder))
    assert dataset.whole is None
    np.testing.assert_array_equal(dataset.features, rows[:70].astype(np.float32))


def test_only_headers_tell_how_many_rows_there_are(file, monkeypatch):
    monkeypatch.setattr("numpy.fromfile", None)
    assert rows_beyond_memory(DatasetConfig(source=str(file), candidates=HELD)) == N
    assert rows_beyond_memory(DatasetConfig(source=str(file))) is None


def test_methods_that_look_at_every_row_say_so(file):
    pool = make_pool(load_dataset(DatasetConfig(source=str(file), candidates=HELD)))
    assert pool.whole is not None
    able = {spec.key for spec in list_methods() if spec.beyond_memory}
    assert {
        "uniform",
        "leverage",
        "ridge_leverage",
        "k_center",
        "herding",
        "skmm",
        "skmm_whitened",
        "skmm_cover",
    } <= able
    assert {"skmm_kernel", "skmm_direct", "skmm_variance", "skmm_fit"} <= able
    with pytest.raises(InputError, match="looks at every row"):
        next(spec for spec in list_methods() if spec.key == "typiclust").check_size(N)


def test_eigenvalues_and_leverage_are_those_of_all_rows(file, rows):
    dataset = load_dataset(DatasetConfig(source=str(file), candidates=HELD))
    part, all_of_it = make_pool(dataset), make_pool(torch.from_numpy(rows.astype(np.float32)))
    torch.testing.assert_close(part.moments.eigenvalues, all_of_it.moments.eigenvalues, rtol=1e-6, atol=0)
    torch.testing.assert_close(part.moments.leverage, all_of_it.moments.leverage[dataset.rows], rtol=2e-3, atol=1e-7)
    torch.testing.assert_close(part.spectrum, all_of_it.spectrum, rtol=1e-9, atol=1e-9)
    assert part.effective_dimension == pytest.approx(all_of_it.effective_dimension)


@pytest.mark.parametrize(("offset", "unit"), [(1e4, 1.0), (0.0, 1e-6), (0.0, 1e6)])
def test_moments_keep_their_digits_far_from_the_origin_and_in_any_unit(tmp_path, offset, unit):
    draw = np.random.default_rng(8)
    spread = np.geomspace(3, 0.3, D)
    table = ((draw.standard_t(4, size=(N, D)) * spread + offset) * unit).astype(np.float32)
    table[1::2] = table[::2]  # every row twice
    np.save(tmp_path / "rows.npy", table)
    dataset = load_dataset(DatasetConfig(source=str(tmp_path / "rows.npy"), candidates=HELD))
    part, all_of_it = make_pool(dataset), make_pool(torch.from_numpy(table))
    torch.testing.assert_close(part.moments.eigenvalues, all_of_it.moments.eigenvalues, rtol=1e-6, atol=0)
    found = select(part, "k_center", 30)
    told, true = diagnose(part, found.indices), diagnose(all_of_it, dataset.rows[found.indices])
    assert told.moment_error == pytest.approx(true.moment_error, rel=1e-3)
    assert told.c_s == pytest.approx(true.c_s, rel=1e-3)


def test_a_stop_is_a_stop(file):
    def stop(progress: Progress) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        find_candidates(NpyStream([file], "big", None), [file], HELD, drop=False, report=stop)


@pytest.mark.parametrize("method", ["uniform", "k_center", "skmm", "skmm_direct", "skmm_whitened"])
def test_a_selection_is_measured_against_all_rows(file, rows, method):
    dataset = load_dataset(DatasetConfig(source=str(file), candidates=HELD))
    part, all_of_it = make_pool(dataset), make_pool(torch.from_numpy(rows.astype(np.float32)))
    found = select(part, method, 40)
    told, true = diagnose(part, found.indices), diagnose(all_of_it, dataset.rows[found.indices])
    for name in ("moment_error", "trace_score", "bias", "variance"):
        assert getattr(told, name) == pytest.approx(getattr(true, name), rel=1e-3, abs=1e-9), name
    # the mean over 450 random rows; its standard error is taken from all distances
    error = true.distance.std() / 450**0.5
    assert abs(told.coverage_mean - true.coverage_mean) < 4 * error


def test_random_picks_are_drawn_from_all_rows_alike(file):
    pool = make_pool(load_dataset(DatasetConfig(source=str(file), candidates=HELD)))
    for seed in range(5):
        assert pool.whole.drawn[select(pool, "uniform", 100, seed=seed).indices].all()


def test_leverage_is_drawn_as_if_every_row_took_part(file, rows):
    """Held rows stand for the others too: far rows are as many among the picks as among those of the whole pool."""
    dataset = load_dataset(DatasetConfig(source=str(file), candidates=HELD))
    part, all_of_it = make_pool(dataset), make_pool(torch.from_numpy(rows.astype(np.float32)))
    scores = all_of_it.feature_basis
    leverage = ((torch.from_numpy(rows.astype(np.float64)) @ scores.vectors) / scores.values).square().sum(dim=1)
    high = leverage > leverage.quantile(0.9)
    shares = [
        np.mean(
            [float(high[of[select(pool, "leverage", 50, seed=seed).indices]].double().mean()) for seed in range(40)]
        )
        for pool, of in ((part, dataset.rows), (all_of_it, torch.arange(N)))
    ]
    assert abs(shares[0] - shares[1]) < 4 * (0.25 / (50 * 40)) ** 0.5 * 2**0.5


def test_columns_that_float32_cannot_hold_keep_their_differences(tmp_path):
    times = 1.7e9 + np.arange(N, dtype=np.float64)
    table = np.column_stack([times, np.random.default_rng(0).normal(size=N)])
    np.save(tmp_path / "times.npy", table)
    dataset = load_dataset(DatasetConfig(source=str(tmp_path / "times.npy"), candidates=HELD))
    kept, raw = dataset.features[:, 0].double().numpy(), table[dataset.rows, 0]
    np.testing.assert_array_equal(kept - kept[0], raw - raw[0])
    assert any("an offset was subtracted" in note for note in dataset.notes)


def test_parts_that_are_twice_there_or_missing_are_named(tmp_path, rows):
    twice = tmp_path / "twice"
    twice.mkdir()
    for name in ("a.npy", "b.npy"):
        np.save(twice / name, rows[:2_000])
    with pytest.raises(InputError, match=r"b\.npy holds the same bytes as a\.npy; take one of the two away"):
        load_dataset(DatasetConfig(source=str(twice), candidates=HELD))
    gap = tmp_path / "gap"
    gap.mkdir()
    for place in (0, 2):
        np.save(gap / f"part-0000{place}-of-00003.npy", rows[place * 1_000 :][:1_000])
    with pytest.raises(InputError, match=r"gap: part-00001-of-00003\.npy is missing"):
        load_dataset(DatasetConfig(source=str(gap), candidates=HELD))


@pytest.mark.parametrize(
    ("numbers", "total", "gone"),
    [((0, 1), 2, None), ((1, 2), 2, None), ((1,), 2, "a-0-of-2.x"), ((1, 3), 3, "a-2-of-3.x"), ((), 0, None)],
)
def test_parts_may_count_from_0_or_1(numbers, total, gone):
    assert missing_part([f"a-{number}-of-{total}.x" for number in numbers]) == gone


def test_a_folder_that_holds_more_than_arrays_is_no_folder_of_parts(tmp_path, rows):
    np.save(tmp_path / "1.npy", rows[:10])
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(InputError, match="is a folder; name one file"):
        load_dataset(str(tmp_path))


def test_a_row_that_is_not_held_cannot_be_decided_by_hand(file):
    dataset = load_dataset(DatasetConfig(source=str(file), candidates=HELD))
    lost = next(row for row in range(N) if row not in set(dataset.rows.tolist()))
    with pytest.raises(InputError, match=f"row {lost} is not among the .* rows that are held of 4,000"):
        pool_positions(dataset, [lost])
