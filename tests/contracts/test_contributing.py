"""The guide for contributors is current: its folders, links and make targets are those that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_folder_of_tests_has_its_line() -> None:
    there = {path.parent.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").glob("*/**/*.py")}
    assert set(re.findall(r"^\| `tests/(\w+)/` \|", GUIDE, flags=re.MULTILINE)) == there


def test_files_and_make_targets_that_it_names_exist() -> None:
    names = re.findall(r"\]\(([^)]+)\)", GUIDE) + re.findall(r"tests/[\w/]+\.py", GUIDE)
    assert len(names) > 5
    for name in names:
        assert (ROOT / name).exists(), name
    targets = set(re.findall(r"make (\w+)", GUIDE))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert targets >= {"test", "lint", "screenshots"}
    for target in targets:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
