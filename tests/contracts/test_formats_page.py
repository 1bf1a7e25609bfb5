"""The lists of formats in documents, help and form are the engine's one table."""

import importlib
import re

from dashboard.components.data.form import formats_text
from dashboard.services.sources import SUFFIXES
from skmm_core.data import FORMATS
from skmm_core.data.formats import format_table
from tests.contracts.rooms import ROOT


def test_documents_hold_the_table() -> None:
    for name in ("README.md", "assets/docs/formats.md"):
        assert format_table() in (ROOT / name).read_text(encoding="utf-8"), (
            f"paste skmm_core.data.formats.format_table() into {name}"
        )


def test_every_format_has_its_reader_and_a_way_in() -> None:
    for form in FORMATS:
        importlib.import_module(f"skmm_core.data.{form.reader}")
        assert form.endings or form.folder
        assert {name.removeprefix(".") for name in form.names} <= set(SUFFIXES)
        assert not form.endings or f"**{form.title}**" in formats_text()


def test_every_surprise_has_a_version_and_a_consequence_and_its_links_lead_somewhere() -> None:
    page = (ROOT / "assets/docs/formats.md").read_text(encoding="utf-8")
    section = page.split("## Where other tools surprise", 1)[1]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 20
    for tool, does, ours in rows:
        assert re.search(r"\d+\.\d+", tool), f"no version: {tool}"
        assert does.strip()
        assert ours.strip()
    links = re.findall(r"\]\(([^)]+)\)", section)
    assert links
    for link in links:
        assert (ROOT / "assets/docs" / link).resolve().is_file(), link
