"""`assets/docs/benchmarks.md` from the figures in `assets/benchmarks/*.json`.

    python -m tests.bench.benchmarks_page

Every number on the page, and whether a goal is met, is computed from these files; a test compares the page with them.
"""

import json
from pathlib import Path
from typing import Any

from tests.bench import peer_picks_page
from tests.bench.page_tables import goal_line, machine_line, number, table

ROOT = Path(__file__).resolve().parents[2]
FIGURES, PAGE = ROOT / "assets" / "benchmarks", ROOT / "assets" / "docs" / "benchmarks.md"
LARGE_GOALS = {
    "k_center": 10,
    "herding": 10,
    "skmm_direct": 10,
    "skmm_kernel": 30,
    "skmm_whitened": 30,
    "skmm_variance": 60,
}
SPEEDUP_GOAL, PASS_GOAL, PEER_GOAL = 100, 2, 2
SWITCH_GOAL, SLIDER_GOAL, DRAW_GOAL, LEARN_GOAL = 1, 0.5, 5, 0.3  # seconds, on two idle cores
_POOL_TIMES = ("first_draw_cold", "first_draw", "switch", "slider_to_map", "slider_to_numbers")
INTRODUCTION = """# Benchmarks

Made by `python -m tests.bench.benchmarks_page` from the files in `assets/benchmarks/`; no number is typed by hand. The
machines were shared: `load` is how many processes wanted the cores at the end of a measurement. So seconds are upper
limits, and ratios, whose two sides ran in the same minutes, say more.
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The page as Markdown."""
    parts = {
        "solver": _solver,
        "large-pools": _large_pools,
        "methods": _methods,
        "peers": _peers,
        "sketch": _sketch,
        "page-times": _page_times,
    }
    sections = [INTRODUCTION]
    for name, draw in parts.items():
        file = FIGURES / f"{name}.json"
        if not file.exists():
            sections.append(f"No figures of `{name}` are committed yet.\n")
            continue
        sections.append(
            f"{draw(json.loads(file.read_text(encoding='utf-8')))}\nFigures: `assets/benchmarks/{file.name}`.\n"
        )
    return "\n".join(sections)


def _solver(found: dict[str, Any]) -> str:
    compared = [row for row in found["problems"] if not row["start_is_optimal"]]
    rows = [
        [row[key] for key in ("dataset", "N", "m", "weights", "c_s", "seconds", "adam_seconds", "ratio")]
        + [row["ratio_to_adam_best_step"], row["gap"]]
        for row in compared
    ]
    iteration, steps = found["iteration"], found["options"]["adam_steps"]
    lines = [
        "## The solver of the relaxation",
        machine_line(found),
        f"Our time to the best objective of {steps:,} Adam steps with clip-and-renormalise, each at its fastest pace. "
        "Adam is looked at every 250 steps; once 2,000 bring nothing better, the rest are charged without being taken. "
        "`to its best` counts its steps up to the best ones only. The mean is taken off Adam's gradient; else it would "
        "never leave the uniform weights. For c_S = 1 these are optimal, and there is nothing to compare.",
        table(("data", "N", "m", "weights", "c_S", "ours, s", "Adam, s", "ratio", "to its best", "our gap"), rows),
        goal_line(
            f"geometric mean of the ratios {number(found['geometric_mean_ratio'])} "
            f"(to Adam's best step {number(found['geometric_mean_ratio_to_adam_best_step'])}), "
            f"Adam's objective reached on {found['reached']} of {found['compared']}",
            f"at least {SPEEDUP_GOAL}",
            found["geometric_mean_ratio"] >= SPEEDUP_GOAL and found["reached"] == found["compared"],
        ),
        goal_line(
            f"N = {iteration['N']:,}, m = {iteration['m']}: one evaluation takes "
            f"{number(iteration['evaluation_ratio'])} times a pair of matrix-vector products over the same matrix",
            f"at most {PASS_GOAL}",
            iteration["evaluation_ratio"] <= PASS_GOAL,
        ),
        goal_line(
            f"a whole solve, Newton matrices included, takes {number(iteration['solve_ratio'])} such pairs for each "
            f"of its {iteration['solve_evaluations']} evaluations",
            f"at most {PASS_GOAL}",
            iteration["solve_ratio"] <= PASS_GOAL,
        ),
    ]
    return "\n\n".join(lines) + "\n"


def _large_pools(found: dict[str, Any]) -> str:
    reference = found["kernel_reference"]
    values = reference["squared_mmd"]
    goals = [
        goal_line(
            f"`{row['method']}`, N = {row['N']:,}, d = {row['d']}, n = {row['n']:,}: {number(row['seconds'])} s, "
            f"{number(row['peak_mb'])} MB beyond the features",
            f"below {LARGE_GOALS[row['method']]} s",
            row["seconds"] < LARGE_GOALS[row["method"]],
        )
        for row in found["methods"]
    ]
    lines = [
        "## Large pools",
        machine_line(found),
        "\n".join(goals),
        f"Above 20,000 points `skmm_kernel` averages the kernel over a sample of the pool. At N = {reference['N']:,} "
        f"with {reference['reference_rows']:,} reference rows its picks have a squared MMD of "
        f"{number(values['sampled'])}, those of the exact mean {number(values['exact'])}, random ones "
        f"{number(values['uniform'])}.",
    ]
    return "\n\n".join(lines) + "\n"


