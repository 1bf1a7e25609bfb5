"""A warm process that runs run folders one at a time: `python -m skmm_core.jobs.worker`.

Start-up of torch is paid before there is work. It prints "ready" whenever it can take a run, then reads the path of a
run folder from a line of its input and runs it through the same code as `python -m skmm_core run FOLDER`. When its
input ends (the dashboard is gone) it finishes the run it has and exits. A run that was asked to stop ends the process:
nothing of it is left.
"""

import contextlib
import importlib
import os
import sys
from pathlib import Path

from skmm_core.jobs.cancel import CANCELLED_EXIT, Stop
from skmm_core.jobs.runner import run_folder
from skmm_core.jobs.waiting_threads import let_threads_sleep

READY = "ready\n"
_WARM = (
    *("sklearn.linear_model", "scipy.stats", "skmm_core.jobs.execute", "skmm_core.jobs.selection"),
    *("skmm_core.jobs.comparison", "skmm_core.report.selection", "skmm_core.report.comparison"),
)


def main() -> int:
    """Serve until the input ends; returns the exit code."""
    let_threads_sleep()
    for module in _WARM:
        importlib.import_module(module)
    _say_ready()
    for line in sys.stdin:
        stop = Stop(hard=True)
        with stop.on_signals(), contextlib.suppress(Exception):  # the row and the log say what went wrong
            run_folder(Path(line.rstrip("\n")), stop=stop)
        if stop.requested:
            os._exit(CANCELLED_EXIT)  # the state is on disk; tearing down torch would only take its time
        _say_ready()
    return 0


def _say_ready() -> None:
    with contextlib.suppress(OSError):  # nobody listens any more; the end of the input says so too
        os.write(sys.stdout.fileno(), READY.encode())


if __name__ == "__main__":
    sys.exit(main())
