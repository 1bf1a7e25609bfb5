"""The Overview's sentence: made of the splits that it is given, and honest whatever they say."""

from typing import Any

import pytest

from dashboard.components.overview.sentence import caption, sentence


def made(*factors: float | str, budget: int = 60, **changed: Any) -> dict[str, Any]:
    """Figures of splits with these factors; "less" and "more" are beyond the budgets 30 to 210."""
    rows: list[dict[str, Any]] = []
    for split, factor in enumerate(factors):
        row = {"split": split, "budget": budget, "relation": "about", "bound": None}
        if isinstance(factor, str):
            row |= {"relation": f"{factor} than", "bound": 30 if factor == "less" else 210, "factor": None}
        else:
            row |= {"factor": factor, "uniform_budget": factor * budget}
        rows.append(row)
    figures = {"savings": rows, "budget": budget, "pool": 1078, "test": 719, "validation_rows": 0, "seeds": 8}
    return figures | {"made_by": "python -m made"} | changed


def said(*factors: float | str, **changed: Any) -> str:
    return sentence(made(*factors, **changed), title="SkMM").replace("**", "").replace("\u00a0", " ")


def test_the_typical_split_its_range_and_those_without_gain_are_said() -> None:
    assert said(1.4, 0.94, 2.21, 1.5, 1.0) == (
        "Over 5 random splits of handwritten digits, 60 labelled images chosen by SkMM did as well as about 84 random "
        "ones (1.4 times; from 0.94 to 2.21 by split); on two of 5 they saved nothing."
    )


def test_without_a_split_that_saved_nothing() -> None:
    assert said(1.2, 1.3).endswith("(1.25 times; from 1.2 to 1.3 by split); they saved some on each.")


def test_no_gain_is_called_so() -> None:
    assert "as well as about as many random ones (61) (1.01 times;" in said(0.9, 1.01, 1.2)
    assert "as well as only about 48 random ones (0.8 times;" in said(0.7, 0.8, 0.9)
    assert said(0.7, 0.8, 0.9).endswith("they saved nothing on any.")


def test_splits_beyond_the_budgets_measured_are_bounds() -> None:
    assert "(1.4 times; from less than 0.5 to more than 3.5 by split); on one of 3" in said("less", 1.4, "more")
    beyond = said("more", "more", 1.4)
    assert "did as well as more random ones than were measured (from 1.4 to more than 3.5 by split)" in beyond


def test_a_middle_below_what_was_measured_is_no_gain() -> None:
    below = said("less", "less", 2.0)
    assert "did as well as fewer random ones than were measured (from less than 0.5 to 2 by split)" in below
    below = said("less", "less", "more")  # although one split lies beyond on the other side
    assert "did as well as fewer random ones than were measured" in below


@pytest.mark.parametrize(("rows", "words"), [(0, "no other label is read"), (359, "359 labelled validation rows")])
def test_labels_that_tune_the_probe_are_counted(rows: int, words: str) -> None:
    found = caption(made(1.4, validation_rows=rows)).replace("\u00a0", " ")
    assert words in found
    assert "1,078 images to choose from and 719 to test on; scores are of a linear probe, means over 8 draws" in found
    assert "`python -m made`" in found
