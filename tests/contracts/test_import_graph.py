"""Which room may import which, and that nobody touches global random numbers: from the source and live processes."""

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.rooms import ENGINE, ROOMS, ROOT, SHARED, handed_on, words

CORE = sorted([*ENGINE.rglob("*.py"), *ENGINE.rglob("*.pyi")])
SOURCES = [*CORE, *sorted((ROOT / "dashboard").rglob("*.py"))]
# Interfaces, and packages that are big or optional: the core names them late, inside functions, or not at all.
NEVER_AT_MODULE_LEVEL = {"streamlit", "plotly", "ray", "umap", "open_clip", "torchvision", "transformers", "submodlib"}
GLOBAL_RANDOM = {
    "torch.manual_seed",
    "torch.seed",
    "torch.random.manual_seed",
    "torch.cuda.manual_seed",
    "torch.cuda.manual_seed_all",
    "torch.set_rng_state",
    "random.seed",
}
# Names for methods that stand in packages of their own.
PUBLIC = {"methods": {"Family", "MethodParams", "Need", "Picks", "Status", "register"}, "testing": {"MethodContract"}}
NUMPY_RANDOM_OBJECTS = {"default_rng", "Generator", "SeedSequence", "PCG64"}

each_core_file = pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
each_file = pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))


def imported(tree: ast.AST, *, anywhere: bool) -> Iterator[str]:
    """Dotted names of imported modules: all of them, or those that run when the module is imported."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")
        elif not anywhere and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        elif not anywhere and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from imported(ast.Module(body=node.orelse, type_ignores=[]), anywhere=anywhere)
        else:
            yield from imported(node, anywhere=anywhere)


def global_random(tree: ast.AST) -> set[str]:
    """Uses of generators that a whole process shares."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name = ast.unparse(node).replace("numpy.", "np.", 1)
            parts = name.split("(")[0].split(".")  # methods of a generator made here are its own
            of_numpy = parts[:2] == ["np", "random"] and len(parts) > 2 and parts[2] not in NUMPY_RANDOM_OBJECTS
            if name in GLOBAL_RANDOM or of_numpy:
                found.add(name)
        if isinstance(node, ast.ImportFrom) and node.module in {"random", "numpy.random"}:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} - {
                f"numpy.random.{name}" for name in NUMPY_RANDOM_OBJECTS
            }
    return found


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def packages(names: Iterator[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


def test_the_walk_sees_what_it_looks_for() -> None:
    source = """
import streamlit as st
try:
    import ray
except ImportError:
    from plotly import express
if TYPE_CHECKING:
    import umap
class A:
    import torchvision
def late():
    import open_clip, dashboard.app
    torch.manual_seed(0)
    np.random.rand(3)
    numpy.random.default_rng(0)
"""
    tree = ast.parse(source)
    assert packages(imported(tree, anywhere=False)) == {"streamlit", "ray", "plotly", "torchvision"}
    assert packages(imported(tree, anywhere=True)) >= {"umap", "open_clip", "dashboard"}
    assert global_random(tree) == {"torch.manual_seed", "np.random.rand"}
    assert {ENGINE / "device.py", ENGINE / "methods" / "registry.py", ENGINE / "pool" / "__init__.pyi"} <= set(CORE)
    assert ROOT / "dashboard" / "app.py" in SOURCES


@each_core_file
def test_the_core_loads_no_interface(path: Path) -> None:
    assert not packages(imported(parse(path), anywhere=False)) & NEVER_AT_MODULE_LEVEL


@each_core_file
def test_the_core_has_never_heard_of_the_dashboard(path: Path) -> None:
    names = set(imported(parse(path), anywhere=True))
    assert not {name for name in names if name.split(".")[0] in {"dashboard", "streamlit"}}
    relative = {name for name in names if name.startswith(".")}
    assert path.suffix == ".pyi" or not relative, "imports are absolute, or this walk could miss one"


def room_of(path: Path) -> str | None:
    """The room a file stands in; None for what stands at the top of the engine and for the dashboard."""
    parts = path.relative_to(ROOT).parts
    return parts[1] if parts[0] == "skmm_core" and len(parts) > 2 else None


def breaches(source: str, room: str | None, *, at_top: bool = False) -> Iterator[str]:
    """Imports of a file that a room may not have, each with the reason.

    Args:
        source: of the file.
        room: that the file stands in; None for the dashboard, which stands after all rooms.
        at_top: the file is one that all rooms share, so it may import none of them.
    """
    above = set() if at_top else set(ROOMS) if room is None else set(ROOMS[: ROOMS.index(room)])
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            whole = [alias.name for alias in node.names if alias.name.startswith("skmm_core.")]
            yield from (f"import {name}: name what is taken" for name in whole)
        if not isinstance(node, ast.ImportFrom) or (node.module or "").split(".")[0] != "skmm_core":
            continue
        taken = (node.module or "").split(".")[1:]
        names = {alias.name for alias in node.names}
        if not taken:
            yield from (f"from skmm_core import {name}: take it from its room" for name in names - {"__version__"})
        elif taken[0] in ROOMS and taken[0] != room:
            if taken[0] not in above:
                yield f"{taken[0]}: not above"
            elif len(taken) > 1:
                yield f"{'.'.join(taken)}: past the face of {taken[0]}"
            yield from (f"{taken[0]}.{name}: not handed on by its face" for name in names - set(handed_on(taken[0])))


def test_the_walk_sees_a_breach() -> None:
    source = """
from skmm_core.errors import InputError
from skmm_core.data import Task, load_dataset
from skmm_core.methods.ranking import ranked
import skmm_core.runs.files
def late():
    from skmm_core.solvers.mmd import greedy_mmd
    from skmm_core.pool import Pool
if TYPE_CHECKING:
    from skmm_core.report import write_report
    from skmm_core import select
    from skmm_core.data import hidden
"""
    found = set(breaches(source, "methods"))
    assert found == {
        "import skmm_core.runs.files: name what is taken",
        "solvers.mmd: past the face of solvers",
        "report: not above",
        "from skmm_core import select: take it from its room",
        "data.hidden: not handed on by its face",
    }


@each_file
def test_rooms_import_the_faces_of_rooms_above_them(path: Path) -> None:
    at_top = path.parent == ENGINE and path.stem not in {"__init__", "__main__"}
    if path.suffix == ".py" and path != ENGINE / "__main__.py":
        assert not list(breaches(path.read_text(encoding="utf-8"), room_of(path), at_top=at_top))


def test_no_module_is_loose_at_the_top_and_no_room_is_unnamed() -> None:
    assert {path.stem for path in ENGINE.glob("*.py*")} == SHARED
    assert {path.parent.name for path in ENGINE.glob("*/__init__.py")} == set(ROOMS)
    assert {path.name for path in ENGINE.iterdir() if path.is_dir()} - {"__pycache__"} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_face_says_what_the_room_is_for_and_hands_on_what_others_use(room: str) -> None:
    first, more = words(room)
    assert first.endswith(".")
    assert " come in" in first or " comes in" in first
    assert " go out" in first or " goes out" in first
    assert more.endswith(".")
    face = importlib.import_module(f"skmm_core.{room}")
    for name, home in handed_on(room).items():
        assert getattr(face, name) is getattr(importlib.import_module(home), name)
        assert name != home.rsplit(".", 1)[-1], "a module of that name would hide it"
    outside = [path for path in SOURCES if room_of(path) != room]
    used = {alias.name for path in outside for alias in taken_from(parse(path), f"skmm_core.{room}")}
    unused = set(handed_on(room)) - used - PUBLIC.get(room, set())
    assert not unused, f"no other room uses {sorted(unused)}"


def taken_from(tree: ast.AST, module: str) -> Iterator[ast.alias]:
    """What a file imports from a module, by name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module == module or f"skmm_core.{node.module}" == module):
            yield from node.names


@each_file
def test_nobody_touches_global_random_numbers(path: Path) -> None:
    assert not global_random(parse(path))


def loaded_by(statement: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after the statement."""
    code = f"{statement}; import sys; sys.stdout.write(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    return {name.split(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(
    "module",
    ["skmm_core", "skmm_core.config", "skmm_core.errors", "skmm_core.progress", "skmm_core.runs"],
)
def test_old_runs_can_be_read_before_torch_is_loaded(module: str) -> None:
    loaded = loaded_by(f"import {module}")
    assert "skmm_core" in loaded
    assert not loaded & {"torch", "streamlit", "plotly", "sklearn", "ray", "umap", "dashboard"}


def test_the_whole_core_and_its_public_names_load_without_an_interface() -> None:
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in CORE]
    modules = [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]
    public = "[getattr(skmm_core, name) for name in skmm_core.__all__]"
    loaded = loaded_by(f"import {', '.join(modules)}; {public}")
    assert "torch" in loaded
    assert not loaded & {"dashboard", "streamlit", "plotly", "ray", "umap"}
