"""The page on numbers, made from their registry and from what pages and reports show: run it to print the page.

python -m tests.contracts.quantities > assets/docs/numbers.md
"""

import ast
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from dashboard.components.workbench.metric_row import MEASURED
from dashboard.services.figures import digits_splits
from skmm_core.comparison import typical_saving
from skmm_core.diagnostics import QUANTITIES, Diagnostics
from skmm_core.diagnostics.quantities import Quantity
from skmm_core.report.selection import SHOWN

ROOT = Path(__file__).parents[2]
LEARN = {"signal_bias", "signal_variance", "signal_error"}


def literals(path: Path) -> list[str]:
    """String literals of a file, those inside f-strings included, docstrings left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told
    ]


_DIAGNOSE = (ROOT / "dashboard" / "components" / "shared" / "diagnostics").glob("*.py")
PLACES = {
    "Select": set(MEASURED),
    "Diagnose": {text for path in _DIAGNOSE for text in literals(path) if text in QUANTITIES},
    "report": set(SHOWN),
}
_HEAD = """# Numbers

What the numbers of a selection are called, and what they are. Pages, reports and files take names and units from one
list, `skmm_core/diagnostics/quantities.py`; this page is made of it by `python -m tests.contracts.quantities`.

**Bias and variance** come in four kinds, and each has a name of its own. *Bias (energy unseen)* and *Variance (per
noise)* are bare shares, at the effective rank. The *bias term* and the *variance term* are these times weights that
bring both to one unit, so that they can be summed: their sum is the *bound on the error*, drawn over all ranks. *Ridge
bias²* and *ridge variance* are no bound but exact, for a ridge fit. Learn shows these last two on made-up pools whose
truth is known, in per cent of the signal.

Notation: N points in the pool, n chosen; Σ and Σ_S second moments of pool and selection; λ_j and v_j eigenvalues and
directions of the sketched Σ; P_k projection on the k strongest directions of the selection, k* the effective rank; X
features, y targets, y* what the ridge fit θ on the whole pool says of them, σ² its noise; M the ridge map from labels
to coefficients. ~ marks what is measured in the sketch: there Σ~_S has the selection's weights w, everywhere else all
chosen points weigh the same.

| Name | Definition | Unit | Meaning | In files | Shown |
|---|---|---|---|---|---|
"""


def page() -> str:
    """The whole page, Markdown."""
    return _HEAD + "".join(_row(each) for each in QUANTITIES.values()) + _sentence(digits_splits())


def _sentence(made: Mapping[str, Any]) -> str:
    """What the sentence on the first page is made of."""
    found = typical_saving(made["savings"])
    factors = ", ".join(
        f"{row['factor']:.2f}" if row["factor"] else f"{row['relation']} {row['bound'] / row['budget']:.2f}"
        for row in sorted(made["savings"], key=lambda row: row["factor"] or 0)
    )
    middle = "beyond the budgets measured" if found.factor is None else f"{found.factor:.2f}"
    return f"""
## The sentence on the Overview

How many times as many random picks are needed for the score of {made["budget"]} digits chosen by `{made["method"]}`, on
{found.splits} splits `{made["source"]}`, each of {made["pool"]:,} images to choose from and {made["test"]} to test on,
with means over {made["seeds"]} draws: {factors}; in the middle {middle}. The splits share images, so the range tells
what another split of the digits may give, and little of other data. The probe is tuned inside the chosen images. All
scores are in `assets/benchmarks/digits-splits.json`, made by `{made["made_by"]}`; then make this page anew.
"""


def _row(each: Quantity) -> str:
    symbol = each.symbol.replace("|", r"\|")
    return f"| {each.title} | `{symbol}` | {each.unit} | {each.meaning} | {_files(each)} | {', '.join(shown(each))} |\n"


def _files(each: Quantity) -> str:
    if not each.in_files:
        return "–"
    return " + ".join(" × ".join(f"`{name}`" for name in part) for part in each.parts or ((each.key,),))


def shown(each: Quantity) -> list[str]:
    """The pages and reports that show a quantity."""
    places = [place for place, keys in PLACES.items() if each.key in keys]
    return ["Learn"] if each.key in LEARN else places


def in_files(each: Quantity) -> bool:
    """Whether the files of a run hold every part of it."""
    known = {spec.name for spec in fields(Diagnostics)}
    return all(name in known for part in each.parts or ((each.key,),) for name in part)


if __name__ == "__main__":
    sys.stdout.write(page())
