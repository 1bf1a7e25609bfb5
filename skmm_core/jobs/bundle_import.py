"""Take a run from a bundle, which `runs/bundle` checks, into the run store, with a report made here."""

from pathlib import Path

from skmm_core.report import write_report
from skmm_core.runs import RunRecord, RunStore


def import_run(store: RunStore, path: Path) -> RunRecord:
    """Add a run from a zip file; one that is finished here already is kept as it is, unless it is in the trash.

    Args:
        store: where to.
        path: the zip file.

    Raises:
        InputError: the file is no bundle that :meth:`RunStore.export` wrote, or was changed since.
    """
    return store.import_(path, write_report)
