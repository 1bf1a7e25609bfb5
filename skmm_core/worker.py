"""A warm process that runs run folders one at a time: `python -m skmm_core.worker`.

Start-up of torch is paid before there is work. It prints "ready", then reads the path of a run folder from each line
of its input and runs it through the same code as `python -m skmm_core run FOLDER`. When its input ends (the dashboard
is gone) it finishes the run it has and exits. A run that was asked to stop ends the process: nothing of it is left.
"""

import contextlib
import importlib
import os
import sys
from pathlib import Path

from skmm_core.runner import CANCELLED_EXIT, Stop, run_folder

_WARM = ("sklearn.linear_model", "sklearn.datasets", "skmm_core.execute")


def main() -> int:
    """Serve until the input ends; returns the exit code."""
    for module in _WARM:
        importlib.import_module(module)
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
    for line in sys.stdin:
        stop = Stop(hard=True)
        with stop.on_signals(), contextlib.suppress(Exception):  # the row and the log say what went wrong
            run_folder(Path(line.rstrip("\n")), stop=stop)
        if stop.requested:
            os._exit(CANCELLED_EXIT)  # the state is on disk; tearing down torch would only take its time
    return 0


if __name__ == "__main__":
    sys.exit(main())
