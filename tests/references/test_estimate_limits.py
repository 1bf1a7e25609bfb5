"""What an estimate must not say: more rows than there are, intervals of nothing, equal rows that are not equal."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from skmm_core.config import DatasetConfig
from skmm_core.data import Dataset, Split, empty_rows, load_dataset
from skmm_core.estimates import enough_for, estimate, labelled_rows, said_of
from skmm_core.estimates.predictions import number_intervals

RNG = np.random.default_rng(0)


def _pool(rows: np.ndarray, name: str) -> Dataset:
    made = load_dataset(DatasetConfig(source="digits"))
    features = torch.from_numpy(rows.astype(np.float32))
    split = Split(torch.arange(len(rows)), empty_rows(), empty_rows())
    ids = tuple(f"r{row}" for row in range(len(rows)))
    bare = replace(made, features=features, targets=None, class_names=(), ids=ids, rows=torch.arange(len(rows)))
    return replace(bare, split=split, fingerprint=name, images=None, task=type(made.task)("unlabelled"))


def _sides(rows: np.ndarray, count: int) -> dict[str, str]:
    return {f"r{at}": "left" if rows[at, 0] < 0 else "right" for at in range(count)}


def test_rows_of_one_direction_are_not_the_same() -> None:
    grid = np.array([(x, y) for x in (-3, -2, -1, 1, 2, 3) for y in (-3, -2, -1, 1, 2, 3)], float)
    grid = np.vstack([grid, grid[:1]])
    words = {f"r{at}": "in" if np.abs(row).sum() <= 3 else "out" for at, row in enumerate(grid)}
    words["r36"] = "in"  # the same row as r0, which is out
    pool = _pool(grid, "grid")
    found = estimate(pool, labelled_rows(pool, words), learner="propagate", with_curve=False).mistakes
    same = found[found["reason"].str.contains("is the same")]
    assert set(same["id"]) == {"r0", "r36"}


def test_nothing_is_said_of_more_labels_than_rows() -> None:
    rows = RNG.normal(size=(60, 5))
    pool = _pool(rows, "sixty")
    found = estimate(pool, labelled_rows(pool, _sides(rows, 40)), learner="linear", more=(10, 20, 21, 40))
    assert found.curve is not None
    assert [each.labels for each in found.next] == [50, 60]
    assert enough_for(found.curve, found.score, 1.1) is None
    said = said_of(found, enough=None, wanted=1.1)["wanted"]
    assert said == "110 % is not expected even with a label for every row."


def test_a_pool_with_all_labels_has_no_rows_without_one() -> None:
    rows = RNG.normal(size=(60, 5))
    pool = _pool(rows, "all")
    found = estimate(pool, labelled_rows(pool, _sides(rows, 60)), learner="propagate")
    assert len(found.predictions) == 0
    assert found.next == ()
    assert found.score.value == pytest.approx(found.score.held_out), "all labels weigh alike, and none was seen"
    assert "every row has one" in said_of(found, enough=None, wanted=None)["score"]


def test_numbers_that_are_all_met_say_nothing_of_others() -> None:
    rows = RNG.normal(size=(60, 5))
    pool = _pool(rows, "met")
    few = estimate(pool, labelled_rows(pool, {f"r{at}": "0.5" for at in range(3)}, task="regression"))
    assert few.predictions["low"].isna().all()
    many = estimate(pool, labelled_rows(pool, {f"r{at}": "0.5" for at in range(30)}, task="regression"))
    said = said_of(many, enough=None, wanted=None)["score"]
    assert "nan" not in said
    assert "does not say how far off others may be" in said
    near = np.zeros((3, 1), np.int64)
    assert np.isinf(number_intervals(np.zeros(3), near, near).half_widths).all()


def test_why_nobody_can_say_when_a_score_is_reached() -> None:
    rows = RNG.normal(size=(90, 5))
    pool = _pool(rows, "ninety")
    left_out = estimate(pool, labelled_rows(pool, _sides(rows, 30)), learner="linear", with_curve=False)
    assert "which was left out" in said_of(left_out, enough=None, wanted=0.999)["wanted"]
    few = estimate(pool, labelled_rows(pool, _sides(rows, 12)), learner="linear")
    assert few.curve is not None
    assert "Too few labels" in said_of(few, enough=None, wanted=0.999)["wanted"]
    some = estimate(pool, labelled_rows(pool, _sides(rows, 30)), learner="linear")
    assert "more than 2 times" in said_of(some, enough=None, wanted=1.1)["wanted"]


def test_a_model_that_no_held_out_label_can_check_has_no_probabilities() -> None:
    rows = RNG.normal(size=(40, 5))
    pool = _pool(rows, "unchecked")
    found = estimate(pool, labelled_rows(pool, {"r0": "cat", "r1": "dog"})).predictions
    assert set(found["prediction"]) <= {"cat", "dog"}
    assert found["probability"].isna().all()
    assert found["runner_up_probability"].isna().all()
    assert set(found["runner_up"]) <= {"cat", "dog"}
