"""Which selections the page compares: named in the link, checked, and said in words where they do not fit."""

from collections.abc import Mapping, Sequence

from dashboard.components.shared.finished_selections import MAX_RUNS
from skmm_core.runs import RunRecord, RunState

PARAM = "runs"  # of the URL: ids with commas between
_SHOWN = 40


def read_link(text: str) -> list[str]:
    """Ids that a link names, each once: "a,b" → ["a", "b"]."""
    return list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def check_link(ids: Sequence[str], records: Mapping[str, RunRecord]) -> tuple[list[RunRecord], list[str]]:
    """Keep the finished selections that share the dataset of the first one; say why others are left out.

    Args:
        ids: that the link names.
        records: all runs by id.

    Returns:
        At most four records in the order named; and one line for each that is left out.
    """
    kept: list[RunRecord] = []
    problems = []
    for id_ in ids:
        record = records.get(id_)
        if record is None:
            problems.append(f"There is no run {id_[:_SHOWN]} here; it may have been deleted. Runs lists all.")
        elif record.kind != "select":
            problems.append(f"{record.name} is no selection; it is left out here.")
        elif record.state is not RunState.DONE:
            problems.append(f"{record.name} is {record.state.value}, not done; it is left out here.")
        elif kept and record.fingerprint != kept[0].fingerprint:
            problems.append(
                f"{record.name} was picked from other data than {kept[0].name}; only selections of the same data can "
                "be compared, so it is left out."
            )
        elif len(kept) == MAX_RUNS:
            problems.append(f"{record.name} is left out: at most {MAX_RUNS} selections are compared.")
        else:
            kept.append(record)
    return kept, problems


def default_pair(records: Sequence[RunRecord], opened: RunRecord | None) -> list[str]:
    """The open run and the newest of another method beside it; else the newest two.

    Args:
        records: finished selections of one dataset, newest first.
        opened: the open run, if any.
    """
    first = next((record for record in records if opened is not None and record.id == opened.id), None)
    first = first or next(iter(records), None)
    if first is None:
        return []
    rest = [record for record in records if record.id != first.id]
    other = next((record for record in rest if record.method != first.method), next(iter(rest), None))
    return [record.id for record in (first, other) if record is not None]
