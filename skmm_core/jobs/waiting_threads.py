"""How threads of linear algebra wait for each other: asleep, as long as nobody asks for more."""

import os


def let_threads_sleep() -> None:
    """Have OpenMP threads sleep while they wait; call it before torch is loaded, which reads the setting once.

    They spin by default. That gains microseconds where every core is free; where others work too (a browser, a second
    run), a thread spins until the one that it waits for gets a core, and many small products then took over ten times
    as long. What the user set stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
