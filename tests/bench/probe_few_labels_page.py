"""`assets/docs/probes.md` from `assets/benchmarks/probe-few-labels.json`; a test compares the two.

python -m tests.bench.probe_few_labels_page
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from tests.bench.probe_few_labels import METHODS, OUT

PAGE = OUT.parents[1] / "docs" / "probes.md"
_FIXED = ("fixed 0.001", "fixed 0.01", "fixed 0.1", "fixed 1", "mean")
_TOP = """# The linear probe at few labels

Made by `python -m tests.bench.probe_few_labels_page` from `assets/benchmarks/probe-few-labels.json`, which
`python -m tests.bench.probe_few_labels` measures; no number is typed by hand.

**Classes.** Columns are standardised by the pool. Logistic regression and ridge on indicators are fitted and their
scores added up, each multiplied by the number that makes its log-loss on held-out rows smallest; where held-out rows
clearly favour one alone, it is taken alone. A sum of linear scores is a linear score, so this is a linear probe. The
intercept of the logistic part is the coefficient of one constant column as large as another column (root mean square
of the rows' entries), penalised like any other; so is that of the ridge part where there are eight columns or more and
no more rows than columns. At the middle of the pool classes are then taken to be about alike, and the few rows of one
class more than another do not make that class likelier everywhere. Elsewhere the rows themselves tell where classes
meet, and the intercept of the ridge part is free. In the logistic part classes weigh alike and targets are smoothed by
1/(n/K + 2); its strength is moderate unless held-out log-loss, pooled over all folds, is smaller elsewhere by more than
one standard error. In the ridge part a class weighs as the root of its number of rows; its targets are indicators, less
1/K where the intercept is penalised.

**Numbers.** Ridge fits over a grid of penalties, on columns of unit spread and on columns
that keep their own, are averaged with their marginal likelihoods as weights.

The order of the rows changes nothing, nor does a column that is constant in the pool. A class of one row is left out
with its only row in leave-one-out; that row then says nothing of any strength, and neither do other rows of this class.
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(json.loads(OUT.read_text(encoding="utf-8"))), encoding="utf-8")


def page(found: dict[str, Any]) -> str:
    """The page as Markdown."""
    classes = [name for name in found["titles"] if name not in found["numbers"]]
    parts = [
        _TOP,
        f"## Classes\n\n{_said(found['seeds'])}\n",
        _table(found, classes, ("ridge", "fixed"), "higher", "labels a class"),
        "“Ridge” is ridge on indicators with α by leave-one-out, “fixed” logistic regression at C = 0.01, both on the "
        "same standardised columns; “earlier” the former probe on random picks, beside the probe on the same.\n",
        _worse(found, classes, ("ridge", "fixed"), 1),
        "## Numbers\n\nMean absolute error over the standard deviation of the pool's targets: less is better. Beside "
        "it the best single α of four (0.001 to 1 of the rows' summed squares) on standardised columns, chosen with "
        "hindsight for each cell, or the mean of the chosen targets where that is better still.\n",
        _table(found, found["numbers"], _FIXED, "lower", "labels"),
        _worse(found, found["numbers"], _FIXED, -1),
    ]
    return "\n".join(parts)


def _said(seeds: int) -> str:
    return (
        f"Accuracy (%), mean over {seeds} seeds and {len(METHODS)} methods ({', '.join(f'`{m}`' for m in METHODS)}). "
        "Every seed draws its own pool. The difference is to the better of the two rules in that row, chosen with "
        "hindsight; its 95 % t interval is over seeds, each the mean over methods: it covers another draw of the pool."
    )


def _scores(found: dict[str, Any], name: str, labels: int, method: str | None = None) -> dict[str, NDArray[np.float64]]:
    """Of every rule one number a seed, the mean over methods."""
    cells = [c for c in found["cells"] if c[0] == name and c[2] == labels and (method is None or c[1] == method)]
    seeds = sorted({cell[3] for cell in cells})
    rules = [rule for rule in cells[0][4] if all(rule in cell[4] for cell in cells)]
    return {rule: np.array([np.mean([c[4][rule] for c in cells if c[3] == s]) for s in seeds]) for rule in rules}


def _difference(
    scores: dict[str, NDArray[np.float64]], rules: tuple[str, ...], sign: int
) -> tuple[str, float, float, float]:
    """The best rule, what the probe is better by, and the ends of its interval."""
    best = max(rules, key=lambda rule: sign * scores[rule].mean())
    gain = sign * (scores["probe"] - scores[best])
    half = t.ppf(0.975, len(gain) - 1) * gain.std(ddof=1) / np.sqrt(len(gain))
    return best, float(gain.mean()), float(gain.mean() - half), float(gain.mean() + half)


def _table(found: dict[str, Any], names: list[str], rules: tuple[str, ...], better: str, unit: str) -> str:
    classes = better == "higher"
    factor, digits, sign = (100, 1, 1) if classes else (1, 3, -1)
    shown = [*rules, "earlier, probe"] if classes else ["best of the rules"]
    lines = [
        f"| Data | {unit} | probe | {' | '.join(shown)} | better by |",
        f"|---|---|---|{'---|' * len(shown)}---|",
    ]
    for name in names:
        for labels in sorted({cell[2] for cell in found["cells"] if cell[0] == name}):
            scores = _scores(found, name, labels)
            best, gain, low, high = _difference(scores, rules, sign)
            values = [factor * scores[rule].mean() for rule in (("probe", *rules) if classes else ("probe", best))]
            told = [f"{value:.{digits}f}" for value in values]
            if classes:
                random = _scores(found, name, labels, "uniform")
                told.append(", ".join(f"{factor * random[rule].mean():.{digits}f}" for rule in ("earlier", "probe")))
            interval = f"{factor * gain:+.{digits}f} [{factor * low:+.{digits}f}, {factor * high:+.{digits}f}]"
            lines.append(f"| {found['titles'][name]} | {labels} | {' | '.join(told)} | {interval} |")
    return "\n".join(lines) + "\n"


def _below(found: dict[str, Any], names: list[str], rules: tuple[str, ...], sign: int) -> Iterator[tuple[str, bool]]:
    for name in names:
        for method, labels in sorted({(cell[1], cell[2]) for cell in found["cells"] if cell[0] == name}):
            best, gain, _, high = _difference(_scores(found, name, labels, method), rules, sign)
            yield f"{found['titles'][name]}, `{method}`, {labels} ({best}, {100 * gain:+.1f})", high < 0


def _worse(found: dict[str, Any], names: list[str], rules: tuple[str, ...], sign: int) -> str:
    cells = list(_below(found, names, rules, sign))
    worse = [text for text, below in cells if below]
    said = (
        f"Method by method there are {len(cells)} cells. In {len(worse)} the whole interval lies below the better rule"
    )
    chance = (
        f"; by chance alone, were all equal, 2.5 % or {0.025 * len(cells):.0f} would, and more as the rule is chosen "
    )
    listed = f": {'; '.join(worse)}" if worse else ""
    return f"{said}{chance}with hindsight{listed}.\n"


if __name__ == "__main__":
    main()
