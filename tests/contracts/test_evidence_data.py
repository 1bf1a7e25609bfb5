"""How the scores of the evidence are drawn and measured: families, draws, shards, and files that are kept apart."""

import itertools
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.bench import evidence_data
from tests.bench.evidence import ABLATIONS, METHODS, Draw, Study, steps
from tests.bench.evidence_data import BENCHMARKS, Benchmark, long_tail, wrong_labels


class Read(Exception):
    """Raised in place of reading a source."""


def source_of(benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the loader of a data set reads first, whatever network saw it, or its own name when it makes its rows."""

    def told(source: str) -> None:
        raise Read(source)

    with monkeypatch.context() as patch:
        patch.setattr(
            evidence_data,
            "_npz",
            lambda path: told(re.sub("_(mobilenetv2q|efficientnetlite0)_(train|test)$", "", path.stem)),
        )
        for name in ("load_digits", "load_diabetes", "gaussian_mixture"):
            patch.setattr(evidence_data, name, lambda *_, name=name: told(name))
        try:
            benchmark.load(Path("nowhere"), 0)
        except Read as read:
            return str(read)
    return benchmark.name


def test_data_sets_are_of_one_family_just_when_they_are_made_of_one_source(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = {each.name: source_of(each, monkeypatch) for each in BENCHMARKS}
    assert len(set(sources.values())) == 9
    for one, other in itertools.combinations(BENCHMARKS, 2):
        assert (one.family == other.family) == (sources[one.name] == sources[other.name]), (one.name, other.name)


def test_every_seed_draws_its_own_pool_and_test_rows() -> None:
    rows = np.arange(600.0)[:, None].astype(np.float32)
    toy = Benchmark("toy", "Toy", "tuning", "Toy", (5,), lambda *_: ((rows, rows[:, 0] % 3), None), 200, test=100)
    drawn = [evidence_data.draw(toy, Path("nowhere"), seed) for seed in (0, 0, 1)]
    pools = [set(each.features[each.split.train, 0].tolist()) for each in drawn]
    tests = [set(each.features[each.split.test, 0].tolist()) for each in drawn]
    for pool, test, each in zip(pools, tests, drawn, strict=True):
        assert (len(pool), len(test), len(pool & test), len(each.split.validation)) == (200, 100, 0, 0)
    assert (pools[0], tests[0]) == (pools[1], tests[1])
    # two draws of k of 600 rows share k² / 600 with variance k² / 600 (1 - k / 600)² at most
    for (one, _, other), k in ((tests, 100), (pools, 200)):
        assert abs(len(one & other) - k**2 / 600) < 4 * k / 600**0.5


def test_long_tails_and_wrong_labels_are_what_they_say() -> None:
    labels = np.repeat(np.arange(5), 200)
    sizes = np.sort(np.bincount(labels[long_tail(labels, 16, np.random.default_rng(0))]))[::-1]
    assert sizes.tolist() == [200, 100, 50, 25, 12]
    wrong = (wrong_labels(labels, 0.1, np.random.default_rng(0)) != labels).mean()
    assert abs(wrong - 0.1) < 0.04


def test_shards_share_the_work_and_each_sees_every_data_set() -> None:
    parts = [steps(BENCHMARKS, 8, shard, 3) for shard in (1, 2, 3)]
    dealt = sorted((seed, each.name) for part in parts for seed, each in part)
    assert dealt == sorted((seed, each.name) for seed in range(8) for each in BENCHMARKS)
    assert all({each.name for _, each in part} == {each.name for each in BENCHMARKS} for part in parts)


def test_files_of_shards_merge_and_contradictions_are_refused(tmp_path: Path) -> None:
    one, two = (Study(tmp_path / name) for name in ("one.json", "two.json"))
    one.scores.append(["digits", "uniform", 20, 0, 0.5, 0.1])
    two.scores.append(["digits", "uniform", 20, 1, 0.6, 0.1])
    one.save()
    two.save()
    whole = Study(tmp_path / "whole.json")
    for name in ("one.json", "two.json", "two.json"):
        whole.take(Study(tmp_path / name))
    whole.save()
    assert [row[3:5] for row in Study(tmp_path / "whole.json").scores] == [[0, 0.5], [1, 0.6]]
    one.scores[0][4] = 0.4
    one.save()
    with pytest.raises(ValueError, match="two scores"):
        whole.take(Study(tmp_path / "one.json"))


def test_a_file_measured_another_way_is_refused(tmp_path: Path) -> None:
    Study(tmp_path / "old.json").save()
    old = json.loads((tmp_path / "old.json").read_text(encoding="utf-8")) | {"drawn": "another way"}
    (tmp_path / "old.json").write_text(json.dumps(old), encoding="utf-8")
    with pytest.raises(ValueError, match="other drawn"):
        Study(tmp_path / "old.json")
    assert Study(tmp_path / "old.json", anew=True).scores == []


@pytest.mark.parametrize("name", ["skmm_kernel", "skmm: sketch gaussian, m = 16", "skmm: head gradients, labels"])
def test_what_configurations_share_changes_no_score(name: str, tmp_path: Path) -> None:
    digits = replace(next(each for each in BENCHMARKS if each.name == "digits"), pool=150, test=100)
    chosen = {each.name: each for each in (*METHODS, *ABLATIONS)}
    shared, alone = (Draw(digits, tmp_path, 0) for _ in range(2))
    for before in ("skmm", "facility_location", "skmm_fit", "skmm: head gradients, random"):
        shared.score(chosen[before], 20)
    assert shared.score(chosen[name], 20)[0] == alone.score(chosen[name], 20)[0]


def test_a_stopped_study_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digits = replace(next(each for each in BENCHMARKS if each.name == "digits"), pool=150, test=100)
    study, drawn = Study(tmp_path / "one.json"), Draw(digits, tmp_path, 0)
    study.measure(drawn, METHODS[0], [10], 0)
    study.save()
    again = Study(tmp_path / "one.json")
    scored: list[int] = []
    monkeypatch.setattr(drawn, "score", lambda _, budget: (scored.append(budget), (0.5, 0.0))[1])
    again.measure(drawn, METHODS[0], [10, 20], 0)
    assert scored == [20]
    assert len(again.scores) == 2
