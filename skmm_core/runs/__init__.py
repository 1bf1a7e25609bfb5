"""Runs on disk: folders of results, the index over them, bundles to carry them elsewhere.

Nothing here imports torch, so that a page can list and read old runs before torch is loaded.
"""

from skmm_core.runs.command import command_line
from skmm_core.runs.files import read_config, read_result, read_table
from skmm_core.runs.index import RunStore
from skmm_core.runs.log import ProgressView, read_log, read_progress
from skmm_core.runs.record import RunRecord, RunState, run_id, scored_by

__all__ = [
    "ProgressView",
    "RunRecord",
    "RunState",
    "RunStore",
    "command_line",
    "read_config",
    "read_log",
    "read_progress",
    "read_result",
    "read_table",
    "run_id",
    "scored_by",
]
