"""Methods of other packages: what works is used, what does not is left out with its reason and breaks nothing."""

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import torch

from skmm_core.cli import main
from skmm_core.errors import InputError
from skmm_core.methods import plugins, registry
from skmm_core.methods.plugins import Plugins
from skmm_core.methods.table import method_table

ROOT = Path(__file__).resolve().parents[2]
OWN = registry.list_own_methods()
TABLE = method_table()
HEAD = """
import torch
from skmm_core.methods.registry import Family, MethodParams, Picks, get_method, list_methods, register


def add(key, family=Family.GEOMETRIC, params=MethodParams, recommended=False):
    @register(key=key, title=key.title(), family=family, summary="The first rows.", paper="None", params=params,
              url="https://example.org", recommended=recommended)
    def first_rows(pool, budget, params, *, seed, report):
        return Picks(torch.arange(budget))
"""
WORKS = HEAD + 'add("first_rows")\n'


def write_package(folder, module, source, points=None):
    """Lay a package out as an installer leaves it, version 1.2; its entry point is named as its module unless said."""
    folder.mkdir(exist_ok=True)
    (folder / f"{module}.py").write_text(source, encoding="utf-8")
    facts = folder / f"{module}-1.2.dist-info"
    facts.mkdir()
    name = module.replace("_", "-")
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n", encoding="utf-8")
    lines = "".join(f"{point} = {value}\n" for point, value in (points or {module: module}).items())
    (facts / "entry_points.txt").write_text(f"[skmm_core.methods]\n{lines}", encoding="utf-8")


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install packages for this test alone, as if the process had just started."""
    monkeypatch.setattr(registry, "_REGISTRY", {spec.key: spec for spec in OWN})
    monkeypatch.setattr(registry, "_PLUGINS", Plugins(registry._REGISTRY))
    monkeypatch.syspath_prepend(tmp_path / "site")
    modules = []

    def add(module, source, points=None):
        modules.append(module)
        write_package(tmp_path / "site", module, source, points)

    yield add
    for module in modules:
        sys.modules.pop(module, None)


def new_keys():
    return [spec.key for spec in registry.list_methods() if spec not in OWN]


def test_a_method_of_another_package_is_listed_and_selects(install):
    install("someones_rows", WORKS)
    assert new_keys() == ["first_rows"]
    rows = torch.arange(12.0).reshape(6, 2)
    assert registry.select(rows, "first_rows", 3, device="cpu").indices.tolist() == [0, 1, 2]
    assert registry.plugin_faults() == ()
    assert registry.plugin_versions(["first_rows", "uniform"]) == {"someones-rows": "1.2"}


FAULTS = {
    "a missing library": ("import no_such_library_at_all\n", "ModuleNotFoundError: No module named 'no_such_library"),
    "an error": ("1 / 0\n", "ZeroDivisionError: division by zero"),
    "an exit": ("raise SystemExit(3)\n", "SystemExit: 3"),
    "a taken key": (HEAD + 'add("skmm")\n', "two methods are named skmm"),
    "an error half-way": (
        HEAD + 'add("one")\nadd("two")\nraise RuntimeError("no\\nlicence")\n',
        "RuntimeError: no lice",
    ),
    "a taken key half-way": (HEAD + 'add("one")\nadd("uniform")\n', "two methods are named uniform"),
    "no method": ("x = 1\n", "importing bad_package registers no method"),
    "a family of its own": (HEAD + 'add("one", family="Mine")\n', "the family of 'one' is 'Mine', not one of Family"),
    "params of its own": (HEAD + 'add("one", params=dict)\n', "the params of 'one' are no MethodParams"),
    "a param without default": (
        HEAD + 'class P(MethodParams):\n    alpha: float\n\n\nadd("one", params=P)\n',
        "param 'alpha' of 'one' has no default",
    ),
    "a default of ours": (HEAD + 'add("one", recommended=True)\n', "'one' is registered as recommended"),
}


@pytest.mark.parametrize(("source", "reason"), FAULTS.values(), ids=FAULTS)
def test_what_cannot_be_used_is_left_out_whole_and_the_others_stay(install, source, reason):
    install("a_good_one", WORKS)
    install("bad_package", source)
    install("the_last", HEAD + 'add("last")\n')
    assert new_keys() == ["first_rows", "last"]
    assert [spec for spec in registry.list_methods() if spec in OWN] == list(OWN)
    (line,) = registry.plugin_faults()
    assert line.startswith("the methods of 'bad_package' from the package bad-package 1.2 are left out: ")
    assert reason in line
    assert "\n" not in line
    with pytest.raises(InputError, match=r"method 'two' is unknown; choose one of: .*'bad_package' from"):
        registry.get_method("two")


@pytest.mark.parametrize("value", ["no_such_module", "bad_package:nothing", "bad_package:", "not a module", ""])
def test_an_entry_point_that_leads_nowhere_is_left_out(install, value):
    install("bad_package", WORKS, {"bad": value})
    assert new_keys() == []
    assert len(registry.plugin_faults()) == 1


def test_of_two_packages_with_one_key_the_first_by_name_has_it(install):
    install("zebra", HEAD + 'add("stripes")\n')
    install("adder", HEAD + 'add("stripes")\n')
    assert new_keys() == ["stripes"]
    assert registry.plugin_versions(["stripes"]) == {"adder": "1.2"}
    assert "'zebra' from the package zebra 1.2" in registry.plugin_faults()[0]


def test_plugins_come_after_our_own_of_the_family_by_name_whichever_was_imported_first(install):
    install("zebra", HEAD + 'add("late")\n')
    install("adder", HEAD + 'add("early_b")\nadd("early_a")\n')
    __import__("zebra")
    assert new_keys() == ["early_b", "early_a", "late"]
    family = [spec.key for spec in registry.list_methods() if spec.family is registry.Family.GEOMETRIC]
    assert family[-3:] == ["early_b", "early_a", "late"]
    assert registry.plugin_versions(["late"]) == {"zebra": "1.2"}


def test_a_plugin_may_ask_for_the_methods_while_it_is_imported(install):
    install("someones_rows", HEAD + 'assert get_method("uniform") in list_methods()\nadd("first_rows")\n')
    assert new_keys() == ["first_rows"]


def test_entry_points_are_read_once(install, monkeypatch):
    asked = []
    monkeypatch.setattr(plugins, "entry_points", lambda **words: asked.append(words) or metadata.entry_points(**words))
    install("someones_rows", WORKS)
    assert new_keys() == new_keys() == ["first_rows"]
    assert asked == [{"group": "skmm_core.methods"}]


def test_the_table_of_the_readme_has_our_own_methods_only(install):
    install("someones_rows", WORKS)
    assert new_keys() == ["first_rows"]
    assert method_table() == TABLE


def test_the_command_says_on_stderr_what_is_left_out_and_prints_nothing_else_on_stdout(install, capsys):
    install("bad_package", "print('Welcome to my package!')\n1 / 0\n")
    install("someones_rows", "print('Hello')\n" + WORKS)
    assert main(["methods", "--json"]) == 0
    shown = capsys.readouterr()
    assert [each["key"] for each in json.loads(shown.out)["methods"] if each["title"] == "First_Rows"] == ["first_rows"]
    assert "note: the methods of 'bad_package' from the package bad-package 1.2 are left out: ZeroDi" in shown.err


def run_python(tmp_path, code):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_clashing_package_that_is_imported_before_ours_takes_no_key_either(tmp_path):
    write_package(tmp_path / "site", "bad_package", HEAD + 'add("skmm")\n')
    code = """
try:
    import bad_package
except ValueError as error:
    print(error)
from skmm_core.methods.registry import get_method, plugin_faults
print(get_method("skmm").function.__module__, len(plugin_faults()))
"""
    assert run_python(tmp_path, code) == "two methods are named skmm\nskmm_core.methods.moment_matching 1\n"


def test_importing_the_engine_reads_no_entry_point_of_ours(tmp_path):
    code = """
import importlib.metadata, sys
read, groups = importlib.metadata.entry_points, []
importlib.metadata.entry_points = lambda **words: groups.append(words["group"]) or read(**words)
import skmm_core, skmm_core.config, skmm_core.runs
print("skmm_core.methods" in groups, "torch" in sys.modules)
skmm_core.list_methods()
print("skmm_core.methods" in groups, "torch" in sys.modules)
"""
    assert run_python(tmp_path, code) == "False False\nTrue True\n"
