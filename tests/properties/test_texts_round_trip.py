"""Whatever the texts, joining them and taking them apart changes none."""

import numpy as np
from hypothesis import given, strategies as st

from skmm_core.data.known_labels import known_array, number_word
from skmm_core.data.row_texts import RowTexts

_TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=12)


@given(texts=_TEXTS, start=st.integers(0, 12), count=st.integers(0, 12))
def test_joined_bytes_are_the_same_texts(texts, start, count):
    held = RowTexts(RowTexts.of(texts).values.slice(min(start, len(texts)), count))
    data, ends = held.bytes_and_ends()
    assert (data.dtype, ends.dtype, len(ends)) == (np.uint8, np.int64, len(held))
    assert data.tobytes() == "".join(held.values.to_pylist()).encode()
    assert RowTexts.joined(data, ends).values.equals(held.values)


@given(texts=_TEXTS, seed=st.integers(0, 9))
def test_taken_rows_are_those_of_a_list(texts, seed):
    rows = np.random.default_rng(seed).permutation(len(texts))
    assert RowTexts.of(texts).take(rows).values.to_pylist() == [texts[row] for row in rows]


@given(
    value=st.floats(allow_nan=False, allow_infinity=False) | st.floats(width=32, allow_nan=False, allow_infinity=False)
)
def test_the_word_of_a_number_says_which_number_it_is(value):
    again = float(number_word(value))
    assert again == value or np.float32(again) == np.float32(value) == value


@given(labels=st.lists(st.none() | st.floats(-1e6, 1e6).map(number_word), min_size=1, max_size=9))
def test_labels_that_are_numbers_are_kept_as_these_numbers(labels):
    kept = known_array(tuple(labels))
    assert kept.dtype == np.float64
    assert [None if np.isnan(value) else number_word(value) for value in kept] == labels


@given(labels=st.lists(st.none() | st.sampled_from(["007", "cat", "1.10", "-1", "nan", "inf", "1e5"]), min_size=1))
def test_other_labels_are_kept_letter_by_letter(labels):
    kept = known_array(tuple(labels))
    if kept.dtype.kind == "U":
        assert [text or None for text in kept.tolist()] == labels
    else:
        assert set(labels) <= {None, "-1"}
