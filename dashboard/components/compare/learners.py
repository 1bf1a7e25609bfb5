"""What a learner changes: which picks come first under which, and what picks and learner save together."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.components.compare.tables import TIE, league_cells, summary_rows
from dashboard.components.shared.comparisons.methods import Methods
from dashboard.components.shared.comparisons.reading import task_of
from dashboard.components.shared.comparisons.score_words import is_share, score_text, verdict_text
from dashboard.components.shared.theme import UNKNOWN, fmt_int, fmt_number
from skmm_core.comparison import (
    OTHERS,
    Comparison,
    Relation,
    Verdict,
    best_by_learner,
    settled_counts,
    settled_sentence,
    summary_table,
    whole,
    winners_sentence,
)
from skmm_core.probes import AUTO, Metric, in_order, learner_phrase, learner_title


def learner_table(found: Comparison, metric: Metric, methods: Methods, budget: int) -> pd.DataFrame:
    """Methods down, learners across, at one budget: mean ± sd as markdown.

    The best mean of a learner is bold within each league; what cannot be told from it under that learner is marked ≈.
    """
    learners = in_order(found.by_learner)
    cells: dict[str, dict[str, str]] = {}
    for learner in learners:
        each = found.by_learner[learner]
        rows = [row for row in summary_rows(each.summary, metric) if row["budget"] == budget]
        for league in (False, True):
            here = [row for row in rows if (row["method"] in methods.label_aware) == league]
            for key, text in league_cells(here, each.scores, metric).items():
                cells.setdefault(key, dict.fromkeys(learners, UNKNOWN))[learner] = text
    keys = [key for key in methods.present(found.summary) if key in cells]
    table = pd.DataFrame.from_dict({methods.title(key): cells[key] for key in keys}, orient="index", columns=learners)
    return table.rename(columns=learner_title)


def winners(found: Comparison, metric: Metric, methods: Methods, budget: int) -> str:
    """Which picks come first under which learner, one sentence a league."""
    table, titles = summary_table(found), {key: methods.title(key) for key in set(found.scores["method"])}
    leagues = [[key for key in titles if (key in methods.label_aware) == league] for league in (False, True)]
    said = (
        winners_sentence(best_by_learner(table, metric, budget, league), titles, budget, metric, label_aware=sees)
        for league, sees in zip(leagues, (False, True), strict=True)
    )
    return " ".join(filter(None, said))


def together_table(rows: Sequence[Mapping[str, Any]], metric: Metric, methods: Methods) -> pd.DataFrame:
    """One row a method and budget of `against_linear`: what random picks with a linear probe need for its score."""
    order = {key: place for place, key in enumerate(methods.titles)}
    lines = []
    for row in sorted(rows, key=lambda row: (row["budget"], order.get(row["method"], len(order)))):
        better = (row["difference"] > 0) == metric.higher_is_better
        said = Verdict.TIE if row["tie"] else Verdict.BETTER if better else Verdict.WORSE
        lines.append({
            "Method": methods.title(row["method"]),
            "Points": fmt_int(row["budget"]),
            metric.title: score_text(metric, row["score"]),
            "Random picks, linear probe": _needed(row),
            "Times as many": UNKNOWN if row["factor"] is None else fmt_number(row["factor"]),
            "95 % interval": _interval(row["lo"], row["hi"]),
            "Verdict": verdict_text(said),
        })  # fmt: skip
    return pd.DataFrame(lines)


def draw_learners(found: Comparison, metric: Metric, methods: Methods, run_id: str) -> int:
    """Draw the table of methods and learners at one budget, which the visitor may move; gives the budget."""
    unit = ", %" if is_share(metric) else ""
    st.markdown(
        "##### Which picks come first under which learner?",
        help="Every selection was made once and scored under each learner. Means of two learners are side by side; "
        "which methods can be told apart is tested within each.",
    )
    budgets = sorted({int(budget) for budget in found.summary["budget"]})
    budget = budgets[len(budgets) // 2]
    if len(budgets) > 1:
        budget = st.select_slider("Points", budgets, value=budget, key=f"learners:{run_id}", format_func=fmt_int)
    st.table(learner_table(found, metric, methods, budget), border="horizontal")
    auto = found.by_learner.get(AUTO)
    settled = "" if auto is None else settled_sentence(settled_counts(auto.scores), task_of(auto.scores))
    marks = f"{metric.title}{unit}: mean ± standard deviation; best of a learner in bold, {TIE} not told apart from it."
    st.caption(" ".join(filter(None, (marks, winners(found, metric, methods, budget), settled))))
    return budget


def draw_together(rows: Sequence[Mapping[str, Any]], learner: str, metric: Metric, methods: Methods) -> None:
    """Draw what the picks and the learner save together at a budget; nothing for, or without, the linear probe."""
    if not rows:
        return
    st.markdown(
        f"##### What do picks and {learner_phrase(learner)} save together?",
        help=f"Set beside {OTHERS}: the points that those need for the same score, read off between the budgets "
        "measured. Pairs have the same seed; p-values are corrected by Holm over the methods of a league at a budget.",
    )
    st.dataframe(
        together_table(rows, metric, methods),
        hide_index=True,
        height="content",
        alt=f"Points that {OTHERS} needs for the score of each method under the learner {learner_title(learner)}.",
    )


def _needed(row: Mapping[str, Any]) -> str:
    if row["uniform_budget"] is not None:
        return fmt_int(float(whole(row["uniform_budget"])))
    if row["relation"] == Relation.SATURATED:
        return UNKNOWN
    return f"{'more' if row['relation'] == Relation.MORE_THAN else 'fewer'} than {fmt_int(row['bound'])}"


def _interval(lo: float | None, hi: float | None) -> str:
    if lo is None or hi is None:
        ends = (f"at least {fmt_number(lo)}" if lo is not None else "", f"at most {fmt_number(hi)}" if hi else "")
        return "".join(ends) or UNKNOWN
    return f"{fmt_number(lo)} to {fmt_number(hi)}"
