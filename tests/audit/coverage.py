"""What the audit has to speak of, and what it leaves out, with the reason."""

import ast
import inspect
from dataclasses import fields
from types import ModuleType
from typing import get_args

from skmm_core.comparison import cells, leagues, planner, ranks, statistics, summary
from skmm_core.config import SketchParams
from skmm_core.diagnostics import Diagnostics
from skmm_core.methods.registry import list_own_methods
from skmm_core.probes.metrics import METRICS

NOT_COVERED = {
    "statistic resamples": "random numbers; what is made of them is covered with bootstrap_interval",
    "statistic expanded_tail": "a part of bootstrap_interval, whose cover is simulated",
    "statistic summarise": "joins statistics that are covered each; run by the simulations of compare, needs and plans",
    "statistic saving_text": "words",
    "statistic judged": "picks rows of tables; run by the simulations of compare",
    "statistic league_savings": "picks rows of tables whose numbers are those of data_saving",
    "statistic against_stratified": "paired_difference, holm and data_saving of another reference",
    "diagnostics distortion_source": "words",
}


def wanted() -> set[str]:
    """Every method, field of the diagnostics, statistic, metric of a probe and kind of sketch."""
    statistics_of = [cells, leagues, planner, ranks, statistics, summary]
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
