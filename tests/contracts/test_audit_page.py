"""The page of the audit says what the committed figures say, and the audit speaks of everything that is computed."""

import json

from tests.audit.coverage import NOT_COVERED, wanted
from tests.audit.page import FIGURES, PAGE, page

ROWS = json.loads(FIGURES.read_text(encoding="utf-8"))


def test_the_page_is_what_the_figures_make_it() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(ROWS), "run `python -m tests.audit.page`"


def test_everything_is_audited_or_left_out_for_a_reason() -> None:
    covered = {row["subject"] for row in ROWS}
    assert wanted() - covered - set(NOT_COVERED) == set(), "add them to tests/audit, or say why not in coverage.py"
    assert not covered & set(NOT_COVERED)
    assert set(NOT_COVERED) <= wanted(), "what is left out no longer exists"


def test_a_failure_is_told_in_bold() -> None:
    row = {**ROWS[0], "failed": 1}
    assert "did **not** hold" in page([row])
    assert "1 of" in page([row])
    assert "comparisons held" in page([{**row, "failed": 0}])
