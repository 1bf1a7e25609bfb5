"""What the audit has to speak of, and what it leaves out, with the reason."""

import ast
import inspect
from dataclasses import fields
from types import ModuleType
from typing import get_args

from skmm_core.comparison import (
    by_learner,
    cells,
    claim,
    draws,
    families,
    leagues,
    learner_savings,
    planner,
    pool_parts,
    ranks,
    savings,
    score_log,
    splits,
    statistics,
    summary,
)
from skmm_core.config import SketchParams
from skmm_core.diagnostics import Diagnostics
from skmm_core.methods.registry import list_own_methods
from skmm_core.probes.metrics import METRICS

NOT_COVERED = {
    "statistic saving_text": "words",
    "statistic saving_row": "a saving, which is audited, as a row",
    "statistic winners_sentence": "words",
    "statistic settled_sentence": "words",
    "statistic summary_table": "the audited summaries below each other",
    "statistic claim_of": "words",
    "statistic few_seeds": "words",
    "statistic read_scores": "reads a file back; no number is made",
    "statistic compare_splits": "compare on one split after the other",
    "method active_ft": "every step and the rows taken in the end are computed anew in tests/references",
    "method dropquery": "masks, changed predictions and medoids are computed anew in tests/references",
    "diagnostics distortion_source": "words",
    "diagnostics band_spectrum": "of random draws, each measured as the selection is",
    "diagnostics band_bound": "of random draws, each measured as the selection is",
    "diagnostics band_distance": "of random draws, each measured as the selection is",
}


def wanted() -> set[str]:
    """Every method, field of the diagnostics, statistic, metric of a probe and kind of sketch."""
    statistics_of = [
        *(by_learner, cells, claim, draws, families, learner_savings, leagues, planner, pool_parts),
        *(ranks, savings, score_log, splits, statistics, summary),
    ]
    metrics = [metric.key for task in ("classification", "regression") for metric in METRICS[task]]
    return {
        *(f"method {spec.key}" for spec in list_own_methods()),
        *(f"diagnostics {each.name}" for each in fields(Diagnostics)),
        *(f"statistic {name}" for module in statistics_of for name in _functions(module)),
        *(f"metric {key}" for key in metrics),
        *(f"sketch {kind}" for kind in get_args(SketchParams.model_fields["kind"].annotation)),
    }


def _functions(module: ModuleType) -> list[str]:
    """Public functions that the module itself defines."""
    tree = ast.parse(inspect.getsource(module))
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
