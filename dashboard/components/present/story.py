"""The story of a finished run for people who were not there: which runs it is told from, and its sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.components.shared.comparisons.repeated_selections import covers, repeats
from dashboard.components.shared.comparisons.savings_words import interval_text, worth
from dashboard.components.shared.theme import UNKNOWN, fmt_int, fmt_percent, plural
from skmm_core.comparison import REFERENCE, STRATIFIED, Costs, Relation, league_savings, whole
from skmm_core.config import RunConfig, SelectJob
from skmm_core.diagnostics import read_band
from skmm_core.probes import Metric, best_of
from skmm_core.runs import RunRecord, RunState


@dataclass(frozen=True)
class Cast:
    """The runs that a story is told from; at least one is there.

    Attributes:
        selection: gives the map.
        comparison: gives the curve and the saving.
        method, budget: what the headline is about; the comparison holds the method, and the budget where one does.
    """

    selection: RunRecord | None
    comparison: RunRecord | None
    method: str
    budget: int


def presentable(records: Sequence[RunRecord]) -> list[RunRecord]:
    """Finished selections and comparisons, newest first."""
    return [record for record in records if record.state is RunState.DONE and record.kind in ("select", "compare")]


def cast_of(
    record: RunRecord,
    records: Sequence[RunRecord],
    result: Mapping[str, Any] | None,
    about: tuple[str, int] | None = None,
) -> Cast:
    """Find the other half of a story: a comparison of the very selection, or the selection that a comparison made.

    Args:
        record: the run that the story is about.
        records: of :func:`presentable`.
        result: `result.json` of the run when it is a comparison, under the learner that the story is told with.
        about: method and budget that the story of a comparison is about; None for the best at the middle budget.
    """
    job = record.config.job
    if isinstance(job, SelectJob):
        fitting = [other for other in records if repeats(other, record)]
        exact = [other for other in fitting if covers(other, record)]
        return Cast(record, next(iter(exact or fitting), None), job.method, job.budget)
    method, budget = about or best_at_middle(result or {})
    made = [other for other in records if covers(record, other)]
    exact = [other for other in made if (_job(other).method, _job(other).budget) == (method, budget)]
    return Cast(next(iter(exact), None), record, method, budget)


def best_at_middle(result: Mapping[str, Any]) -> tuple[str, int]:
    """The method with the best mean at the middle budget, among those that see no labels when there are any.

    The middle, not the budget that flatters most.
    """
    budgets = sorted(set(result["budgets"]))
    budget = budgets[len(budgets) // 2]
    rows = [row for row in result["savings"] if row["budget"] == budget and row["method"] != "uniform_stratified"]
    free = [row for row in rows if row["method"] not in result.get("label_aware", ())]
    if not rows:
        return REFERENCE, budget
    means = {row["method"]: row["score"] for row in free or rows}
    return best_of(means, higher_is_better=result["metric"]["higher_is_better"]), budget


def told_methods(result: Mapping[str, Any]) -> list[str]:
    """Methods of a comparison that a story can be about: all but the random picks that they are set beside."""
    return [
        key for key in dict.fromkeys(row["method"] for row in result["savings"]) if key not in (REFERENCE, STRATIFIED)
    ]


def every_budget(result: Mapping[str, Any], method: str) -> str:
    """What the points of a method are worth at each budget, so that no single budget stands for the whole.

    Args:
        result: `result.json` of a comparison, under one learner.
        method: key of the method.
    """
    against = result.get("against_stratified", ())
    rows = league_savings(result.get("savings", ()), against, Metric(**result["metric"]))
    told = [f"{fmt_int(row['budget'])} → {_worth(row)}" for row in rows if row["method"] == method]
    return f"Random picks that score the same, at every budget: {' · '.join(told)}." if len(told) > 1 else ""


def _worth(saving: Mapping[str, Any]) -> str:
    if saving["relation"] == Relation.SATURATED:
        return "scores saturated"
    if saving["tie"]:
        return "no clear difference"
    if saving["uniform_budget"] is not None:
        return fmt_int(float(whole(saving["uniform_budget"])))
    return f"{'more' if saving['relation'] == Relation.MORE_THAN else 'fewer'} than {fmt_int(saving['bound'])}"


def selection_config(cast: Cast) -> RunConfig | None:
    """The selection that would give the map of a comparison; None where there is one already."""
    if cast.comparison is None or cast.selection is not None:
        return None
    config = cast.comparison.config
    params = _job(cast.comparison).params.get(cast.method, {})
    return config.model_copy(update={"job": SelectJob(method=cast.method, budget=cast.budget, params=params)})


def bare_headline(result: Mapping[str, Any], title: str) -> str:
    """What a selection alone can claim: how much of the variation in the data its points represent."""
    budget, size = result["budget"], result["N"]
    start = f"**{fmt_int(budget)} of {fmt_int(size)}** points ({fmt_percent(budget / size, 1)}), picked by {title}"
    band = read_band(result.get("band"))
    measure = None if band is None else band.of("represented")
    if measure is None:
        return f"{start}."
    return (
        f"{start}, represent **{fmt_percent(measure.value, 1)}** of the variation in your data (random: "
        f"{fmt_percent(measure.middle, 1)})."
    )


def saving_line(saving: Mapping[str, Any], costs: Costs) -> str:
    """One sentence on the points, money and time saved for the score in the headline; a tie is called a tie.

    Args:
        saving: the row that the headline is made of.
        costs: of a point.
    """
    if saving["relation"] == Relation.SATURATED:
        return "No saving can be read from saturated scores."
    if saving["tie"]:
        return "A tie with random picks: no saving is proven."
    budget, relation = saving["budget"], saving["relation"]
    needed = saving["bound"] if saving["uniform_budget"] is None else int(whole(saving["uniform_budget"]))
    saved = needed - budget
    if relation == Relation.LESS_THAN or saved <= 0:
        return "No points are saved: random picks need no more."
    beyond = relation == Relation.MORE_THAN
    lo, hi = (None if saving[side] is None else float(whole(saving[side] * budget)) - budget for side in ("lo", "hi"))
    interval = interval_text(lo, hi)
    sure = "" if interval == UNKNOWN else f" (95 % interval {interval})"
    points = f"{'More than ' if beyond else ''}{plural(saved, 'point')}"
    return f"**{points} saved** for the same score{sure}. {worth(saved, costs, at_least=beyond)}".strip()


def together_line(result: Mapping[str, Any], method: str, budget: int) -> str:
    """What picks and learner save together, beside random picks with a linear probe; empty where that is not known.

    Args:
        result: of the comparison, under the learner that the story is told with.
        method: of the headline.
        budget: of the headline.
    """
    rows = (row for row in result.get("against_linear", ()) if (row["method"], row["budget"]) == (method, budget))
    return next((str(row["text"]) for row in rows), "")


def _job(record: RunRecord) -> Any:
    return record.config.job
