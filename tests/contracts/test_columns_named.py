"""What the name of a column says, and what a person is asked where no name says it."""

import numpy as np
import pandas as pd
import pytest

from skmm_core.config import DatasetConfig
from skmm_core.data.load import load_dataset, load_texts

N = 40
RNG = np.random.default_rng(0)
F = ["f0", "f1", "f2"]
FRAME = pd.DataFrame(RNG.normal(size=(N, 3)), columns=F)
KIND = np.arange(N) % 3
WORDS = np.array(["ant", "bee", "cat"])[KIND]


def load(tmp_path, frame, **options):
    frame.to_csv(tmp_path / "a.csv", index=False)
    return load_dataset(DatasetConfig(source=str(tmp_path / "a.csv"), **options))


def says(dataset, text):
    return any(text in note for note in dataset.notes)


@pytest.mark.parametrize("name", ["userID", "PassengerId", "tweet.id", "Image-ID", "user id"])
def test_names_of_ids_however_their_words_are_joined(tmp_path, name):
    ids = 1_700_000_000_000_000_001 + RNG.permutation(N)
    dataset = load(tmp_path, FRAME.assign(**{name: ids}))
    assert dataset.ids == tuple(map(str, ids.tolist()))
    assert dataset.feature_names == tuple(F)


@pytest.mark.parametrize("name", ["trueLabel", "class.name", "classLabel", "Ground Truth"])
def test_names_of_labels_however_their_words_are_joined(tmp_path, name):
    assert load(tmp_path, FRAME.assign(**{name: KIND})).class_names == ("0", "1", "2")


@pytest.mark.parametrize("name", ["Text", "reviewText", "page content", "Tweet-Text", "Abstract"])
def test_names_of_texts_however_their_words_are_joined(tmp_path, name):
    words = [f"a few words about row {row}" for row in range(N)]
    dataset = load(tmp_path, FRAME.assign(**{"remark": words, name: words}))
    assert [line.taken for line in dataset.reading if line.part == "Texts"] == [repr(name)]


def test_long_numbers_under_the_name_of_ids_are_no_texts(tmp_path):
    sessions = [10**18 + row // 2 for row in range(N)]
    frame = pd.DataFrame({"session_id": sessions, "remark": [f"seen {row}" for row in range(N)]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    dataset = load_texts(DatasetConfig(source=str(tmp_path / "a.csv")))
    assert [dataset.texts.text(row) for row in range(2)] == ["seen 0", "seen 1"]


def test_classes_that_are_written_as_hexadecimal_numbers_keep_their_names(tmp_path):
    assert load(tmp_path, FRAME.assign(label=np.array(["0x1f", "0x2a"])[KIND % 2])).class_names == ("0x1f", "0x2a")


@pytest.mark.parametrize("name", ["y_pred", "predicted_label", "prediction", "predictedClass", "pred", "y_hat"])
def test_what_a_model_said_is_no_feature(tmp_path, name):
    dataset = load(tmp_path, FRAME.assign(label=WORDS, **{name: RNG.integers(0, 3, N)}))
    assert dataset.feature_names == tuple(F)
    assert says(dataset, f"{name!r} (its name is that of a prediction)")


@pytest.mark.parametrize("names", [("label_cat", "label_dog"), ("class_0", "class_1"), ("Target.a", "Target.b")])
@pytest.mark.parametrize("share", [KIND == 0, RNG.random(N).round(2)])
def test_one_column_a_class_is_a_label(tmp_path, names, share):
    one, other = np.asarray(share, float), 1 - np.asarray(share, float)
    dataset = load(tmp_path, FRAME.assign(**{names[0]: one, names[1]: other}))
    assert dataset.feature_names == tuple(F)
    assert says(dataset, "one column a class, which add up to 1 in every row: a label")
    sizes = FRAME.assign(class_size=RNG.integers(2, 90, N), class_mean=RNG.random(N))
    assert load(tmp_path, sizes).feature_names == (*F, "class_size", "class_mean")


@pytest.mark.parametrize(("name", "values"), [("species", WORDS), ("Cover_Type", KIND + 1)])
def test_a_column_that_may_be_the_target_is_named(tmp_path, name, values):
    assert says(load(tmp_path, FRAME.assign(**{name: values})), f"if {name!r} is one, name it (--target {name})")
    assert not says(load(tmp_path, FRAME), "name it")


def test_ids_that_rows_share_are_said(tmp_path):
    dataset = load(tmp_path, FRAME.assign(user_id=[f"u{row // 2}" for row in range(N)]))
    assert dataset.ids[:2] == ("0", "1")
    assert says(dataset, "'user_id' (its name is that of an id, but rows share one or lack it)")


def test_a_line_of_units_is_named_where_nothing_is_left(tmp_path):
    from skmm_core.errors import InputError

    units = pd.concat([pd.DataFrame([["m", "s", "kg"]], columns=F), FRAME])
    with pytest.raises(InputError, match=r"f0 \(holds text in 1 of 41 rows \(row 0, from 0: 'm'\)\)"):
        load(tmp_path, units)
