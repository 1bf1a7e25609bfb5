"""Chosen points as a file for a tool to label in: one door for all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from skmm_core.errors import InputError
from skmm_core.labels.argilla import write_argilla
from skmm_core.labels.cvat import write_cvat
from skmm_core.labels.fiftyone import write_fiftyone
from skmm_core.labels.label_studio import write_label_studio
from skmm_core.labels.outgoing import Exported, Outgoing
from skmm_core.labels.picture_folders import write_picture_folders
from skmm_core.labels.prodigy import write_prodigy
from skmm_core.labels.spreadsheet import write_spreadsheet


@dataclass(frozen=True)
class LabelTool:
    """Something to label with.

    Attributes:
        key: its name on the command line.
        title: its name for people.
        ending: of the file that goes out.
        back: what comes back, in words.
        pictures_only: whether points need pictures.
        write: writes the file.
    """

    key: str
    title: str
    ending: str
    back: str
    pictures_only: bool
    write: Callable[[Outgoing, Path], Exported]


LABEL_TOOLS = (
    LabelTool("csv", "Spreadsheet", ".csv", "the file with the column label filled in", False, write_spreadsheet),
    LabelTool("label-studio", "Label Studio", ".json", "JSON, JSON-MIN or CSV", False, write_label_studio),
    LabelTool("cvat", "CVAT", ".zip", "CVAT for images 1.1 or COCO, as zip, xml or json", True, write_cvat),
    LabelTool("fiftyone", "FiftyOne", ".zip", "`samples.json`, or the folder with it", True, write_fiftyone),
    LabelTool("argilla", "Argilla", ".json", "records as JSON, flat or nested", False, write_argilla),
    LabelTool("prodigy", "Prodigy", ".jsonl", "what `db-out` writes", False, write_prodigy),
    LabelTool(
        "zip", "Folders of pictures", ".zip", "the pictures in folders of their classes", True, write_picture_folders
    ),
)


def tool_table() -> str:
    """Markdown table of all tools."""
    rows = ["| Tool | `--to` | Goes out as | Comes back as | Needs pictures |", "|---|---|---|---|---|"]
    rows += [
        f"| {tool.title} | `{tool.key}` | `{tool.ending}` | {tool.back} | {'yes' if tool.pictures_only else 'no'} |"
        for tool in LABEL_TOOLS
    ]
    return "\n".join(rows) + "\n"


def label_tool(key: str) -> LabelTool:
    """The tool of this name.

    Raises:
        InputError: there is none.
    """
    found = next((tool for tool in LABEL_TOOLS if tool.key == key), None)
    if found is None:
        raise InputError(f"{key[:40]!r} is no tool to label in; choose {', '.join(tool.key for tool in LABEL_TOOLS)}")
    return found


def export_selection(out: Outgoing, tool: str, path: Path) -> Exported:
    """Write points for a tool.

    Args:
        out: the points, in the order picked.
        tool: csv, label-studio, cvat, fiftyone, argilla, prodigy or zip.
        path: of the file to write.

    Raises:
        InputError: there is no such tool, nothing to label, or the file cannot be written.
    """
    found = label_tool(tool)
    if not out.rows:
        raise InputError("there is nothing to label: no point was picked, or all have labels; pick the next batch")
    try:
        return found.write(out, path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}; choose another place") from None
