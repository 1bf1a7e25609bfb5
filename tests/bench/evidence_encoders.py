"""The part of the evidence on what features of a trained network change, from encoders.json."""

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

from skmm_core.comparison.statistics import Interval, bootstrap_interval
from tests.bench.encoder_study import METHODS, SOURCE, SOURCES, WHOLE, Source

_KEYS = ["source", "features", "method", "budget", "seed"]


def encoders_part() -> str:
    """The section, with its tables."""
    made: dict[str, Any] = json.loads(SOURCE.read_text(encoding="utf-8"))
    scores = pd.DataFrame(made["scores"], columns=made["columns"]).set_index(_KEYS)["value"].sort_index()
    lines = [line for source in SOURCES for line in _lines(scores, source)]
    gains = [line for source in SOURCES for line in _gains(scores, source)]
    return f"""## What the features change

The same pictures with two kinds of features, by `python -m tests.bench.encoder_study --data FOLDER`
(`assets/benchmarks/encoders.json`). A seed draws the same pool and test rows for both; the probe is tuned on the
chosen points alone. Accuracy in %, mean over {_seeds()} seeds with its 95 % interval over seeds, which is too narrow
for the 100 photographs, whose seeds share most rows. These are photographs, for which such networks are trained; on
other pictures they can gain nothing. `skmm_fit` reads the labels of the pool, the other two read none.

{_lead(scores, SOURCES[0])}

| Pictures | Features | n | {" | ".join(f"`{method}`" for method in METHODS)} |
|{"---|" * (3 + len(METHODS))}
{chr(10).join(lines)}

What the second kind of features adds to the default, seed by seed, and what the default adds to random picks on each,
in points of accuracy:

| Pictures | n | second less first, `{METHODS[1]}` | `{METHODS[1]}` less `uniform`, first | the same, second |
|---|---|---|---|---|
{chr(10).join(gains)}"""


def _lead(scores: pd.Series, source: Source) -> str:
    """What stands in the tables for the first pictures at their smallest budget."""
    first, second = source.features
    budget = source.budgets[0]
    mean = {
        (features, method): 100 * float(_of(scores, source, features, method, budget).mean())
        for features in source.features
        for method in METHODS
    }
    chosen = [mean[features, METHODS[1]] for features in (first, second)]
    gains = [mean[features, METHODS[1]] - mean[features, "uniform"] for features in (first, second)]
    return (
        f"{source.name}, n = {budget}: features of {second} in place of the {first} take `{METHODS[1]}` from\n"
        f"{chosen[0]:.0f} to {chosen[1]:.0f} %, and what it adds to random picks from {gains[0]:.1f} to {gains[1]:.1f} "
        "points."
    )


def _lines(scores: pd.Series, source: Source) -> list[str]:
    found = []
    for features in source.features:
        for budget in source.budgets:
            cells = [_text(_of(scores, source, features, method, budget)) for method in METHODS]
            found.append(f"| {source.name} | {features} | {budget} | {' | '.join(cells)} |")
        whole = _text(_of(scores, source, features, WHOLE, source.rows))
        found.append(f"| {source.name} | {features} | all {source.rows:,} | {' | '.join([whole] * len(METHODS))} |")
    return found


def _gains(scores: pd.Series, source: Source) -> list[str]:
    first, second = source.features
    found = []
    for budget in source.budgets:

        def of(features: str, method: str, budget: int = budget) -> pd.Series:
            return _of(scores, source, features, method, budget)

        better = of(second, METHODS[1]) - of(first, METHODS[1])
        picks = [of(features, METHODS[1]) - of(features, "uniform") for features in (first, second)]
        cells = [_signed(bootstrap_interval(100 * each)) for each in (better, *picks)]
        found.append(f"| {source.name}: {first}, {second} | {budget} | {' | '.join(cells)} |")
    return found


def _of(scores: pd.Series, source: Source, features: str, method: str, budget: int) -> pd.Series:
    """Values by seed, in the order of the seeds."""
    return scores.loc[source.name, features, method, budget].sort_index()


def _text(values: pd.Series) -> str:
    found = bootstrap_interval(100 * values)
    return f"{found.mean:.1f} [{found.lo:.1f}, {found.hi:.1f}]"


def _signed(found: Interval) -> str:
    tie = ", a tie" if found.lo <= 0 <= found.hi else ""
    return f"{found.mean:+.1f} [{found.lo:+.1f}, {found.hi:+.1f}]{tie}".replace("-", "−")


def _seeds() -> str:
    counts: Sequence[int] = sorted({source.seeds for source in SOURCES})
    return " or ".join(map(str, counts))
