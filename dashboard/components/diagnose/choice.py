"""Which selections the Diagnose page shows."""

from collections.abc import Collection, Sequence

from dashboard.components.shared.finished_selections import MAX_RUNS


def start_with(ids: Sequence[str], opened: str | None, wanted: Collection[str]) -> list[str]:
    """Which runs to show first: those another page asked for, else the open one, else the newest."""
    asked = [id_ for id_ in ids if id_ in wanted][:MAX_RUNS]
    if asked and (opened is None or opened not in ids or opened in asked):
        return asked
    return [opened] if opened is not None and opened in ids else list(ids[:1])
