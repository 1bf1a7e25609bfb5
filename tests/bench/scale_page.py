"""`assets/docs/scale.md` from the figures in `assets/benchmarks/scale.json` and `held-rows.json`.

    python -m tests.bench.scale_page

Every number that is measured, predicted or paid for is computed from these files; a test compares the page with them.
"""

import json
from pathlib import Path
from typing import Any

from tests.bench.page_tables import goal_line, machine_line, number, table

ROOT = Path(__file__).resolve().parents[2]
FIGURES, PAGE = ROOT / "assets" / "benchmarks", ROOT / "assets" / "docs" / "scale.md"
MEMORY_GOAL, EXPONENT_GOAL, OBJECTIVE_GOAL, PREDICTION_GOAL = 3072, 1.05, 1.02, 0.25
PASSES = {"Fingerprinting": "hash", "Adding up": "moments", "Finding the rows": "far rows", "Taking rows": "held rows"}
DOLLARS_A_CORE_HOUR = 0.05  # an assumption: about what clouds ask for a core of a plain machine
LARGE = (10**8, 10**9)

INTRODUCTION = """# Pools larger than memory

Made by `python -m tests.bench.scale_page` from `assets/benchmarks/scale.json` and `held-rows.json`; no number is
typed by hand.

## How it works

A pool is read in blocks when it has more than 100,000 rows and more than 134 million numbers (512 MB in float32),
or when `--candidates` asks for it. npy files, folders of npy or npz parts, and parquet files and folders can be.

1. The files are hashed: what they hold is the key of everything that is kept.
2. One pass adds up the mean and the second moment of all N rows, in float64. The sums so far are kept every ten
   seconds, so that a run that was killed goes on from there.
3. One pass finds how far out each row lies: its leverage, and its distance from the mean.
4. One pass takes the rows that are held: as many as fit in 256 MB, at least 20,000 and at most 131,072. Three
   quarters are a uniform sample; the rest are those of the highest leverage and those farthest from the mean.

Methods then pick among the held rows. Second moments, eigenvalues, leverage, the certificate c_S, bias and variance
are those of all N rows, exactly. Kernel means, coverage and the random picks beside a selection are over the
uniform sample, which stands for all rows. Leverage sampling weighs each held row by one over its chance to be held,
so that it draws as from all rows; uniform sampling draws from the uniform sample. What was found by the passes is
kept under `SKMM_HOME/cache/passes`, so another method, budget or seed reads the rows once to hash them and once to
take the held ones. `c_s=auto` finds the least c_S that weights on the held rows reach; its lower bound is that of
these rows. Pools of more than 250,000,000 rows are refused, since some ten numbers are kept of each row. The sample
is drawn by place: the same rows in another order of the file hold others, which smaller pools do not do.

With `--cluster` the pieces of a pass are worked on by the machines of a Ray cluster. Sums are added up in the order
of the rows either way, so that the last digit is the same.
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The page as Markdown."""
    scale, held = (
        json.loads((FIGURES / f"{name}.json").read_text(encoding="utf-8")) for name in ("scale", "held-rows")
    )
    return "\n".join([INTRODUCTION, _measured(scale), _plan(scale), _picked(held)])


def _measured(found: dict[str, Any]) -> str:
    rows = [
        (f"`{row['method']}`", row["N"], row["held"], row["seconds"], row["cpu_seconds"], row["peak_mb"])
        for row in sorted(found["rows"], key=lambda row: row["N"])
    ]
    most = max(row["peak_mb"] for row in found["rows"])
    steepest = max(value for value in found["exponents"].values() if value is not None)
    options = found["options"]
    lines = [
        "## Measured",
        machine_line(found),
        f"Whole `select` commands, a process each, d = {options['d']:,} in float16, n = {options['n']:,}, rows around "
        "50 centres with heavy tails. The first command on a file makes the passes; those after it take them over.",
        table(("method", "N", "held", "s", "CPU s", "peak MB"), rows),
        goal_line(f"most memory {number(most)} MB", f"below {MEMORY_GOAL:,} MB", most < MEMORY_GOAL),
        goal_line(f"seconds grow at most as N^{steepest:.2f}", f"N^{EXPONENT_GOAL} at most", steepest <= EXPONENT_GOAL),
    ]
    return "\n\n".join(lines) + "\n"


