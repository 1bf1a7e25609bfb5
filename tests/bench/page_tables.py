"""Lines and tables of pages that are made from figures."""

from collections.abc import Sequence
from typing import Any


def goal_line(measured: str, goal: str, met: bool) -> str:
    """A goal, what was measured for it, and whether it is met."""
    return f"- {'Met' if met else '**Not met**'} (goal: {goal}): {measured}."


def table(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows under titles, as Markdown."""
    lines = [titles, ["---"] * len(titles), *([number(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: Any) -> str:
    """Three significant digits, thousands separated; text as it is."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def machine_line(found: dict[str, Any]) -> str:
    """Where these figures were measured."""
    machine = found["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['threads']} used, on {machine['device']}, load "
        f"{machine['load']}, {machine['memory_mb'] // 1024} GB; {versions}."
    )
