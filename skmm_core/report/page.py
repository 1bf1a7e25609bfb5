"""Write the report of a run.

Made from the files of the run folder alone, so that an imported run gets one too; nothing is computed anew.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from skmm_core.config import RunConfig
from skmm_core.data import row_text
from skmm_core.report.citation import PAPER_TEXT, PAPER_URL
from skmm_core.report.figures import figures_json, packed_plotly
from skmm_core.runs import REPORT
from skmm_core.storage import to_json, write_text

_TEMPLATES = Path(__file__).with_name("templates")


def _code(text: str) -> Markup:
    """What stands between backticks as code; all of it escaped."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def write_report(folder: Path, config: RunConfig, result: Mapping[str, Any]) -> None:
    """Write `report.html` of a run whose other files are there.

    Args:
        folder: the run folder.
        config: of the run.
        result: what `result.json` says or will say.

    Raises:
        InputError: a table that the report shows is missing or damaged.
        OSError: the folder cannot be written.
    """
    view = _view(folder, result)
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = _code
    template = environment.get_template(f"{result['kind']}.html.j2")
    shown = config.model_dump(mode="json", exclude_none=True)
    for name in ("include", "exclude"):  # thousands of rows are read more easily as ranges
        if rows := shown["job"].pop(name, None):
            shown["job"][name] = row_text(rows)
    if "params" in result:  # those that ran, defaults filled in
        shown["job"]["params"] = result["params"]
    figures = view["figures"]
    page = template.render(
        result=result,
        config=to_json(shown, indent=2),
        paper={"text": PAPER_TEXT, "url": PAPER_URL},
        figures_json=figures_json(figures),
        plotly=packed_plotly() if figures else "",
        **view,
    )
    write_text(folder / REPORT, page)


def _view(folder: Path, result: Mapping[str, Any]) -> dict[str, Any]:
    """Values for the template; each kind of run loads libraries that the others need not."""
    if result["kind"] == "select":
        from skmm_core.report.selection import selection_view

        return selection_view(folder, result)
    if result["kind"] == "compare":
        from skmm_core.report.comparison import comparison_view

        return comparison_view(folder, result)
    if result["kind"] == "embed":
        from skmm_core.report.embedding import embedding_view

        return embedding_view(folder, result)
    from skmm_core.report.paper import paper_view

    return paper_view(folder, result)
