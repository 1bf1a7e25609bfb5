"""One number, one name: pages, reports and files take what a number is called from one list."""

import json
import re
from pathlib import Path

import pytest
import torch

from skmm_core.diagnostics import QUANTITIES, diagnose
from skmm_core.pool import make_pool
from tests.contracts.quantities import LEARN, ROOT, in_files, literals, page, shown

LIST = ROOT / "skmm_core" / "diagnostics" / "quantities.py"
SOURCES = sorted(
    path
    for folder in ("dashboard", "skmm_core/report", "skmm_core/cli", "skmm_core/jobs")
    for path in (ROOT / folder).rglob("*.py")
)


def test_the_page_on_numbers_is_current() -> None:
    found = (ROOT / "assets" / "docs" / "numbers.md").read_text(encoding="utf-8")
    assert found == page(), "run `python -m tests.contracts.quantities > assets/docs/numbers.md`"


def test_names_and_definitions_are_distinct() -> None:
    for part in ("key", "title", "symbol", "meaning"):
        found = [getattr(each, part) for each in QUANTITIES.values() if getattr(each, part) != "–"]
        assert len(set(found)) == len(found), part
    assert all(shown(each) for each in QUANTITIES.values()), "a name that nothing shows"


def test_what_is_said_to_be_in_the_files_is_there() -> None:
    for each in QUANTITIES.values():
        assert in_files(each) == each.in_files, each.key
        assert each.in_files != (each.key in LEARN)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_page_or_report_types_a_name_by_itself(path: Path) -> None:
    titles = {each.title.lower() for each in QUANTITIES.values()} - {"points chosen"}  # an axis of other things too
    typed = [text for text in literals(path) if text.strip().lower() in titles and text not in QUANTITIES]
    assert not typed, f"take it from {LIST.relative_to(ROOT)}"


@pytest.mark.parametrize("folder", ["dashboard/components/workbench", "dashboard/components/shared/diagnostics"])
def test_a_bare_bias_or_variance_is_never_shown(folder: str) -> None:
    # which of the four kinds is meant must be said; colours and steps of Learn have the bare words as keys
    allowed = {"bias", "variance", "Bias", "Variance"}
    for path in (ROOT / folder).rglob("*.py"):
        for text in literals(path):
            if text not in allowed:
                bare = re.sub(
                    r"(bias|variance)[ _](term|²|\()|ridge (bias|variance)|targets' variance", "", text.lower()
                )
                assert not re.search(r"\b(bias|variance)\b", bare), (path.name, text)


def test_read_out_of_files_a_number_is_what_was_measured() -> None:
    rows = torch.randn(80, 6, generator=torch.Generator().manual_seed(2))
    found = diagnose(make_pool(rows, targets=rows.sum(dim=1) + rows[:, 0] ** 2), torch.arange(12))
    saved = json.loads(json.dumps(found.summary()))
    for each in QUANTITIES.values():
        if each.in_files:
            assert each.of(saved) == each.of(vars(found)), each.key
    at = found.ranks.tolist().index(found.rank)
    bound = found.bias_weight * found.bias_curve + found.variance_weight * found.variance_curve
    assert QUANTITIES["error_bound"].of(saved) == pytest.approx(bound[at], rel=1e-12)
    assert QUANTITIES["ridge_error"].of(saved) == found.ridge_bias2 + found.ridge_variance
    assert QUANTITIES["ridge_error"].of(saved | {"ridge_bias2": None}) is None
    assert QUANTITIES["class_tv"].of({}) is None
