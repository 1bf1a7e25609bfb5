"""Labels that a score needed besides those of the chosen points: validation rows that tune the probe.

Nothing here imports torch, so that a page can say it of an old run at once.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skmm_core.config import FinetuneParams
    from skmm_core.data import Dataset


def validation_rows(dataset: "Dataset", finetune: "FinetuneParams | None" = None) -> int:
    """Labelled validation rows that tune what scores a selection of this dataset.

    They choose the penalty of the logistic probe, or the epoch at which finetuning stops. Ridge is tuned inside the
    chosen points, so it reads none.

    Args:
        dataset: that is scored.
        finetune: how a network is trained, or None for the linear probe.
    """
    if dataset.task.value != "classification" and finetune is None:
        return 0
    return len(dataset.split.validation)


def labels_note(rows: int | None) -> str:
    """One sentence on validation rows for a person; empty where there are none, or an old run does not tell."""
    if not rows:
        return ""
    are = "row is" if rows == 1 else "rows are"
    return f"Besides the chosen points, {rows:,} labelled validation {are} read: they tune the probe of every method."
