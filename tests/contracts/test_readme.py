"""The README says what the code does: its table is the registry's, its commands and pictures exist."""

import re
from pathlib import Path

import pytest

from skmm_core.methods.table import method_table
from tests.contracts.rooms import room_table

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_method_table_is_the_registrys() -> None:
    assert method_table() in README, "run `python -m skmm_core.methods.table` and paste its output into README.md"


def test_the_table_of_rooms_is_made_from_their_faces() -> None:
    assert room_table() in README, "run `python -m tests.contracts.rooms` and paste its output into README.md, Inside"


def test_local_links_exist() -> None:
    links = re.findall(r"\]\(((?!https?://|#)[^)]+)\)", README)
    assert links
    for link in links:
        assert (ROOT / link.split("#")[0]).exists(), f"README links to {link}, which is not there"


@pytest.mark.parametrize("target", ["run", "test"])
def test_make_targets_exist(target: str) -> None:
    assert f"make {target}" in README
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
