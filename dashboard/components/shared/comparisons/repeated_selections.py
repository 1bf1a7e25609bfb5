"""Whether a comparison repeated a given selection, so that its scores speak for it."""

from skmm_core.config import CompareJob, SelectJob
from skmm_core.runs import RunRecord


def covers(comparison: RunRecord, selection: RunRecord) -> bool:
    """Whether a comparison repeated this selection over seeds: same data, method, options, sketch and budget."""
    job, made = comparison.config.job, selection.config.job
    asked = isinstance(job, CompareJob) and isinstance(made, SelectJob) and made.budget in job.budgets
    return asked and repeats(comparison, selection)


def repeats(comparison: RunRecord, selection: RunRecord) -> bool:
    """Whether a comparison made selections just like this one, if at other budgets."""
    repeated, made = comparison.config.job, selection.config.job
    if not isinstance(repeated, CompareJob) or not isinstance(made, SelectJob):
        return False
    same = comparison.fingerprint == selection.fingerprint
    same &= comparison.config.sketch == selection.config.sketch
    same &= comparison.config.gradient == selection.config.gradient
    same &= comparison.config.warm_up_rows == selection.config.warm_up_rows
    same &= made.method in repeated.methods and repeated.params.get(made.method, {}) == made.params
    return same and not (made.include or made.exclude)
