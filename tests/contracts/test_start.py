"""What is loaded before an answer: nothing heavy for help and slips, and for a selection only what it asks."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skmm_core.data import digits_file, load_dataset
from skmm_core.data.digits_file import read_digits

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "numpy", "pandas", "pyarrow", "scipy", "sklearn", "PIL", "jinja2", "plotly", "streamlit"}
SELECT = "select --dataset digits --budget 5 --out OUT"


def answered(commands: list[str], folder: Path, *, threads: str | None = None) -> tuple[list[int], set[str], str]:
    """Exit codes of commands given one after the other in a fresh process, the modules loaded by then, and stderr."""
    code = (
        "import json, os, sys; from skmm_core.cli import main\n"
        f"codes = [main(words.split()) for words in {commands!r}]\n"
        "sys.stdout.write('\\n' + json.dumps([codes, sorted(sys.modules), os.environ.get('OMP_WAIT_POLICY')]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "SKMM_HOME": str(folder / "home")}
        | ({} if threads is None else {"OMP_WAIT_POLICY": threads}),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    codes, modules, policy = json.loads(done.stdout.splitlines()[-1])
    assert policy == (threads or "PASSIVE")
    return codes, set(modules), done.stderr


def packages(modules: set[str]) -> set[str]:
    return {name.split(".")[0] for name in modules}


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    commands = ["", "--help", "--version", "runs list", "runs --help", "labels --help", "learners"]
    commands += [f"{name} --help" for name in ("select", "compare", "run", "embed", "predict", "paper", "bench")]
    codes, modules, _ = answered(commands, tmp_path)
    assert codes == [0] * len(commands)
    assert "skmm_core.cli.compute" in modules
    assert not packages(modules) & HEAVY


SLIPS = [
    ("select --nothing", "No such option"),
    ("select --dataset digits --budget few --out OUT", "integer"),
    (SELECT.replace("5", "0"), "budget 0 is outside 1..1078; the pool has 1078 points"),
    (SELECT.replace("5", "1079"), "budget 1079 is outside 1..1078"),
    ("select --dataset gmm:N=40,r=9,clusters=3 --budget 41 --out OUT", "budget 41 is outside 1..40"),
    ("select --dataset gmm:M=40 --budget 4 --out OUT", "gmm has no option 'M'"),
    ("select --dataset iris --budget 4 --out OUT", "there is no built-in dataset 'iris'"),
    ("select --dataset rows.csv --budget 0 --out OUT", "budget 0 is below 1; say how many points to pick"),
    ("select --dataset nowhere.csv --budget 5 --out OUT", "nowhere.csv was not found; check the path"),
    ("select --dataset empty.npz --budget 5 --out OUT", "empty.npz is empty"),
    ("select --dataset rows.csv --test nowhere.csv --budget 5 --out OUT", "nowhere.csv was not found"),
    ("select --dataset rows.npy --labels y.npy --budget 5 --out OUT", "y.npy was not found"),
    (f"{SELECT} --target y", "digits is built in, with its own targets and split; leave out --target"),
    ("select --dataset rows.npy --id a --budget 5 --out OUT", "--id names a column or an array"),
    ("compare --dataset digits --methods skmm --budgets 5,1079 --out OUT", "budget 1079 is outside 1..1078"),
    ("predict --dataset nowhere.csv --labels y.csv --out p.csv", "nowhere.csv was not found"),
]


def test_a_slip_is_told_before_anything_heavy_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n3,4\n")
    (tmp_path / "empty.npz").touch()
    np.save(tmp_path / "rows.npy", np.eye(3))
    codes, modules, said = answered([words for words, _ in SLIPS], tmp_path)
    assert codes == [2] * len(SLIPS)
    for line, (words, told) in zip(said.splitlines(), SLIPS, strict=True):
        assert line.startswith("error: "), words
        assert told in line, (words, line)
    assert not packages(modules) & HEAVY
    assert not (tmp_path / "OUT").exists()


def test_a_selection_loads_neither_scikit_learn_nor_the_large_parts_of_scipy(tmp_path: Path) -> None:
    codes, modules, said = answered([f"{SELECT} --quiet"], tmp_path, threads="ACTIVE")
    assert codes == [0], said
    assert "torch" in modules
    assert not packages(modules) & {"sklearn", "joblib", "streamlit", "umap", "torchvision"}
    assert not modules & {f"scipy.{name}" for name in ("stats", "optimize", "interpolate", "sparse", "spatial")}


def test_the_digits_are_those_of_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    bunch = load_digits()
    expected = np.column_stack([bunch.data, bunch.target])
    assert np.array_equal(read_digits(), expected)
    dataset = load_dataset("digits")
    assert np.array_equal(dataset.features.numpy(), bunch.data.astype(np.float32))
    assert dataset.feature_names == tuple(bunch.feature_names)
    assert dataset.class_names == tuple(str(name) for name in bunch.target_names)
    monkeypatch.setattr(digits_file, "find_spec", lambda name: None)  # as where the file lies elsewhere
    assert np.array_equal(read_digits(), expected)
