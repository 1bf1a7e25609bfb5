"""Everything about one to four selections: the verdict and the guarantee in words, the charts, the table of numbers."""

from collections.abc import Callable

import streamlit as st

from dashboard.components.shared.answered_chart import Answer, draw_answer
from dashboard.components.shared.diagnostics.charts import objective_trace, ridge_bars, risk_curve, spectrum_match
from dashboard.components.shared.diagnostics.diagnosed_runs import DiagnosedRun, Runs
from dashboard.components.shared.diagnostics.distortion import distortion_histogram
from dashboard.components.shared.diagnostics.histograms import coverage_histogram, leverage_histogram
from dashboard.components.shared.diagnostics.random_picks import beside
from dashboard.components.shared.diagnostics.table import metrics_table
from dashboard.components.shared.encoder_mark import draw_marks
from dashboard.components.shared.learn_link import learn_link
from dashboard.components.shared.theme import escape, notes, plural
from dashboard.components.shared.verdict import verdict_line
from skmm_core.diagnostics import QUANTITIES

ANSWERS: tuple[tuple[Callable[[Runs], Answer | None], str | None], ...] = (  # with the step of Learn that explains it
    (risk_curve, "Bias"),
    (spectrum_match, "SkMM"),
    (coverage_histogram, "Why"),
    (leverage_histogram, "Variance"),
    (ridge_bars, "Variance"),
    (distortion_histogram, "Sketch"),
    (objective_trace, None),
)
_CARD_PIXELS, _CHART_PIXELS = 320, 430


def diagnose_view(runs: list[DiagnosedRun]) -> None:
    """Draw all answers. A single panel takes half the width, an answer with a panel a run takes all of it."""
    draw_marks(dict.fromkeys(mark for run in runs for mark in run.marks))
    _verdicts(runs)
    grid = st.grid(2, min_column_width=_CHART_PIXELS, gap="medium", dense=True)
    for make, step in ANSWERS:
        answer = make(runs)
        if answer is not None:
            with grid.cell(column_span="all" if len(answer.panels) > 1 else 1):
                draw_answer(answer, f"diagnose:{make.__name__}")
                if step is not None:
                    learn_link(step)
    if all(run.diagnostics.ridge_bias2 is None for run in runs):
        st.caption(":material/info: Without targets the error of a ridge probe is unknown; add them in Data.")
    table, legend = metrics_table(runs)
    st.markdown("##### All numbers")
    st.table(table.rename(columns=escape), border="horizontal")
    st.caption(legend)


def _verdicts(runs: list[DiagnosedRun]) -> None:
    st.markdown("##### Do the points stand for the data?", help=QUANTITIES["c_s"].help)
    grid = st.grid(2, min_column_width=_CARD_PIXELS) if len(runs) > 1 else st.container()
    for run in runs:
        d = run.diagnostics
        with grid.container(border=len(runs) > 1):
            if len(runs) > 1:
                st.markdown(f"**{escape(run.label)}**")
            verdict_line(run.band)
            st.markdown(
                f"{plural(d.n, 'point')} can support about {plural(d.rank, 'independent pattern')}"
                f"{beside(run, 'rank')}. {escape(d.certificate_text)}"
            )
            notes(run.remarks)