def _first(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The command that made the passes, of every size where rows were read in blocks."""
    firsts: dict[int, dict[str, Any]] = {}
    for row in found["rows"]:
        if row["held"] < row["N"]:
            firsts.setdefault(row["N"], row)
    return [firsts[size] for size in sorted(firsts)]


def _pass_seconds(row: dict[str, Any]) -> dict[str, float]:
    return {
        name: sum(seconds for phase, seconds in row["stages"].items() if phase.startswith(start))
        for start, name in PASSES.items()
    }


def _plan(found: dict[str, Any]) -> str:
    firsts, width = _first(found), found["options"]["d"]
    base = firsts[0]
    per_row = {name: seconds / base["N"] for name, seconds in _pass_seconds(base).items()}
    work = {
        "hash": ("2d bytes", 0),
        "moments": ("2d bytes, 2d² flops in float64", 2 * width**2),
        "far rows": ("2d bytes, 2d² flops in float32", 2 * width**2),
        "held rows": ("2d bytes", 0),
    }
    rows = [(name, work[name][0], 1e6 * seconds) for name, seconds in per_row.items()]
    total = sum(per_row.values())
    checks = []
    for row in firsts[1:]:
        measured, predicted = sum(_pass_seconds(row).values()), total * row["N"]
        off = measured / predicted - 1
        checks.append(
            goal_line(
                f"N = {row['N']:,}: predicted {number(predicted)} s for all passes, measured {number(measured)} s "
                f"({100 * off:+.0f} %)",
                f"within {100 * PREDICTION_GOAL:.0f} %",
                abs(off) <= PREDICTION_GOAL,
            )
        )
    cores = found["machine"]["cores"]
    plans = [
        (
            size,
            2 * width * size / 1e12,
            total * size * cores / 3600,
            total * size * cores / 3600 * DOLLARS_A_CORE_HOUR,
        )
        for size in LARGE
    ]
    lines = [
        "## The plan on paper",
        f"Seconds a row of each pass, measured at N = {base['N']:,} on {cores} cores:",
        table(("pass", "work a row (float16)", "µs a row"), rows),
        "\n".join(checks),
        f"By these, all passes over float16 rows of {width:,} numbers take, at {DOLLARS_A_CORE_HOUR} dollars a "
        "core-hour (an assumption) and without the encoder that makes them, which costs far more:",
        table(("images", "TB a pass", "core-hours", "dollars"), plans),
        "Picking itself does not grow: it sees the held rows alone.",
    ]
    return "\n\n".join(lines) + "\n"


def _picked(found: dict[str, Any]) -> str:
    options = found["options"]
    rows = [(f"`{row['method']}`", row["objective"], row["median"], row["worst"]) for row in found["rows"]]
    worse = [f"`{row['method']}`" for row in found["rows"] if row["median"] > OBJECTIVE_GOAL]
    lines = [
        "## What it costs to pick among held rows",
        f"Where memory holds all rows too: N = {options['N']:,}, d = {options['d']}, {options['held']:,} held, "
        f"n = {options['n']}, {options['seeds']} pools. The objective of picks among the held rows over that of picks "
        "among all, both on the whole pool; below 1 the picks among the held rows came out better.",
        table(("method", "objective (smaller is better)", "median ratio", "worst"), rows),
        goal_line(
            f"median above {OBJECTIVE_GOAL}: {', '.join(worse) or 'none'}",
            f"at most {OBJECTIVE_GOAL} for every method",
            not worse,
        ),
    ]
    return "\n\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
