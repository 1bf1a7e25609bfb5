"""What labels are worth, against the definitions worked out in the slowest way."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from skmm_core.config import DatasetConfig
from skmm_core.data import Dataset, Split, empty_rows, load_dataset
from skmm_core.errors import InputError
from skmm_core.estimates import Estimate, class_counts, enough_for, estimate, labelled_rows, said_of
from skmm_core.estimates.calibration import calibration_error, probabilities, unseen_share
from skmm_core.estimates.expected_score import expected_accuracy, expected_error, pool_shares
from skmm_core.estimates.out_of_fold import deal, out_of_fold
from skmm_core.estimates.predictions import number_intervals
from skmm_core.estimates.working_pool import working_pool
from skmm_core.probes import class_scores, primary_metric

_ACCURACY, _ERROR = primary_metric("classification"), primary_metric("regression")


def _pool_of(name: str, rows: int, *, seed: int = 0) -> Dataset:
    full = load_dataset(DatasetConfig(source=name))
    drawn = np.sort(np.random.default_rng(seed).choice(full.pool_size, rows, replace=False))
    split = Split(full.split.train[torch.from_numpy(drawn)], empty_rows(), empty_rows())
    return replace(full, split=split, fingerprint=f"{name}:{rows}:{seed}")


def _words(made: Dataset, positions: np.ndarray) -> dict[str, str]:
    assert made.targets is not None
    rows = made.split.train.numpy()[positions].tolist()
    numbers = [made.targets[row].item() for row in rows]
    return {
        made.ids[row]: made.class_names[int(number)] if made.class_names else repr(number)
        for row, number in zip(rows, numbers, strict=True)
    }


def _truth(made: Dataset, found: Estimate) -> np.ndarray:
    assert made.targets is not None
    truth = made.targets[made.split.train].numpy()[found.predictions["position"]]
    return np.asarray(np.array(made.class_names, dtype=object)[truth] if made.class_names else truth)


def test_labels_are_found_by_id_and_the_table_wins_over_the_file() -> None:
    made = replace(_pool_of("digits", 60), targets=None, class_names=())
    own: list[str | None] = [None] * len(made.ids)
    first, second, third = made.split.train[:3].tolist()
    own[first], own[second] = "cat", "dog"
    made = replace(made, known_labels=tuple(own))
    given = {made.ids[second]: " cat ", made.ids[third]: "owl", "elsewhere": "cat", made.ids[first]: ""}
    rows = labelled_rows(made, given, batches={made.ids[third]: 2})
    assert rows.positions.tolist() == [0, 1, 2]
    assert [rows.class_names[code] for code in rows.classes] == ["cat", "cat", "owl"]
    assert rows.batches.tolist() == [0, 0, 2]
    assert rows.unknown == ("elsewhere",)
    assert class_counts(rows) == {"cat": 2, "owl": 1}
    with pytest.raises(InputError, match="none of the 1 labels is of a row"):
        labelled_rows(replace(made, known_labels=None), {"elsewhere": "cat"})
    with pytest.raises(InputError, match="label some rows first"):
        labelled_rows(replace(made, known_labels=None), {})
    with pytest.raises(InputError, match="'cat' is no number"):
        labelled_rows(made, {}, task="regression")


def test_a_label_is_never_seen_by_the_model_that_judges_it() -> None:
    made = _pool_of("digits", 200)
    positions = np.arange(0, 200, 5)
    rows = labelled_rows(made, _words(made, positions))
    pool = working_pool(made, rows.positions)
    found = out_of_fold(pool, rows, "propagate", seed=3)
    fold = deal(rows, 10, 3)
    for out in range(10):
        kept = fold != out
        seen, scores = class_scores(pool.view, positions[kept], rows.classes[kept], "propagate", seed=3)
        np.testing.assert_allclose(found.scores[0][~kept][:, seen], scores[positions[~kept]], atol=1e-8)
    swapped = replace(rows, values=np.where(np.arange(len(rows)) == 7, (rows.classes + 1) % 10, rows.classes))
    again = out_of_fold(pool, replace(swapped, values=swapped.values), "linear", seed=3)
    before = out_of_fold(pool, rows, "linear", seed=3)
    if (deal(swapped, 10, 3) == fold).all():
        np.testing.assert_allclose(again.scores[0][7], before.scores[0][7])


def test_a_labelled_row_weighs_as_much_as_the_rows_it_is_nearest_to() -> None:
    made = _pool_of("digits", 150)
    positions = np.arange(0, 150, 9)
    pool = working_pool(made, positions)
    rows = pool.view.rows.astype(np.float64)
    nearest = [int(np.argmin([np.linalg.norm(row - rows[at]) for at in positions])) for row in rows]
    shares = pool_shares(pool.near_labelled()[0][:, 0], len(positions))
    np.testing.assert_allclose(shares, np.bincount(nearest, minlength=len(positions)) / 150)
    own, apart = pool.near_each_other()
    assert not (own == np.arange(len(positions))[:, None]).any()
    np.testing.assert_allclose(apart[0, 0], np.linalg.norm(rows[positions[0]] - rows[positions[own[0, 0]]]), rtol=1e-5)


def test_the_score_is_what_the_model_expects_put_right_by_held_out_labels() -> None:
    correct, confidence = np.tile([1.0, 1.0, 0.0, 1.0], 10), np.tile([0.9, 0.8, 0.7, 0.6], 10)
    even = np.full(40, 1 / 40)
    found = expected_accuracy(_ACCURACY, correct, confidence, 0.8, even)
    assert found.value == pytest.approx(0.8 + (0.75 - 0.75))
    assert found.effective == pytest.approx(40)
    assert found.lo < 0.8 < found.hi
    heavy = expected_accuracy(_ACCURACY, correct, confidence, 0.7, np.where(correct > 0, 1 / 30, 0.0))
    assert heavy.value == pytest.approx(0.7 + 1 - (0.9 + 0.8 + 0.6) / 3)
    perfect = expected_accuracy(_ACCURACY, np.ones(40), np.ones(40), 1.0, even)
    assert perfect.hi == 1
    assert 0.85 < perfect.lo < 0.95, "forty right answers do not prove that all are right"
    few = expected_accuracy(_ACCURACY, correct[:12], confidence[:12], 0.8, np.full(12, 1 / 12))
    assert np.isnan(few.lo)
    assert "12 labels are too few" in few.why_not
    errors = np.tile([1.0, 2.0, 3.0], 20)
    off = expected_error(_ERROR, errors, np.full(60, 1 / 60))
    assert off.value == pytest.approx(2)
    assert (off.hi - off.lo) / 2 == pytest.approx(2.0 * errors.std(ddof=1) / np.sqrt(60), rel=0.02)


def test_probabilities_add_up_and_leave_room_for_classes_without_a_label() -> None:
    assert unseen_share(np.array([3, 1, 1, 0])) == pytest.approx(0.4)
    found = probabilities(np.array([[1.0, 2.0, -np.inf]]), 2.0, 0.4)
    np.testing.assert_allclose(found, [[0.6 / (1 + np.e**2), 0.6 / (1 + np.e**-2), 0]])
    assert calibration_error(np.full(10, 0.7), np.array([1.0] * 7 + [0.0] * 3), bins=1) == pytest.approx(0)
    assert calibration_error(np.array([0.9] * 5 + [0.6] * 5), np.array([1.0] * 5 + [0.0] * 5), bins=2) == pytest.approx(
        (0.1 + 0.6) / 2
    )


def test_intervals_of_numbers_hold_nine_in_ten_held_out_errors() -> None:
    errors = np.arange(1.0, 20.0)
    near = np.tile(np.arange(19), (19, 1))
    found = number_intervals(errors, near, near)
    assert found.quantile == pytest.approx(18 / 10), "the 18th smallest of 19, in units of the usual error"
    np.testing.assert_allclose(found.half_widths, 18.0)
    assert np.isinf(number_intervals(errors[:5], near[:5, :5] % 5, near[:5, :5] % 5).quantile)


def test_digits_are_predicted_and_the_interval_holds_the_truth() -> None:
    made = _pool_of("digits", 500)
    positions = np.random.default_rng(1).choice(500, 100, replace=False)
    batches = {id_: 1 + at // 50 for at, id_ in enumerate(_words(made, positions))}
    rows = labelled_rows(made, _words(made, positions), batches=batches)
    found = estimate(made, rows, learner="propagate", more=(50, 100, 1_000))
    table = found.predictions
    right = table["prediction"].to_numpy() == _truth(made, found)
    assert len(table) == 400
    assert not set(table["position"]) & set(positions.tolist())
    assert table["probability"].is_monotonic_increasing
    assert found.score.lo <= right.mean() <= found.score.hi
    assert calibration_error(table["probability"].to_numpy(), right.astype(float)) < 0.1
    assert right[:100].mean() < right[-100:].mean(), "the least sure come first"
    assert found.curve is not None
    assert {point.order for point in found.curve.points} == {"in the order picked", "at random"}
    assert [each.labels for each in found.next] == [150, 200], "nothing is said beyond twice the labels"
    assert all(each.lo <= each.value <= each.hi for each in found.next)
    assert enough_for(found.curve, found.score, 0.5) == 100
    assert enough_for(found.curve, found.score, 1.1) is None
    said = said_of(found, enough=100, wanted=0.5)
    assert "the 100 labels so far" in said["score"]
    assert said["wanted"] == "50 % is expected now."


def test_planted_mistakes_come_first() -> None:
    made = _pool_of("digits", 500)
    rng = np.random.default_rng(2)
    positions = rng.choice(500, 200, replace=False)
    words = _words(made, positions)
    wrong = rng.choice(list(words), 10, replace=False).tolist()
    planted = {id_: str((int(word) + 1) % 10) if id_ in wrong else word for id_, word in words.items()}
    found = estimate(made, labelled_rows(made, planted), learner="propagate", with_curve=False)
    assert found.curve is None
    first = found.mistakes["id"].head(10)
    assert first.isin(wrong).sum() >= 7, "random order would find half a one"
    listed = found.mistakes.set_index("id")
    assert listed.loc[wrong, "likely"].mean() >= 0.7
    assert listed.drop(index=wrong)["likely"].mean() < 0.1
    assert "Without this label it would be" in found.mistakes["reason"].iloc[0]


@pytest.mark.parametrize("learner", ["auto", "linear"])
def test_numbers_get_intervals_that_hold_about_nine_in_ten(learner: str) -> None:
    made = _pool_of("diabetes", 260)
    positions = np.arange(0, 260, 2)
    found = estimate(made, labelled_rows(made, _words(made, positions)), learner=learner, more=(50,))
    truth = _truth(made, found).astype(float)
    held = (found.predictions["low"] <= truth) & (truth <= found.predictions["high"])
    assert 0.8 <= held.mean() <= 0.99
    error = np.abs(found.predictions["prediction"] - truth).mean()
    assert found.score.lo <= error <= found.score.hi
    assert "off by" in said_of(found, enough=None, wanted=30.0)["score"]


def test_a_wrong_number_is_listed_first() -> None:
    made = _pool_of("diabetes", 260)
    words = _words(made, np.arange(0, 260, 2))
    victim = list(words)[20]
    found = estimate(made, labelled_rows(made, words | {victim: "2000"}), learner="linear", with_curve=False)
    assert found.mistakes["id"].iloc[0] == victim
    assert found.mistakes["likely"].iloc[0]


@pytest.mark.parametrize("count", [1, 2, 3, 10, 11, 60])
def test_any_number_of_labels_gets_an_answer(count: int) -> None:
    made = _pool_of("digits", 60)
    found = estimate(made, labelled_rows(made, _words(made, np.arange(count)), task="classification"), more=(5,))
    assert len(found.predictions) == 60 - count
    said = said_of(found, enough=None, wanted=0.9)
    assert said["score"]
    assert count >= 20 or found.next == ()
    number = _pool_of("diabetes", 60)
    found = estimate(number, labelled_rows(number, _words(number, np.arange(count))), more=(5,))
    assert len(found.predictions) == 60 - count
    assert said_of(found, enough=None, wanted=None)["score"]


def test_labels_of_one_class_say_so() -> None:
    made = _pool_of("digits", 60)
    ids = [made.ids[row] for row in made.split.train.tolist()[:30]]
    found = estimate(made, labelled_rows(made, dict.fromkeys(ids, "cat"), task="classification"))
    assert "All labels so far are cat" in said_of(found, enough=None, wanted=None)["score"]
    assert set(found.predictions["prediction"]) == {"cat"}
    assert found.predictions["probability"].isna().all()
    alone = labelled_rows(made, {ids[0]: "cat", ids[1]: "dog"}, task="classification")
    assert "Every class has one label" in said_of(estimate(made, alone), enough=None, wanted=None)["score"]


def test_an_offset_of_the_columns_changes_little() -> None:
    made = _pool_of("digits", 200)
    rows = labelled_rows(made, _words(made, np.arange(0, 200, 4)))
    moved = replace(made, features=made.features * 3 + 1_000, fingerprint="moved")
    first, second = (estimate(each, rows, learner="propagate", with_curve=False) for each in (made, moved))
    assert first.score.value == pytest.approx(second.score.value, abs=0.01)
    assert (
        first.predictions.sort_values("position")["prediction"].to_numpy()
        == second.predictions.sort_values("position")["prediction"].to_numpy()
    ).mean() > 0.98


def test_the_rest_of_a_large_pool_is_predicted_beside_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    made = _pool_of("digits", 600)
    rows = labelled_rows(made, _words(made, np.arange(0, 600, 6)))
    whole = estimate(made, rows, learner="propagate", with_curve=False)
    monkeypatch.setattr("skmm_core.estimates.working_pool._WHOLE_UP_TO", 500)
    monkeypatch.setattr("skmm_core.estimates.working_pool._PART", 300)
    part = estimate(made, rows, learner="propagate", with_curve=False)
    assert len(part.predictions) == len(whole.predictions) == 500
    right = [(each.predictions["prediction"].to_numpy() == _truth(made, each)).mean() for each in (whole, part)]
    assert right[1] > right[0] - 0.05
    numbers = _pool_of("diabetes", 260)
    monkeypatch.setattr("skmm_core.estimates.working_pool._WHOLE_UP_TO", 200)
    monkeypatch.setattr("skmm_core.estimates.working_pool._PART", 150)
    found = estimate(numbers, labelled_rows(numbers, _words(numbers, np.arange(0, 260, 4))), with_curve=False)
    assert len(found.predictions) == 195
    truth = _truth(numbers, found).astype(float)
    assert np.abs(found.predictions["prediction"] - truth).mean() < np.abs(truth - truth.mean()).mean()
