"""What the report of a selection shows."""

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from skmm_core.diagnostics import (
    QUANTITIES,
    Band,
    load_diagnostics,
    read_band,
    represented_text,
    verdict_text,
    yardstick,
)
from skmm_core.report.figures import map_figure, risk_figure, spectrum_figure
from skmm_core.report.methods_text import selection_methods, sources, titles
from skmm_core.report.numbers import number
from skmm_core.report.thumbnails import read_thumbnails
from skmm_core.runs import DIAGNOSTICS, read_table

_MOST_ROWS = 200
_MOST_CHARACTERS = 300  # of a text
SHOWN = (
    *("represented", "bias", "variance", "bias_term", "variance_term", "error_bound", "rank", "effective_dim"),
    *("c_s", "trace_score", "trace_score_floor", "moment_error"),
    *("moment_objective", "coverage_mean", "coverage_radius", "class_tv", "duplicates", "effective_weights"),
    *("ridge_bias2", "ridge_variance", "ridge_error"),
)
_MOST_COLUMNS = 24
_INFINITE = ("c_s", "trace_score")  # where a direction is unseen


def selection_view(folder: Path, result: Mapping[str, Any]) -> dict[str, Any]:
    """Values for the template.

    Raises:
        InputError: a file of the run is missing or damaged.
    """
    selection = read_table(folder, "selection")
    diagnostics = load_diagnostics(folder / DIAGNOSTICS)
    band = read_band(result.get("band"))
    method = titles([result["method"]])[result["method"]]
    shown = selection.head(_MOST_ROWS)
    columns = [name for name in shown.columns if shown[name].notna().any() and name != "position"][:_MOST_COLUMNS]
    places = read_table(folder, "map")
    return {
        "headline": " ".join(filter(None, (verdict_text(result), "" if band is None else represented_text(band)))),
        "title": f"{method} on {result['dataset']}: {result['budget']:,} of {result['N']:,} points",
        "lead": f"{result['advice']} {number(float(result['seconds']))} s, seed {result['seed']}."
        + _by_hand(result)
        + _beside(result),
        "figures": [
            map_figure(places, read_table(folder, "scores")),
            risk_figure(diagnostics),
            spectrum_figure(diagnostics),
        ],
        "n_chosen": len(selection),
        "thumbnails": read_thumbnails(folder, selection),
        "diagnostics": _diagnostic_rows(result["diagnostics"], band),
        "draws": 0 if band is None else band.draws,
        "columns": [{"name": name, "number": pd.api.types.is_numeric_dtype(shown[name])} for name in columns],
        "rows": [[_cell(cell) for cell in row] for row in _readable(shown[columns]).itertuples(index=False)],
        "methods": selection_methods(result),
        "sources": sources([result["method"]]),
    }


def _by_hand(result: Mapping[str, Any]) -> str:
    """How many points a person included and excluded; nothing when none."""
    counts = [f"{result[name]:,} {name}" for name in ("included", "excluded") if result.get(name)]
    return f" By hand: {' and '.join(counts)}." if counts else ""


def _beside(result: Mapping[str, Any]) -> str:
    """What was labelled before these points were picked; nothing in a first batch without labels."""
    if not result.get("labelled") and not result.get("pending"):
        return ""
    return f" Batch {result['batch']}; measured on {result['measured_on']}."


def _diagnostic_rows(values: Mapping[str, Any], band: Band | None) -> list[dict[str, str]]:
    rows = []
    for quantity in (QUANTITIES[key] for key in SHOWN):
        value, meaning = quantity.of(values), quantity.help
        if value is not None:
            measure = None if band is None else band.of(quantity.key)
            random = "" if measure is None else yardstick(measure).removeprefix("random: ")
            rows.append({"title": quantity.title, "value": number(value), "random": random, "meaning": meaning})
        elif quantity.key in _INFINITE and values.get("certificate_text"):
            said = str(values["certificate_text"]) if quantity.key == "c_s" else meaning
            rows.append({"title": quantity.title, "value": "∞", "random": "", "meaning": said})
    return rows


def _readable(table: pd.DataFrame) -> pd.DataFrame:
    """Long texts with their start alone."""
    texts = {
        str(name): [_short(value) for value in column]
        for name, column in table.items()
        if not pd.api.types.is_numeric_dtype(column)
    }
    return table.assign(**texts)


def _short(value: Any) -> Any:
    """A text with its start alone; what is neither text nor number, such as a date, in words."""
    missing = pd.api.types.is_scalar(value) and pd.isna(value)
    return value if missing else textwrap.shorten(str(value), _MOST_CHARACTERS, placeholder=" …")


def _cell(value: Any) -> str:
    return "–" if pd.isna(value) else number(value)
