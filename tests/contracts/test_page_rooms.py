"""Components live by page or view: its folder serves that page alone, `shared/` serves all. Read from the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "dashboard"
SOURCES = sorted(path.relative_to(DASHBOARD) for path in DASHBOARD.rglob("*.py"))
PAGES = {path.stem for path in SOURCES if path.parts[0] == "app_pages"} - {"__init__"}
VIEWS = {"pick": {"workbench", "diagnose", "selections", "label"}, "compare": {"present"}}  # folders of views, by page
SHARED, ANY_PAGE, ALL_ROOMS = "shared", "app_pages", "components"


def rooms(source: str) -> Iterator[str]:
    """What a file imports, at module level or later: folders of `components/`, the whole of it, pages themselves."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute, or this walk could miss one"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for parts in (name.split(".") for name in names):
            if parts[:2] == ["dashboard", "app_pages"]:
                yield ANY_PAGE
            elif parts[:2] == ["dashboard", "components"]:
                yield parts[2] if len(parts) > 2 else ALL_ROOMS


def allowed(path: Path) -> set[str]:
    """Rooms that a file of the dashboard may import from."""
    place, *rest = path.parts
    if place == "components":
        return {rest[0], SHARED}  # a page's folder and shared; for `shared/` itself, shared alone
    if place == "app_pages":
        return {path.stem, SHARED} | VIEWS.get(path.stem, set())
    return {SHARED} if path.name == "app.py" else set()


def breaches(path: Path, source: str) -> set[str]:
    return set(rooms(source)) - allowed(path)


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_a_component_is_used_by_its_own_page_alone(path: Path) -> None:
    found = breaches(path, (DASHBOARD / path).read_text(encoding="utf-8"))
    assert not found, f"what several pages use belongs in dashboard/components/{SHARED}/"


def test_every_folder_is_that_of_a_page_and_says_what_it_draws() -> None:
    components = DASHBOARD / "components"
    folders = {path.name for path in components.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == (PAGES - {"pick"}).union({SHARED}, *VIEWS.values()), "pick draws nothing itself: its views do"
    assert [path.name for path in components.glob("*.py")] == ["__init__.py"], "a component stands in its page's folder"
    for face in components.rglob("*/__init__.py"):
        tree = ast.parse(face.read_text(encoding="utf-8"))
        said = ast.get_docstring(tree) or ""
        assert len(tree.body) == 1, f"{face} loads nothing, so that a page loads only what it draws"
        assert said.endswith("."), face
        assert "\n" not in said, face


@pytest.mark.parametrize(
    ("path", "source", "found"),
    [
        ("components/present/view.py", "from dashboard.components.compare.view import compare_view", {"compare"}),
        ("components/present/view.py", "import dashboard.components.learn.plane as plane", {"learn"}),
        ("components/present/view.py", "from dashboard.components import select", {"select"}),
        ("components/present/view.py", "def late():\n    from dashboard.components.runs import table", {"runs"}),
        ("components/present/view.py", "from dashboard.components.present.story import cast_of", set()),
        ("components/shared/map/figure.py", "from dashboard.components.workbench.pane import pane", {"workbench"}),
        ("components/shared/map/figure.py", "from dashboard.components.shared.theme import INK", set()),
        ("components/shared/theme.py", "import dashboard.components", {ALL_ROOMS}),
        ("components/shared/theme.py", "from dashboard.app_pages.select import draw_form", {ANY_PAGE}),
        ("app_pages/pick.py", "from dashboard.components.workbench.page import workbench_page", set()),
        ("app_pages/pick.py", "from dashboard.components.present import view", {"present"}),
        ("services/state.py", "from dashboard.components.shared.theme import escape", {SHARED}),
        ("app.py", "from dashboard.components.shared.tour import tour", set()),
        ("app.py", "from dashboard.components.overview.example import draw_demo", {"overview"}),
    ],
)
def test_the_walk_sees_a_breach(path: str, source: str, found: set[str]) -> None:
    assert breaches(Path(path), source) == found
