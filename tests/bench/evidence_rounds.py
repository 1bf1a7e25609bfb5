"""The part of the evidence on picking in rounds, where each sees the labels of those before, from rounds.json."""

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from skmm_core.comparison import Verdict, verdict
from tests.bench.evidence_data import BENCHMARKS
from tests.bench.rounds_study import COVER, METHODS, MODELS, SOURCE

Row = Mapping[str, Any]
_HALVES = {benchmark.name: benchmark.half for benchmark in BENCHMARKS}
_MARKS = {Verdict.BETTER: " ▲", Verdict.WORSE: " ▼", Verdict.TIE: ""}


def rounds_part() -> str:
    """The section, with its tables."""
    made: dict[str, Any] = json.loads(SOURCE.read_text(encoding="utf-8"))
    data: dict[str, Any] = made["data"]
    names = " | ".join(f"`{method}`" for method in METHODS)
    models = ", ".join(f"`{method}`" for method in MODELS)
    opening = f"""Pick, label, pick again: `compare --rounds {made["rounds"]}`, measured by
    `python -m tests.bench.rounds_study --data FOLDER --work FOLDER` (`assets/benchmarks/rounds.json`). {models} ask a
    head that is trained on nothing but the labels so far. Before there are any they pick at random, as is published
    practice, so that in the first round they are `uniform`. The others read no label; what is labelled counts as
    covered. Accuracy in % of the {made["learner"]} probe on all points so far, mean over {made["seeds"]} seeds, each
    with a part of the pool of its own. ▲ and ▼: better and worse than `uniform` after as many rounds, by interval and
    corrected test; all else is a tie."""
    beside = f"""What asking a model adds to coverage without labels: difference from `{COVER}` on the same seeds in
    points of accuracy, after the second and after the last round, with its 95 % interval; ▲ and ▼ as above."""
    closing = f"""{_told_beside(data)} A first round at random costs most: there `{COVER}` is ahead by {_start(data)}.
    {_advice(data)} {_limits(made)}"""
    return f"""## In rounds

{_filled(opening)}

| Data | n | {names} |
|{"---|" * (2 + len(METHODS))}
{chr(10).join(line for each in data.values() for line in _lines(each))}

{_filled(_told(data))}

{_filled(beside)}

| Data | n | {" | ".join(f"`{method}`" for method in MODELS)} |
|{"---|" * (2 + len(MODELS))}
{chr(10).join(line for each in data.values() for line in _beside(each))}

{_filled(closing)}"""


def _filled(text: str) -> str:
    """In lines of the page's length; formulas in backticks may be cut at a space, which Markdown reads as one."""
    return textwrap.fill(" ".join(text.split()), 120, break_long_words=False, break_on_hyphens=False)


def _limits(made: Mapping[str, Any]) -> str:
    """What this does not show."""
    tuned = [each["title"] for name, each in made["data"].items() if _HALVES[name] == "tuning"]
    return (
        f"A seed picks from {_pools(made)} rows, five to ten labels a class in the end; longer loops are not measured "
        f"here. On {' and '.join(tuned)}, of the tuning half, `{COVER}` was made, which flatters it there."
    )


def _pools(made: Mapping[str, Any]) -> str:
    sizes = sorted(each["pool"] // made["seeds"] for each in made["data"].values())
    return f"{sizes[0]:,} to {sizes[-1]:,}"


def _lines(each: Mapping[str, Any]) -> Iterable[str]:
    for end in each["ends"]:
        cells = [_cell(_row(each["summary"], method, end)) for method in METHODS]
        yield f"| {each['title']} | {end} | {' | '.join(cells)} |"


def _row(rows: Sequence[Row], method: str, end: int) -> Row:
    return next(row for row in rows if (row["method"], row["budget"]) == (method, end))


def _cell(row: Row) -> str:
    return f"{100 * row['mean']:.1f}{_MARKS[_verdict(row)]}"


def _verdict(row: Row) -> Verdict:
    if row["vs_lo"] is None:  # uniform itself
        return Verdict.TIE
    return verdict(row["vs_lo"], row["vs_hi"], row["p_holm"], higher_is_better=True)


def _told(data: Mapping[str, Any]) -> str:
    """Of every method, in how many rounds it is better, worse and a tie; the first round is left out."""
    lines = []
    for method in METHODS[1:]:
        found = [_verdict(_row(each["summary"], method, end)) for each in data.values() for end in each["ends"][1:]]
        lines.append(f"`{method}` {_counts(found)}")
    rounds = f"over {len(found)} rounds of {len(data)} data sets"
    return f"After the first round, {rounds}, beside `uniform`: {'; '.join(lines)}."


def _counts(found: Sequence[Verdict]) -> str:
    count = {each: found.count(each) for each in Verdict}
    return f"better {count[Verdict.BETTER]}, worse {count[Verdict.WORSE]}, a tie {count[Verdict.TIE]}"


def _beside(each: Mapping[str, Any]) -> Iterable[str]:
    for end in (each["ends"][1], each["ends"][-1]):
        cells = []
        for method in MODELS:
            row = _row(each["beside_cover"], method, end)
            text = f"{100 * row['gap']:+.1f} [{100 * row['lo']:+.1f}, {100 * row['hi']:+.1f}]".replace("-", "−")
            cells.append(text + _MARKS[Verdict(row["verdict"])])
        yield f"| {each['title']} | {end} | {' | '.join(cells)} |"


def _told_beside(data: Mapping[str, Any]) -> str:
    lines = [f"`{method}` {_counts(_verdicts(data, method))}" for method in MODELS]
    return f"After the first round, beside `{COVER}`: {'; '.join(lines)}."


def _verdicts(data: Mapping[str, Any], method: str) -> list[Verdict]:
    """Of a method beside coverage, after every round but the first."""
    rows = [_row(each["beside_cover"], method, end) for each in data.values() for end in each["ends"][1:]]
    return [Verdict(row["verdict"]) for row in rows]


def _advice(data: Mapping[str, Any]) -> str:
    """What follows for somebody who picks in rounds."""
    ahead = [method for method in MODELS if Verdict.BETTER in _verdicts(data, method)]
    last = {
        method: {_row(each["beside_cover"], method, each["ends"][-1])["verdict"] for each in data.values()}
        for method in MODELS
    }
    level = [method for method, found in last.items() if found == {Verdict.TIE.value}]
    told = f"Later {_listed(ahead)} is ahead of it somewhere" if ahead else "Later none of them is ahead of it anywhere"
    return f"{told}; by the last round {_listed(level) or 'none'} is level with it on all data sets."


def _listed(methods: Sequence[str]) -> str:
    return " or ".join(f"`{method}`" for method in methods)


def _start(data: Mapping[str, Any]) -> str:
    gaps = sorted(100 * _row(each["summary"], COVER, each["ends"][0])["vs_uniform"] for each in data.values())
    return f"{gaps[0]:.0f} to {gaps[-1]:.0f} points"
