"""The rooms of the engine, in the order in which data pass through them; `python -m tests.contracts.rooms` prints them.

A room imports rooms above it only. The words are those with which each room's `__init__.py` opens.
"""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENGINE = ROOT / "skmm_core"
ROOMS = (
    "storage",
    "blocks",
    "data",
    "encoders",
    "sketches",
    "solvers",
    "gradients",
    "pool",
    "methods",
    "diagnostics",
    "probes",
    "runs",
    "projects",
    "labels",
    "comparison",
    "estimates",
    "paper",
    "bench",
    "learn",
    "report",
    "jobs",
    "cli",
    "testing",
)
SHARED = {"__init__", "__main__", "errors", "progress", "device", "config"}  # what stands at the top, for every room


def words(room: str) -> tuple[str, str]:
    """The sentence that says what comes in and goes out, and what is said besides."""
    text = ast.get_docstring(ast.parse((ENGINE / room / "__init__.py").read_text(encoding="utf-8"))) or ""
    first, _, more = text.partition("\n\n")
    return " ".join(first.split()), " ".join(more.split())


def handed_on(room: str) -> dict[str, str]:
    """Names that a room's face hands on, with the module each lives in; none of a room that no other room uses."""
    stub = ENGINE / room / "__init__.pyi"
    body = ast.parse(stub.read_text(encoding="utf-8")).body if stub.exists() else []
    imports = [node for node in body if isinstance(node, ast.ImportFrom)]
    return {alias.name: f"skmm_core.{room}.{node.module}" for node in imports for alias in node.names}


def room_table() -> str:
    """Markdown table for the README."""
    rows = ["| Room | What comes in, what goes out | What else to know |", "|---|---|---|"]
    rows += [f"| [`{room}/`](skmm_core/{room}) | {' | '.join(words(room))} |" for room in ROOMS]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.stdout.write(room_table())
