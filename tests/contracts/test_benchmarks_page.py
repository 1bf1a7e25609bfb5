"""The page of benchmarks says what the committed figures say."""

import json

from skmm_core.methods.registry import recommended_method
from tests.bench import peer_selections, scale_page
from tests.bench.benchmarks_page import FIGURES, PAGE, page
from tests.bench.peer_picks_page import section
from tests.bench.peer_selections import DIVERSE, TYPICAL


def test_the_page_is_what_the_figures_make_it() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.bench.benchmarks_page`"


def test_every_file_of_figures_is_named_in_the_docs() -> None:
    documents = "\n".join(file.read_text(encoding="utf-8") for file in PAGE.parent.glob("*.md"))
    for file in FIGURES.glob("*.json"):
        assert f"{file.stem}.json" in documents, f"no document says what {file.name} is"


MACHINE = json.loads((FIGURES / "peers.json").read_text(encoding="utf-8"))["machine"]


def measured(accuracy):
    """Scores of eight seeds, a little apart, at two budgets; picking takes a second for each point in a hundred."""
    scores = [
        [method, budget, seed, value + 0.001 * (seed % 3), budget / 100]
        for method, values in accuracy.items()
        for budget, value in zip((20, 50), values, strict=True)
        for seed in range(8)
    ]
    known = {"data": "CIFAR-10", "N": 3000, "d": 1280, "test": 2000, "seeds": 8, "budgets": [20, 50]}
    return known | {"default": "ours", "versions": {"lightly-mundig": "0.1.16"}, "machine": MACHINE, "scores": scores}


def test_picks_of_a_peer_stand_below_ours_with_means_and_seconds() -> None:
    found = measured({"uniform": (0.2, 0.3), DIVERSE: (0.3, 0.4), TYPICAL: (0.45, 0.5), "ours": (0.4, 0.6)})
    _, _, said, table, diverse, typical = section(found)
    assert "lightly-mundig 0.1.16. CIFAR-10, 1,280 features" in said
    assert [line.split(" | ")[0] for line in table.splitlines()[2:]] == [
        "| `ours`",
        f"| {DIVERSE}",
        f"| {TYPICAL}",
        "| `uniform`",
    ]
    assert "| `ours` | 0.401 | 0.601 | 0.5 |" in table  # the seeds add 0.000875 in the mean
    assert diverse.startswith("- Met")
    assert "+0.100 (+0.100 to +0.100) at n = 20, +0.200" in diverse
    assert typical.startswith("- **Not met**")
    assert "-0.050 (-0.050 to -0.050) at n = 20, +0.100" in typical


def test_sides_of_the_comparison_are_the_peers_the_default_and_methods_that_are_there(monkeypatch) -> None:
    monkeypatch.setattr(peer_selections, "OTHERS", ("no_such_method", "uniform"))
    assert list(peer_selections.pickers()) == [
        DIVERSE,
        TYPICAL,
        recommended_method(uses_labels=False).key,
        "uniform",
    ]


def test_without_the_tool_or_the_data_its_part_is_left_out_in_a_line(monkeypatch, tmp_path, capsys) -> None:
    assert peer_selections.selections(tmp_path) is None
    assert "selections left out" in capsys.readouterr().err
    monkeypatch.setattr(peer_selections.metadata, "version", lambda name: "0.1.16")
    assert peer_selections.selections(tmp_path) is None
    assert "cifar10" in capsys.readouterr().err


def test_the_page_of_large_pools_is_made_from_the_committed_figures() -> None:
    assert scale_page.PAGE.read_text(encoding="utf-8") == scale_page.page(), "run `python -m tests.bench.scale_page`"
