"""`assets/docs/audit.md` from the figures of the last audit, `assets/benchmarks/audit.json`.

python -m tests.audit.page
"""

import json
from pathlib import Path
from typing import Any

from tests.audit.coverage import NOT_COVERED

ROOT = Path(__file__).resolve().parents[2]
FIGURES, PAGE = ROOT / "assets" / "benchmarks" / "audit.json", ROOT / "assets" / "docs" / "audit.md"
_KINDS = {
    "method": "Methods",
    "diagnostics": "Diagnostics",
    "statistic": "Statistics",
    "metric": "Metrics",
    "probe": "Probes",
    "warm-up": "Warm-up head",
    "gradient": "Gradients",
    "sketch": "Sketches",
    "data": "Data",
    "file": "Files",
    "map": "Maps",
    "encoder": "Encoders",
    "paper": "The paper's experiment",
}
_INTRODUCTION = """# Audit

What the program computes, written anew from the published definitions and compared. The expected numbers are made in
plain NumPy and SciPy in float64, or by simulation, never by the program's own solvers. `make audit` runs it before a
release and makes this page from `assets/benchmarks/audit.json`; no number is typed by hand.

Pools: plain clusters, an offset of 1e4, units of 1e-6 and 1e6, columns in mixed units, ties, duplicates, rank-deficient
and wide pools, permuted rows, a constant column, rows of zeros, heavy-tailed clusters, two labels a class; each in
float32 and float64. An expected number is made from the very numbers that the program gets, so rounding of the input is
no error. Features of photographs and a table of houses are added where they are kept (`SKMM_REAL_DATA`).

*Error* is that of the worst case: relative to the largest expected number, or in the unit that is named; for a greedy
method how much a pick lost against the best; for chances and simulated claims standard errors. *Allowed* follows from
rounding and the condition of the case, or is five standard errors (3.3 where a claim is one-sided). Where several
allowances apply, the case nearest to its own is shown.
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(json.loads(FIGURES.read_text(encoding="utf-8"))), encoding="utf-8")


def page(rows: list[dict[str, Any]]) -> str:
    """The page as Markdown."""
    return "\n".join([_INTRODUCTION, _failures(rows), *_sections(rows), _left_out()])


def _failures(rows: list[dict[str, Any]]) -> str:
    failed = [row for row in rows if row["failed"]]
    compared = sum(row["cases"] for row in rows)
    if not failed:
        return f"In the last audit all {compared:,} comparisons held.\n"
    names = ", ".join(sorted({row["subject"] for row in failed}))
    wrong = sum(row["failed"] for row in failed)
    return (
        f"In the last audit {wrong:,} of {compared:,} comparisons did **not** hold; they are in bold below: {names}.\n"
    )


def _sections(rows: list[dict[str, Any]]) -> list[str]:
    unknown = {row["subject"].split()[0] for row in rows} - set(_KINDS)
    if unknown:
        raise ValueError(f"no heading for {sorted(unknown)}")
    return [
        _section(title, [row for row in rows if row["subject"].split()[0] == kind]) for kind, title in _KINDS.items()
    ]


def _section(title: str, rows: list[dict[str, Any]]) -> str:
    lines = [f"## {title}\n", "| Subject | Compared | Cases | Error | Allowed | How |", "|---|---|---|---|---|---|"]
    for row in rows:
        name = row["subject"].split(" ", 1)[1]
        quantity = f"{row['quantity']}, {row['precision']}" if row["precision"] else row["quantity"]
        unit = "" if row["unit"] == "relative" else f" {row['unit']}"
        error = f"{row['error']}{unit}"
        if row["failed"]:
            error = f"**{error}, {row['failed']} of {row['cases']} fail, worst: {row['worst']}**"
        cells = [f"`{name}`", quantity, str(row["cases"]), error, row["within"], row["how"]]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _left_out() -> str:
    lines = [f"| {subject} | {reason} |" for subject, reason in sorted(NOT_COVERED.items())]
    return "\n".join(["## Not covered\n", "| What | Why |", "|---|---|", *lines]) + "\n"


if __name__ == "__main__":
    main()
