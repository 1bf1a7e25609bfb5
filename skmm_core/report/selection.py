"""What the report of a selection shows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from skmm_core.diagnostics import load_diagnostics
from skmm_core.report.figures import map_figure, risk_figure, spectrum_figure
from skmm_core.report.methods_text import selection_methods, sources
from skmm_core.report.numbers import number
from skmm_core.report.thumbnails import read_thumbnails
from skmm_core.runs import DIAGNOSTICS, read_table

_MOST_ROWS = 200
_DIAGNOSTICS = (
    ("bias", "Bias", "share of the pool's energy that the selection cannot see, at the best rank"),
    ("variance", "Variance", "how shaky the estimate is in the directions that are seen, at the best rank"),
    ("rank", "Effective rank", "rank at which bias and variance together are smallest"),
    ("effective_dim", "Effective dimension", "number of directions that carry the pool's energy"),
    ("c_s", "Certificate c_S", "the pool's second moment is at most this many times the selection's"),
    ("trace_score", "Trace score", "variance term of the paper; smaller is better"),
    ("trace_score_floor", "Smallest trace score", "reached when every second moment is matched"),
    ("moment_error", "Moment error", "relative distance of the second moments"),
    ("moment_objective", "Moment objective", "what the moment-matching problem leaves unmatched"),
    ("coverage_radius", "Coverage radius", "largest distance of a pool point to its nearest chosen point"),
    ("coverage_mean", "Mean coverage", "mean distance of a pool point to its nearest chosen point"),
    ("class_tv", "Class imbalance", "total variation between class shares chosen and in the pool; 0 = equal"),
    ("duplicates", "Duplicates", "chosen rows that repeat another chosen row exactly"),
    ("effective_weights", "Effective number of weights", "as many equal weights would count the same"),
    ("ridge_bias2", "Ridge bias²", "exact, for a ridge probe trained on the selection"),
    ("ridge_variance", "Ridge variance", "exact, for a ridge probe trained on the selection"),
)


def selection_view(folder: Path, result: Mapping[str, Any]) -> dict[str, Any]:
    """Values for the template.

    Raises:
        InputError: a file of the run is missing or damaged.
    """
    selection = read_table(folder, "selection")
    diagnostics = load_diagnostics(folder / DIAGNOSTICS)
    shown = selection.head(_MOST_ROWS)
    columns = [name for name in shown.columns if shown[name].notna().any() and name != "position"]
    places = read_table(folder, "map")
    return {
        "title": f"{result['method']} on {result['dataset']}: {result['budget']:,} of {result['N']:,} points",
        "lead": f"{result['advice']} {number(float(result['seconds']))} s, seed {result['seed']}.{_by_hand(result)}",
        "figures": [
            map_figure(places, read_table(folder, "scores")),
            risk_figure(diagnostics),
            spectrum_figure(diagnostics),
        ],
        "n_chosen": len(selection),
        "thumbnails": read_thumbnails(folder, selection),
        "diagnostics": _diagnostic_rows(result["diagnostics"]),
        "columns": [{"name": name, "number": pd.api.types.is_numeric_dtype(shown[name])} for name in columns],
        "rows": [[_cell(cell) for cell in row] for row in shown[columns].itertuples(index=False)],
        "methods": selection_methods(result),
        "sources": sources([result["method"]]),
    }


def _by_hand(result: Mapping[str, Any]) -> str:
    """How many points a person included and excluded; nothing when none."""
    counts = [f"{result[name]:,} {name}" for name in ("included", "excluded") if result.get(name)]
    return f" By hand: {' and '.join(counts)}." if counts else ""


def _diagnostic_rows(values: Mapping[str, Any]) -> list[dict[str, str]]:
    rows = []
    for key, title, meaning in _DIAGNOSTICS:
        if values.get(key) is not None:
            rows.append({"title": title, "value": number(values[key]), "meaning": meaning})
        elif key in ("c_s", "trace_score") and values.get("certificate_text"):  # infinite where a direction is unseen
            said = str(values["certificate_text"]) if key == "c_s" else meaning
            rows.append({"title": title, "value": "∞", "meaning": said})
    return rows


def _cell(value: Any) -> str:
    return "–" if pd.isna(value) else number(value)
