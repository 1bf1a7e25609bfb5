"""The worked example of the guide runs as it stands, in both its places: found, listed, used, held to the contract."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from skmm_core.config import DatasetConfig, RunConfig, SelectJob
from skmm_core.runs.files import CONFIG
from skmm_core.runs.snippet import python_lines

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


METHOD, REFERENCE, CONTRACT = blocks("python")
INSIDE, OUTSIDE = blocks("")


def words_of(commands, verb, out):
    """The words after `python -m skmm_core` of the guide's command with this verb, with another folder to write to."""
    words = next(line for line in commands.splitlines() if f" {verb} " in line).split()[3:]
    words[words.index("--out") + 1] = str(out)
    return words


def python(folder, path, *words, **options):
    environment = os.environ | {"SKMM_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(map(str, path))
    return subprocess.run(
        [sys.executable, *map(str, words)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=280,
        **{"cwd": ROOT, **options},
    )


def inside(folder, *words):
    return python(folder, [ROOT], "-c", RUN, folder / "methods", *words)


def place(tmp_path):
    (tmp_path / "methods").mkdir()
    (tmp_path / "methods" / "stride.py").write_text(METHOD, encoding="utf-8")
    (tmp_path / "test_stride_reference.py").write_text(REFERENCE, encoding="utf-8")


def test_inside_the_example_passes_its_test_and_the_contract(tmp_path):
    place(tmp_path)
    suite = ROOT / "tests/contracts/test_methods_contract.py"
    options = ("-p", "no:cacheprovider", "--rootdir", ROOT, "-c", ROOT / "pyproject.toml", "-k", "stride")
    done = inside(tmp_path, "pytest", *options, tmp_path / "test_stride_reference.py", suite)
    assert done.returncode == 0, done.stdout[-3000:]
    assert int(re.search(r"(\d+) passed", done.stdout).group(1)) > 30


def test_inside_the_example_is_listed_and_selects(tmp_path):
    place(tmp_path)
    assert re.search(r"^stride +Stride +Geometric", inside(tmp_path, "methods").stdout, flags=re.MULTILINE)
    done = inside(tmp_path, *words_of(INSIDE, "select", tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "out" / "selection.csv").read_text().splitlines()) == 51


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the guide's package in `site/`, as pip leaves it there, its tests, and a selection in `out/`."""
    folder = tmp_path_factory.mktemp("package")
    (folder / "tests").mkdir()
    (folder / "tests" / "test_stride.py").write_text(CONTRACT, encoding="utf-8")
    (folder / "tests" / "test_stride_reference.py").write_text(REFERENCE, encoding="utf-8")
    declared = tomllib.loads(blocks("toml")[0])
    project, (package,) = declared["project"], declared["tool"]["setuptools"]["packages"]
    code = folder / "site" / package
    code.mkdir(parents=True)
    (code / "__init__.py").touch()
    (code / "stride.py").write_text(METHOD, encoding="utf-8")
    metadata = folder / "site" / f"{package}-{project['version']}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n", encoding="utf-8"
    )
    groups = "".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        for group, points in project["entry-points"].items()
    )
    (metadata / "entry_points.txt").write_text(groups, encoding="utf-8")
    done = outside(folder, "-m", "skmm_core", *words_of(OUTSIDE, "select", folder / "out"))
    assert done.returncode == 0, done.stderr
    return folder


def outside(folder, *words, **options):
    return python(folder, [folder / "site", ROOT], *words, **{"cwd": folder, **options})


def test_outside_the_example_passes_its_tests_and_the_contract(installed):
    assert len(CONTRACT.strip().splitlines()) == 5
    done = outside(installed, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", installed, "tests")
    assert done.returncode == 0, done.stdout[-3000:]
    assert int(re.search(r"(\d+) passed", done.stdout).group(1)) > 40


def test_outside_the_example_is_listed(installed):
    done = outside(installed, "-m", "skmm_core", "methods")
    assert re.search(r"^stride +Stride +Geometric", done.stdout, flags=re.MULTILINE)
    assert done.stderr == ""


def test_outside_the_example_selects_and_its_version_is_on_record(installed):
    assert len((installed / "out" / "selection.csv").read_text().splitlines()) == 51
    result = json.loads((installed / "out" / "result.json").read_text())
    assert result["method"] == "stride"
    assert result["versions"]["my-package"] == "0.1"
    report = (installed / "out" / "report.html").read_text(encoding="utf-8")
    assert "were chosen by Stride" in report
    assert "Systematic sampling" in report
    assert "my-package 0.1" in report


def test_outside_the_example_compares(installed):
    done = outside(installed, "-m", "skmm_core", *words_of(OUTSIDE, "compare", installed / "comparison"))
    assert done.returncode == 0, done.stderr
    result = json.loads((installed / "comparison" / "result.json").read_text())
    assert set(result["scored"]) == {"stride", "skmm_cover", "uniform"}
    assert result["versions"]["my-package"] == "0.1"


def test_outside_the_warm_worker_of_the_dashboard_and_the_python_lines_pick_the_same(installed):
    config = RunConfig(dataset=DatasetConfig(source="digits"), job=SelectJob(method="stride", budget=50))
    run = installed / "run"
    run.mkdir()
    (run / CONFIG).write_text(config.model_dump_json(), encoding="utf-8")
    done = outside(installed, "-m", "skmm_core.jobs.worker", input=f"{run}\n")
    assert (done.returncode, done.stdout) == (0, "ready\nready\n"), done.stderr
    lines = python_lines(config) + "print(*rows.tolist())\n"
    picked = outside(installed, "-c", lines).stdout.split()
    chosen = [folder / "selection.csv" for folder in (installed / "out", run)]
    first, second = ([line.split(",")[2] for line in path.read_text().splitlines()[1:]] for path in chosen)
    assert first == second == picked
