"""The worked example of the guide runs as it stands: one file, found, listed, used, held to the contract."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "assets/docs/add-a-method.md").read_text(encoding="utf-8")

# A folder of its own stands in for skmm_core/methods, so that the example is not left behind in the package.
RUN = """
import sys
import skmm_core.methods
skmm_core.methods.__path__.append(sys.argv[1])
if sys.argv[2] == "pytest":
    import pytest
    sys.exit(pytest.main(sys.argv[3:]))
from skmm_core.cli.program import main
sys.exit(main(sys.argv[2:]))
"""


def blocks(language):
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", GUIDE, flags=re.MULTILINE | re.DOTALL)
    return [text for name, text in fenced if name == language]


def run(folder, *words):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "SKMM_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", RUN, str(folder / "methods"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=280)


def place(tmp_path):
    method, test = blocks("python")
    (tmp_path / "methods").mkdir()
    (tmp_path / "methods" / "stride.py").write_text(method, encoding="utf-8")
    (tmp_path / "test_stride_reference.py").write_text(test, encoding="utf-8")


def test_the_example_passes_its_test_and_the_contract(tmp_path):
    place(tmp_path)
    suite = ROOT / "tests/contracts/test_methods_contract.py"
    options = ("-p", "no:cacheprovider", "--rootdir", ROOT, "-c", ROOT / "pyproject.toml", "-k", "stride")
    done = run(tmp_path, "pytest", *options, tmp_path / "test_stride_reference.py", suite)
    assert done.returncode == 0, done.stdout[-3000:]
    assert int(re.search(r"(\d+) passed", done.stdout).group(1)) > 30


def test_the_example_is_listed_and_selects(tmp_path):
    place(tmp_path)
    assert re.search(r"^stride +Stride +Geometric", run(tmp_path, "methods").stdout, flags=re.MULTILINE)
    command = next(line for line in blocks("")[-1].splitlines() if " select " in line)
    words = command.split()[3:]
    words[words.index("--out") + 1] = str(tmp_path / "out")
    done = run(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "out" / "selection.csv").read_text().splitlines()) == 51
