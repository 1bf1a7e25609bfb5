import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from skmm_core.cli.program import main

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out, parse_constant=pytest.fail)


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """Runs `python -m skmm_core …` as a process of its own, with a home of its own."""
    home = tmp_path_factory.mktemp("home")

    def run(*words, cwd=ROOT):
        environment = os.environ | {"SKMM_HOME": str(home), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "skmm_core", *map(str, words)],
            capture_output=True,
            text=True,
            cwd=cwd,
            env=environment,
            timeout=240,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    run.home = home
    return run


@pytest.fixture
def here(tmp_path, monkeypatch, capsys):
    """Runs a command inside this process: the same code, without another start of torch."""
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "home"))

    def run(*words):
        capsys.readouterr()
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run
