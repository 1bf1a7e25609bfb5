"""Collects what the audit compared: for every subject and quantity the worst error over its cases, and the allowed one.

With `--audit-figures FILE` the figures are written there at the end, from all workers.
"""

import json
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

_FAILED = pytest.StashKey[list[str]]()
_NAME = "audit"
_SECONDS = 1800  # a simulation may take minutes on busy cores
_found: list[dict[str, Any]] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--audit-figures", type=Path, help="file that takes the figures of the audit")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.timeout(_SECONDS))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call":
        _found.extend(value for name, value in report.user_properties if name == _NAME)


def pytest_sessionfinish(session: pytest.Session) -> None:
    file = session.config.getoption("--audit-figures")
    if file is not None and not hasattr(session.config, "workerinput"):
        file.write_text(json.dumps(figures(_found), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """Fail at the end of a test, so that one wrong number does not hide the next."""
    result = yield
    if lines := pyfuncitem.stash.get(_FAILED, []):
        pytest.fail("\n".join(lines), pytrace=False)
    return result


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Audit:
    """Compares and keeps what was compared. `how` is the first line of the test's docstring."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item
        case = getattr(item, "callspec", None)
        self._case = case.id if case else ""
        self._how = (item.function.__doc__ or "").strip().split("\n")[0]  # type: ignore[attr-defined]

    def same(self, subject: str, quantity: str, found: Any, expected: Any, *, within: float, scale: float = 0) -> None:
        """Largest difference, in units of the largest expected number, or of `scale` where that is larger."""
        a, b = (np.asarray(each, dtype=np.float64) for each in (found, expected))
        assert a.shape == b.shape, f"{subject}, {quantity}: {a.shape} against {b.shape}"
        known = np.isfinite(b)
        if not np.array_equal(a[~known], b[~known], equal_nan=True) or not np.isfinite(a[known]).all():
            self._keep(subject, quantity, np.inf, within, "relative")
            return
        unit = max(float(np.abs(b[known]).max(initial=0.0)), scale)
        error = float(np.abs(a[known] - b[known]).max(initial=0.0)) / (unit or 1.0)
        self.at_most(subject, quantity, error, within=within)

    def at_most(self, subject: str, quantity: str, error: float, *, within: float, unit: str = "relative") -> None:
        """An error made elsewhere; below 0 counts as 0."""
        error = max(0.0, float(error)) if np.isfinite(float(error)) else np.inf
        self._keep(subject, quantity, error, within, unit)

    def chances(self, subject: str, quantity: str, counts: Any, draws: int, chances: Any) -> None:
        """Shares of draws against their chances: five binomial standard errors, a false alarm in 10⁵ or fewer."""
        p = np.clip(np.asarray(chances, dtype=np.float64), 0, 1)
        deviation = np.sqrt(np.maximum(p * (1 - p), 1 / draws**2) / draws)
        error = np.abs(np.asarray(counts) / draws - p) / deviation
        self.at_most(subject, quantity, float(error.max()), within=5, unit="standard errors")

    def _keep(self, subject: str, quantity: str, error: float, within: float, unit: str) -> None:
        kept = {"subject": subject, "quantity": quantity, "how": self._how, "case": self._case, "unit": unit}
        self._item.user_properties.append((_NAME, {**kept, "error": float(error), "within": float(within)}))
        if not error <= within:
            line = f"{subject}, {quantity}: error {error:.3g} ({unit}), allowed {within:.3g}"
            self._item.stash.setdefault(_FAILED, []).append(line)


@pytest.fixture
def audit(request: pytest.FixtureRequest) -> Audit:
    return Audit(request.node)


def figures(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a subject, quantity and precision, with the case that came nearest to what is allowed, or past it."""
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for each in found:
        precision = next((name for name in ("float32", "float64") if name in each["case"]), "")
        groups.setdefault((each["subject"], each["quantity"], precision), []).append(each)
    rows = []
    for (subject, quantity, precision), members in sorted(groups.items()):
        worst = max(members, key=lambda each: (each["error"] / max(each["within"], 1e-300), each["case"]))
        rows.append(
            {
                "subject": subject,
                "quantity": quantity,
                "how": worst["how"],
                "precision": precision,
                "cases": len(members),
                "unit": worst["unit"],
                "error": f"{worst['error']:.1e}",
                "within": f"{worst['within']:.1e}",
                "worst": worst["case"],
                "failed": sum(each["error"] > each["within"] for each in members),
            }
        )
    return rows
