"""The folder under which everything lies that outlives a command: runs, uploads, caches."""

import os
from pathlib import Path


def home() -> Path:
    """The folder with all runs: `SKMM_HOME`, or "skmm-dashboard" in the user's data folder."""
    if given := os.environ.get("SKMM_HOME"):
        return Path(given).expanduser().absolute()
    import platformdirs

    return platformdirs.user_data_path("skmm-dashboard", appauthor=False)
