"""The part of the benchmarks page that sets picks of other tools beside ours, from the scores of `peer_selections`."""

from collections.abc import Sequence
from typing import Any

from skmm_core.comparison.statistics import Paired, paired_difference
from tests.bench.page_tables import goal_line, machine_line, table
from tests.bench.peer_selections import DIVERSE, TYPICAL

_PEERS = (DIVERSE, TYPICAL)


def section(found: dict[str, Any]) -> list[str]:
    """Paragraphs: what was done, mean accuracy and seconds of all, and where our default is ahead or behind.

    Args:
        found: what :func:`tests.bench.peer_selections.selections` returns, read back.
    """
    budgets, default = found["budgets"], found["default"]
    names = list(dict.fromkeys(row[0] for row in found["scores"]))
    names.sort(key=lambda name: (name != default, name not in _PEERS))
    titles = ("picks of", *(f"accuracy, n = {n}" for n in budgets), f"s, n = {budgets[-1]}")
    rows = [
        (
            name if name in _PEERS else f"`{name}`",
            *(f"{_mean(_column(found, name, n, 3)):.3f}" for n in budgets),
            _mean(_column(found, name, budgets[-1], 4)),
        )
        for name in names
    ]
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    lines = [
        "### Picks of LightlyStudio's engine",
        machine_line(found),
        f"{versions}. {found['data']}, {found['d']:,} features of MobileNetV2; each of {found['seeds']} seeds draws a "
        f"pool of {found['N']:,} and {found['test']:,} test rows anew, and all take turns on them. A linear probe is "
        "trained on the picks alone: mean accuracy, and mean seconds of picking, what a method computes of the pool "
        "included.",
        table(titles, rows),
    ]
    return [*lines, *(_beside(found, default, peer) for peer in _PEERS)]


def _beside(found: dict[str, Any], default: str, peer: str) -> str:
    """Whether our default is behind a peer anywhere, by the interval of the paired difference over seeds."""
    pairs = {
        n: paired_difference(_column(found, default, n, 3), _column(found, peer, n, 3), higher_is_better=True)
        for n in found["budgets"]
    }
    said = ", ".join(f"{_signed(pair)} at n = {n}" for n, pair in pairs.items())
    behind = any(pair.difference.hi < 0 for pair in pairs.values())
    return goal_line(f"`{default}` less {peer}: {said}", "behind at no n beyond the interval over seeds", not behind)


def _signed(pair: Paired) -> str:
    return f"{pair.difference.mean:+.3f} ({pair.difference.lo:+.3f} to {pair.difference.hi:+.3f})"


def _column(found: dict[str, Any], method: str, budget: int, column: int) -> list[float]:
    """Values of one method and budget by seed."""
    rows = sorted((row for row in found["scores"] if row[:2] == [method, budget]), key=lambda row: row[2])
    return [float(row[column]) for row in rows]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
