"""The report of a run: one HTML file without outside resources, for reading and printing.

Made from the files of the run folder alone; nothing is computed anew and torch is not needed.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from skmm_core.config import RunConfig
from skmm_core.runs.files import REPORT, SUMMARY_CSV, read_table, to_json, write_text

_TEMPLATES = Path(__file__).parent / "templates"
_WIDTH, _HEIGHT, _MARGIN = 900, 540, 14
_MOST_DRAWN, _MOST_ROWS = 4_000, 200
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
    views = {"select": _selection_view, "compare": _comparison_view, "embed": _embedding_view}
    view = views[result["kind"]](folder, result)
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template(f"{result['kind']}.html.j2")
    shown = config.model_dump(mode="json", exclude_none=True)
    if "params" in result:  # those that ran, defaults filled in
        shown["job"]["params"] = result["params"]
    write_text(folder / REPORT, template.render(result=result, config=to_json(shown, indent=2), **view))


def number(value: object) -> str:
    """A number with four significant digits and thousands separators; a dash for what is not there."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    if isinstance(value, int | np.integer):
        return f"{int(value):,}"
    return f"{float(value):,.4g}" if isinstance(value, float | np.floating) else str(value)


def _selection_view(folder: Path, result: Mapping[str, Any]) -> dict[str, Any]:
    layout = read_table(folder, "map")[["pca_1", "pca_2"]].to_numpy(dtype=float)
    selection = read_table(folder, "selection")
    points = _to_pixels(layout)
    stride = max(1, math.ceil(len(points) / _MOST_DRAWN))
    shown = selection.head(_MOST_ROWS)
    columns = [name for name in shown.columns if shown[name].notna().any() and name != "position"]
    return {
        "title": f"{result['method']} on {result['dataset']}: {result['budget']:,} of {result['N']:,} points",
        "lead": f"{result['advice']} {number(float(result['seconds']))} s, seed {result['seed']}.",
        "width": _WIDTH,
        "height": _HEIGHT,
        "pool": points[::stride],
        "chosen": [points[i] for i in selection["position"]],
        "n_pool": len(points),
        "n_drawn": len(points[::stride]),
        "n_chosen": len(selection),
        "diagnostics": _diagnostic_rows(result["diagnostics"]),
        "columns": [{"name": name, "number": pd.api.types.is_numeric_dtype(shown[name])} for name in columns],
        "rows": [[_cell(cell) for cell in row] for row in shown[columns].itertuples(index=False)],
    }


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


def _to_pixels(layout: np.ndarray) -> list[tuple[float, float]]:
    """Scale (N, 2) coordinates into the drawing, the second axis upwards."""
    low, high = layout.min(axis=0), layout.max(axis=0)
    unit = (layout - low) / np.where(high > low, high - low, 1.0)
    x = _MARGIN + unit[:, 0] * (_WIDTH - 2 * _MARGIN)
    y = _HEIGHT - _MARGIN - unit[:, 1] * (_HEIGHT - 2 * _MARGIN)
    return [(round(a, 1), round(b, 1)) for a, b in zip(x.tolist(), y.tolist(), strict=True)]


def _comparison_view(folder: Path, result: Mapping[str, Any]) -> dict[str, Any]:
    metric = result["metric"]
    percent = metric["unit"] == "%"
    summary = pd.read_csv(folder / SUMMARY_CSV)
    summary = summary[summary["metric"] == metric["key"]]
    table = {
        (method, budget): (mean, sd)
        for method, budget, mean, sd in summary[["method", "budget", "mean", "sd"]].itertuples(index=False)
    }
    budgets = sorted(int(budget) for budget in summary["budget"].unique())
    aware = set(result.get("label_aware", ()))
    cells = []
    for method in dict.fromkeys(summary["method"]):
        league = summary[summary["method"].isin(aware) == (method in aware)]
        rivals = league.groupby("budget")["mean"].agg("max" if metric["higher_is_better"] else "min")
        best = rivals.to_dict() if league["method"].nunique() > 1 else {}
        row = [_score_cell(table, method, budget, best, percent) for budget in budgets]
        cells.append({"method": f"{method} †" if method in aware else method, "cells": row})
    return {
        "title": f"{result['dataset']}: {len(cells)} method{'s' * (len(cells) != 1)} compared",
        "lead": f"{result['N']:,} points to pick from.",
        "metric": metric["title"] + (f" ({metric['unit']})" if metric["unit"] else ""),
        "full": _score(result["full"].get(metric["key"]), percent),
        "budgets": [f"{budget:,}" for budget in budgets],
        "cells": cells,
        "leagues": bool(aware),
        "savings": [f"{row['method']}: {row['text']}" for row in result["savings"]],
    }


def _embedding_view(folder: Path, result: Mapping[str, Any]) -> dict[str, Any]:
    facts = result["provenance"]
    return {
        "title": f"{result['dataset']}: {result['N']:,} images, {result['d']:,} features each",
        "lead": f"Encoded by {result['model']}.",
        "facts": [
            ("Model", facts["model"]),
            ("Weights", facts["pretrained"] or "none"),
            ("SHA-256 of the weights", facts["weights_sha256"] or "none"),
            ("Preprocessing", facts["preprocessing"]),
            *((f"{part.capitalize()} images", number(count)) for part, count in result["parts"].items()),
            ("Classes", ", ".join(result["class_names"]) or "none"),
            ("Files left out", number(result["skipped_count"])),
        ],
        "skipped": [(each["path"], each["reason"]) for each in result["skipped"]],
        "more": result["skipped_count"] - len(result["skipped"]),
    }


def _score_cell(
    table: Mapping[tuple[str, int], tuple[float, float]],
    method: str,
    budget: int,
    best: Mapping[int, float],
    percent: bool,
) -> dict[str, Any]:
    if (method, budget) not in table:
        return {"text": "–", "best": False}
    mean, spread = table[method, budget]
    text = _score(mean, percent)
    return {
        "text": text if math.isnan(spread) else f"{text} ± {_score(spread, percent)}",
        "best": mean == best.get(budget),
    }


def _score(value: float | None, percent: bool) -> str:
    return f"{100 * value:.1f}" if percent and value is not None and math.isfinite(value) else number(value)
