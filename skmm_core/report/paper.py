"""What the report of a repeated experiment of the paper shows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skmm_core.paper import COVERAGE, get_experiment, metrics_in, number_text, paper_layout, saving_summary


def paper_view(folder: Path, result: Mapping[str, Any]) -> dict[str, Any]:
    """Values for the template."""
    experiment = get_experiment(result["experiment"])
    blocks = []
    for metric in metrics_in(result):
        table = paper_layout(result, metric)
        rows = [
            (title, [(text.replace("**", ""), text.startswith("**")) for text in cells])
            for title, cells in zip(table.index, table.to_numpy().tolist(), strict=True)
        ]
        full = result["full"].get(metric.key)
        known = result["paper_figures"].get("full") if metric.key == "risk" else None
        blocks.append({
            "title": metric.title + (f" ({metric.unit})" if metric.unit == "%" else ""),
            "full": None if full is None else number_text(metric, full),
            "paper_full": known,
            "columns": list(table.columns),
            "rows": rows,
        })  # fmt: skip
    return {
        "title": f"{experiment.title}, in the layout of the paper",
        "lead": f"{experiment.setting}.",
        "figures": [],
        "methods": (),
        "sources": (),
        "blocks": blocks,
        "savings": saving_summary(result),
        "coverage": COVERAGE,
    }