def _methods(found: dict[str, Any]) -> str:
    sizes = sorted({row["N"] for row in found["methods"]})
    seconds = {(row["method"], row["N"]): row for row in found["methods"]}
    names = list(dict.fromkeys(row["method"] for row in found["methods"]))
    rows = [
        (f"`{name}`", *(seconds[name, size][key] for size in sizes for key in ("seconds", "peak_mb"))) for name in names
    ]
    shared = [
        (f"{row['what'].replace('_', ' ')}, once a run", row["N"], row["seconds"], row["peak_mb"])
        for row in found["shared"]
    ]
    options = found["options"]
    titles = [title for size in sizes for title in (f"s, N = {size:,}", f"MB, N = {size:,}")]
    lines = [
        "## Every method",
        machine_line(found),
        f"d = {options['d']:,}, n = {options['n']:,}; memory is beyond the features. What is shared comes once a run.",
        table(("method", *titles), rows),
        table(("shared", "N", "s", "MB"), shared),
    ]
    return "\n\n".join(lines) + "\n"


def _peers(found: dict[str, Any]) -> str:
    rows = [
        [f"`{row['method']}`", *(row[key] for key in ("peer", "N", "n", "better", "objective", "peer_objective"))]
        + [row[key] for key in ("seconds", "peer_seconds", "ratio")]
        for row in found["rows"]
    ]
    titles = ("method", "peer", "N", "n", "better", "ours", "peer's", "ours, s", "peer's, s", "ratio")
    better = sum(_no_worse(row) for row in found["rows"])
    slow = [row["peer"] for row in found["rows"] if row["ratio"] < 1 / PEER_GOAL]
    lines = [
        "## Published implementations",
        machine_line(found),
        table(titles, rows),
        goal_line(f"our objective is no worse on {better} of {len(rows)}", "all", better == len(rows)),
        goal_line(f"slower than {PEER_GOAL} times the peer: {', '.join(slow) or 'none'}", "none", not slow),
    ]
    if "selections" in found:
        lines += peer_picks_page.section(found["selections"])
    return "\n\n".join(lines) + "\n"


def _no_worse(row: dict[str, Any]) -> bool:
    """Whether our objective is at least the peer's, up to rounding."""
    sign = 1 if row["better"] == "larger" else -1
    return bool(sign * (row["objective"] - row["peer_objective"]) >= -1e-9 * abs(row["peer_objective"]))


def _sketch(found: dict[str, Any]) -> str:
    options = found["options"]
    lines = [
        "## Sketches",
        machine_line(found),
        f"{options['N']:,} gradients of a head, d = {options['d']}, {options['classes']} classes, m = {options['m']}.",
        table(("kind", "s", "MB"), [(row["kind"], row["seconds"], row["peak_mb"]) for row in found["sketches"]]),
    ]
    return "\n\n".join(lines) + "\n"


def _page_times(found: dict[str, Any]) -> str:
    before, after = (number(found["machine"][f"load_{when}"][0]) for when in ("before", "after"))
    small, large = found["pools"]
    slowest = max(found["pages"], key=lambda page: page["switch"])
    step = max(found["learn"], key=lambda step: step["median"])
    goals = (
        (f"switch to a page until its first chart or table is drawn, slowest `{slowest['page']}`", slowest, "switch"),
        (f"step of the budget slider until the map of {small['points']:,} points is redrawn", small, "slider_to_map"),
        (f"first draw of the map of {large['points']:,} points", large, "first_draw"),
        (f"change of a control in Learn until all figures are redrawn, slowest step {step['step']}", step, "median"),
    )
    limits = (SWITCH_GOAL, SLIDER_GOAL, DRAW_GOAL, LEARN_GOAL)
    pools = [[pool[key] for key in ("points", *_POOL_TIMES)] for pool in found["pools"]]
    lines = [
        "## Pages in the browser",
        machine_line(found),
        f"Chromium with WebGL in software on the cores that also serve; medians of {found['repeats']}, in seconds. "
        f"Load {before} before, {after} after: with other work on the cores these are upper limits. The first chart "
        f"came {number(found['start']['first_chart'])} s after the start of the server, its "
        f"sentence after {number(found['start']['sentence'])} s.",
        "\n".join(
            goal_line(f"{what}: {number(of[key])} s", f"below {limit} s", of[key] < limit)
            for (what, of, key), limit in zip(goals, limits, strict=True)
        ),
        table(
            ("page", "load", "switch"), [[page[key] for key in ("page", "load", "switch")] for page in found["pages"]]
        ),
        table(("points", *(name.replace("_", " ") for name in _POOL_TIMES)), pools),
        table(
            ("step of Learn", "changes", "median", "slowest"),
            [[step[key] for key in ("step", "changes", "median", "slowest")] for step in found["learn"]],
        ),
    ]
    return "\n\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
