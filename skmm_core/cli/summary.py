"""What a command that computed ends with: its result in a few lines."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skmm_core.cli.console import how_read_text
from skmm_core.cli.embed import summary_line
from skmm_core.data import spread_notes


def summary_of(result: Mapping[str, Any], folder: Path) -> str:
    """Say what `result.json` of a folder holds, of whatever kind the run was."""
    if result["kind"] == "embed":
        return f"{summary_line(result)} Results: {folder}{how_read_text(result.get('reading', ()))}"
    if result["kind"] == "paper":
        return f"{len(result['rows'])} rows of the table {result['experiment']} in {result['seconds']:.0f} s. {folder}"
    notes = (*spread_notes(result["notes"]), *result.get("label_notes", ()))
    warned = "".join(f"\n{note}" for note in notes) + how_read_text(result.get("reading", ()))
    told = _selection(result, folder) if result["kind"] == "select" else _comparison(result, folder)
    return told + warned


def _selection(result: Mapping[str, Any], folder: Path) -> str:
    from skmm_core.diagnostics import verdict_text  # loads torch, which the run has by now

    return (
        f"{result['method']} picked {result['budget']:,} of the {result['N']:,} points of {result['dataset']} in "
        f"{result['seconds']:.2f} s. {' '.join([result['advice'], *result.get('remarks', ())])} "
        f"{verdict_text(result)} {_known_before(result)}Results: {folder}"
    )


def _known_before(result: Mapping[str, Any]) -> str:
    """Which batch these points are, and what was known before them; empty for a first batch without labels."""
    labelled, pending, out = (result.get(name, 0) for name in ("labelled", "pending", "out"))
    if not labelled and not pending and not out:
        return ""
    told = f"Batch {result['batch']}: {labelled:,} points have a label"
    told += f", {pending:,} wait for one" if pending else ""
    return f"{told}{f', {out:,} were skipped or barred' if out else ''}. "


def _comparison(result: Mapping[str, Any], folder: Path) -> str:
    # These load pandas and scipy, which the run has by now.
    from skmm_core.comparison import few_seeds, rounds_told, settled_sentence
    from skmm_core.probes import labels_note

    count, largest = len(result["scored"]), max(result["budgets"])
    found = [f"{saving['method']}: {saving['text']}" for saving in result["savings"] if saving["budget"] == largest]
    done = f"{count} method{'s' * (count != 1)} compared on {result['dataset']} in {result['seconds']:.1f} s."
    others = f", of {', '.join(result['learners'])}" if len(result["learners"]) > 1 else ""
    under = f"Under the learner {result['learner']}{others}:"
    told = [
        rounds_told(result),
        result["claim"],
        few_seeds(result["seeds"]),
        labels_note(result.get("validation_rows"), result.get("learner")),
        settled_sentence(result["settled"], result["task"]),
    ]
    where = f"Results: {folder}; report.html in it has the curves and tables."
    return "\n".join([done, under, *found, *_beside_linear(result, largest), " ".join(filter(None, told)), where])


def _beside_linear(result: Mapping[str, Any], budget: int) -> list[str]:
    """What each method saves together with the main learner, set beside random picks with a linear probe."""
    rows = result["by_learner"][result["learner"]]["against_linear"]
    return [f"{row['method']}: {row['text']}" for row in rows if row["budget"] == budget]
