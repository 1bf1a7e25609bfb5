"""Who may import whom, and that nobody touches global random numbers: read from the source, and from live processes."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = sorted((ROOT / "skmm_core").rglob("*.py"))
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
    assert {ROOT / "skmm_core" / "pool.py", ROOT / "skmm_core" / "methods" / "registry.py"} <= set(CORE)
    assert ROOT / "dashboard" / "app.py" in SOURCES


@each_core_file
def test_the_core_loads_no_interface(path: Path) -> None:
    assert not packages(imported(parse(path), anywhere=False)) & NEVER_AT_MODULE_LEVEL


@each_core_file
def test_the_core_has_never_heard_of_the_dashboard(path: Path) -> None:
    names = set(imported(parse(path), anywhere=True))
    assert not {name for name in names if name.split(".")[0] in {"dashboard", "streamlit"}}
    assert not {name for name in names if name.startswith(".")}, "imports are absolute, or this walk could miss one"


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
