"""Labels that a score needed besides those of the chosen points: validation rows that tune a learner.

Nothing here imports torch, so that a page can say it of an old run at once.
"""

from typing import TYPE_CHECKING

from skmm_core.probes.learners import AUTO, LINEAR, get_learner

if TYPE_CHECKING:
    from skmm_core.data import Dataset


def validation_rows(dataset: "Dataset", learner: str = LINEAR) -> int:
    """Labelled validation rows that tune what scores a selection of this dataset.

    They choose the penalty of the logistic probe, or the epoch at which finetuning stops. Ridge is tuned inside the
    chosen points, so it reads none. For `auto` it is what the learner that it settles on reads at most.

    Args:
        dataset: that is scored.
        learner: that scores it.
    """
    return len(dataset.split.validation) if dataset.task.value in get_learner(learner).tuned_for else 0


def labels_note(rows: int | None, learner: str | None = None) -> str:
    """One sentence on validation rows for a person; empty where there are none, or an old run does not tell.

    Args:
        rows: that are read.
        learner: that they tune, where it is known.
    """
    if not rows:
        return ""
    if learner == AUTO:
        return (
            f"Besides the chosen points, up to {rows:,} labelled validation rows are read, to tune what it settles on."
        )
    are = "row is" if rows == 1 else "rows are"
    return f"Besides the chosen points, {rows:,} labelled validation {are} read: they tune the learner of every method."
