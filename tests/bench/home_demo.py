"""Make the runs that Home opens on: `python -m tests.bench.home_demo` writes assets/demo/.

Run it when a selection, a score or a file of a run changes; tests/ui/pages/test_home_demo.py says when.
"""

import sys
import tempfile
import zipfile
from pathlib import Path

from dashboard.services import demo
from skmm_core.config import RunConfig
from skmm_core.data.load import load_dataset
from skmm_core.jobs.runner import run_folder
from skmm_core.runs import REPORT, RunStore


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder))
        for config in (demo.SELECT, demo.COMPARE):
            bundle(store, config, demo.shipped(config))


def bundle(store: RunStore, config: RunConfig, path: Path) -> None:
    """Make a run and pack it without its report."""
    record = store.create(config, load_dataset(config.dataset).fingerprint)
    run_folder(record.folder, home=store.home)
    (record.folder / REPORT).unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    store.export(record.id, path)
    with zipfile.ZipFile(path) as archive:
        assert REPORT not in archive.namelist()
    sys.stdout.write(f"{path} {path.stat().st_size // 1024} KB\n")


if __name__ == "__main__":
    main()
