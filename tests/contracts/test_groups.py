"""Groups are capped or kept whole, with every method, and with points that are given."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from skmm_core.cli.program import main
from skmm_core.data import groups_of, load_dataset
from skmm_core.errors import InputError
from skmm_core.methods import list_methods, select

N = 60
RNG = np.random.default_rng(2)
X = (RNG.normal(size=(N, 5)) * np.linspace(3, 0.5, 5)).astype(np.float32)
Y = np.arange(N) % 3
GROUPS = np.sort(RNG.integers(0, 9, N))
GIVEN, OUT = [0, 1, 20], [30, 31]


@pytest.mark.parametrize("key", [spec.key for spec in list_methods()])
def test_no_group_has_more_than_its_cap_given_points_among_them(key):
    found = select(
        X, key, 12, targets=Y, given=GIVEN, exclude=OUT, groups=GROUPS, per_group=2, device="cpu"
    ).indices.tolist()
    assert len(set(found)) == 12
    assert not set(found) & {*GIVEN, *OUT}
    assert max(Counter(GROUPS[[*GIVEN, *found]].tolist()).values()) == 2
    assert GROUPS[0] not in GROUPS[found], "two points of this group are given"


def test_a_cap_that_never_binds_changes_nothing():
    free = select(X, "k_center", 12, device="cpu")
    capped = select(X, "k_center", 12, groups=GROUPS, per_group=N, device="cpu")
    assert capped.indices.tolist() == free.indices.tolist()
    assert capped.weights.tolist() == free.weights.tolist()


def test_picks_go_on_from_what_is_kept_once_a_group_is_full():
    free = select(X, "k_center", 8, device="cpu").indices.tolist()
    kept, count = [], Counter()
    for row in free:
        if count[GROUPS[row]] < 1:
            kept.append(row)
            count[GROUPS[row]] += 1
    assert len(kept) < 8, "or this shows nothing"
    capped = select(X, "k_center", 8, groups=GROUPS, per_group=1, device="cpu").indices.tolist()
    assert capped[: len(kept)] == kept
    assert len(set(GROUPS[capped].tolist())) == 8


@pytest.mark.parametrize("key", ["skmm_cover", "k_center", "uniform", "entropy"])
def test_groups_are_taken_whole_as_far_as_they_fit(key):
    options = {"targets": Y, "groups": GROUPS, "per_group": "whole", "device": "cpu"}
    found = select(X, key, 20, given=GIVEN, exclude=OUT, **options)
    picks = found.indices.tolist()
    free = [row for row in range(N) if row not in {*GIVEN, *OUT}]
    assert not set(picks) - set(free)
    for group in {*GROUPS[picks].tolist()}:
        assert {row for row in free if GROUPS[row] == group} <= set(picks)
    left = 20 - len(picks)
    sizes = Counter(GROUPS[[row for row in free if row not in picks]].tolist())
    assert all(size > left for size in sizes.values()), "no other group fits"
    assert any("of the budget are left" in remark for remark in found.remarks) == bool(left)
    assert found.weights.tolist() == pytest.approx([1 / len(picks)] * len(picks))


def test_what_groups_cannot_give_is_said():
    with pytest.raises(
        InputError, match=r"with at most 1 a group only 9 points can be picked; lower the budget \(10\)"
    ):
        select(X, "uniform", 10, groups=GROUPS, per_group=1, device="cpu")
    with pytest.raises(InputError, match=r"no group fits in a budget of 1: the smallest has \d+ points"):
        select(X, "uniform", 1, groups=np.arange(N) // 4, per_group="whole", device="cpu")


def test_a_column_of_the_upload_is_the_group(tmp_path, capsys):
    frame = pd.DataFrame(X, columns=[f"f{i}" for i in range(5)])
    scenes = [f"scene {group}" if row % 7 else "" for row, group in enumerate(GROUPS)]
    frame.assign(scene=scenes, patient=GROUPS).to_csv(tmp_path / "a.csv", index=False)
    pool = load_dataset(str(tmp_path / "a.csv"))
    codes = groups_of(pool, "scene")
    assert len(set(codes[[0, 7, 14]].tolist())) == 3, "rows without a group stand alone"
    assert [codes[1] == code for code in codes[1:4]] == [GROUPS[1] == group for group in GROUPS[1:4]]
    words = ["select", "--dataset", str(tmp_path / "a.csv"), "--method", "uniform", "--out", str(tmp_path / "out")]
    assert main([*words, "--budget", "6", "--quiet", "--group", "patient", "--per-group", "1"]) == 2
    assert "'patient' is read as a feature; leave it out of them with --ignore 'patient'" in capsys.readouterr().err
    assert main([*words, "--budget", "6", "--quiet", "--group", "clinic", "--per-group", "1"]) == 2
    assert "has no column 'clinic' beside its features; it has scene" in capsys.readouterr().err
    assert main([*words, "--budget", "6", "--quiet", "--group", "scene"]) == 2
    assert "--per-group" in capsys.readouterr().err
    capped = [*words, "--budget", "6", "--quiet", "--ignore", "patient", "--group", "patient", "--per-group", "1"]
    assert main(capped) == 0
    chosen = pd.read_csv(tmp_path / "out/selection.csv")
    assert chosen["patient"].is_unique
    assert "scene" in chosen
    whole = [*words, "--budget", "30", "--quiet", "--ignore", "patient", "--group", "patient", "--per-group", "whole"]
    assert main(whole) == 0
    chosen = pd.read_csv(tmp_path / "out/selection.csv")
    sizes = Counter(GROUPS.tolist())
    assert Counter(chosen["patient"].tolist()) == {group: sizes[group] for group in set(chosen["patient"])}
