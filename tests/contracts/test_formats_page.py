"""The lists of formats in documents, help and form are the engine's one table."""

import importlib

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
