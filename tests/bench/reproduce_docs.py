"""Put the figures of finished `paper` runs into assets/benchmarks and their tables into assets/docs/reproduce.md.

python -m tests.bench.reproduce_docs --take out --note "MobileNetV2 (ImageNet, quantised), not CLIP"
python -m tests.bench.reproduce_docs        # only write the document anew from the committed json
"""

import argparse
import json
import re
from pathlib import Path
from typing import Any

from skmm_core.paper.experiments import EXPERIMENTS
from skmm_core.paper.table import markdown_table, metrics_in, number_text, saving_summary
from skmm_core.storage.writing import write_json, write_text

ROOT = Path(__file__).parents[2]
FOLDER, DOCUMENT = ROOT / "assets" / "benchmarks", ROOT / "assets" / "docs" / "reproduce.md"
BEGIN, END = "<!-- figures: made by tests/bench/reproduce_docs.py -->", "<!-- end of figures -->"


def committed() -> list[tuple[Path, dict[str, Any]]]:
    """Committed results in the order of the experiments."""
    files = [FOLDER / f"paper-{key}.json" for key in EXPERIMENTS]
    return [(file, json.loads(file.read_text("utf-8"))) for file in files if file.exists()]


def section(file: Path, result: dict[str, Any]) -> str:
    """What the document says of one result."""
    experiment = EXPERIMENTS[result["experiment"]]
    seeds = f"{result['seeds']} seeds of the selection"
    if result["task"] == "mixture":
        draws = result["data_seeds"]
        seeds += f" × {draws} draw{'s' * (draws != 1)} of the mixture"
    lines = [f"## {experiment.title}", "", f"{experiment.setting}; {seeds}."]
    if note := result.get("features", {}).get("note"):
        lines[-1] += f" **Features: {note}.**"
    lines += ["", f"`{file.relative_to(ROOT)}`, made by `{result['command']}`"]
    for metric in sorted(metrics_in(result), key=lambda each: each.key == "log_ratio"):
        if metric.key in ("log_ratio", "rmse", "r2"):
            continue
        full = result["full"][metric.key]
        said = f"Trained on all of the data: {number_text(metric, full)}"
        if paper := result["paper_figures"].get("full"):
            said += f"; in the paper {paper}"
        unit = " (%)" if metric.unit == "%" else ""
        lines += [
            "",
            f"**{metric.title}{unit}**, mean ± standard deviation. {said}.",
            "",
            markdown_table(result, metric),
        ]
        if metric.key == "risk":
            lines += ["", "The same as geometric means:", "", markdown_table(result, metric, "geometric_mean")]
    factors = [
        f"{row['title']} {row['text']}" for row in saving_summary(result) if row["factor"] and row["row"] != "uniform"
    ]
    lines += ["", f"Data-saving factor over uniform, geometric mean over budgets: {', '.join(factors)}."]
    return "\n".join(lines)


def figures() -> str:
    """All that stands between the marks."""
    return "\n\n".join([BEGIN, *(section(file, result) for file, result in committed()), END])


def main() -> None:
    """Take over results that are given, then write the document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--take", type=Path, help="folder of a finished paper run")
    parser.add_argument("--note", help="what the features are")
    options = parser.parse_args()
    if options.take is not None:
        result = json.loads((options.take / "result.json").read_text("utf-8"))
        if options.note:
            result["features"]["note"] = options.note
        write_json(FOLDER / f"paper-{result['experiment']}.json", result)
    text = DOCUMENT.read_text("utf-8")
    found = re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda match: figures(), text, flags=re.DOTALL)
    write_text(DOCUMENT, found)


if __name__ == "__main__":
    main()
