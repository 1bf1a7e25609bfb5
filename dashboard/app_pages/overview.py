"""Overview: a finished demo run, what it buys in one sentence, and where to go next."""

from dashboard.components.overview.example import draw_demo
from dashboard.components.overview.waiting import wait_for_demo
from dashboard.components.shared.job_panel import job_panel
from dashboard.components.shared.theme import error_line, mistakes_told
from dashboard.services import demo
from skmm_core.runs import RunState

runs = demo.demo_runs()
if runs.problem:
    error_line(runs.problem)
elif runs.select is None:
    wait_for_demo()
else:
    with mistakes_told():
        if job_panel(runs.select.id) is RunState.DONE:
            draw_demo(runs.select)
