"""A comparison read from its run folder, finished or still coming in."""

from pathlib import Path

import pandas as pd
import streamlit as st

from dashboard.components.shared.comparisons.methods import Methods
from dashboard.services import cache
from skmm_core.comparison import Comparison, read_scores, summarise_learners
from skmm_core.config import CompareJob
from skmm_core.probes import METRICS
from skmm_core.runs import SCORES_CSV, RunRecord, RunState


def task_of(scores: pd.DataFrame) -> str:
    """Task that scores belong to, known by their metrics."""
    first = METRICS["classification"][0].key
    return "classification" if first in set(scores["metric"]) else "regression"


def read_comparison(record: RunRecord, methods: Methods) -> Comparison | None:
    """What is there of a comparison, under its main learner and the others; None before its first cell is finished.

    Args:
        record: of the run.
        methods: with the leagues of this comparison, see `with_readers` beside them.

    Raises:
        InputError: its files are damaged.
    """
    result = cache.run_result(record.id) if record.state is RunState.DONE else {}
    path = record.folder / SCORES_CSV
    size = path.stat().st_size if path.exists() else 0
    if not size:
        return None
    learner = single_learner(record)
    full = {key: own["full"] for key, own in result.get("by_learner", {}).items()}
    full = full or {learner: result.get("full") or {}}
    known = (full, result.get("left_out") or {})
    return _summarised(record.folder, size, learner, *known, tuple(sorted(methods.label_aware)))


def single_learner(record: RunRecord) -> str:
    """What scored a comparison of an earlier version, whose file does not tell."""
    job = record.config.job
    return job.single_learner if isinstance(job, CompareJob) else ""


@st.cache_data(max_entries=32, show_spinner=False)
def _summarised(
    folder: Path,
    size: int,
    learner: str,
    full: dict[str, dict[str, float]],
    left_out: dict[str, str],
    label_aware: tuple[str, ...],
) -> Comparison | None:
    scores = read_scores(folder, learner=learner)
    if not len(scores):
        return None
    return summarise_learners(scores, full, task_of(scores), left_out=left_out, label_aware=label_aware)
