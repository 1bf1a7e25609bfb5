"""What goes in and what comes out: numbers read, rows held out, fingerprints, and the files of a selection."""

import json

import numpy as np
import pandas as pd
import pytest

from skmm_core.cli import main
from skmm_core.config import DatasetConfig
from skmm_core.data import load_dataset
from skmm_core.diagnostics import load_diagnostics
from tests.audit.definitions import squared_distances


def made(folder, name="made.npz", **arrays):
    np.savez(folder / name, **arrays)
    return load_dataset(DatasetConfig(source=str(folder / name)))


def plain(size=60):
    rng = np.random.default_rng(0)
    return rng.normal(size=(size, 4)).astype(np.float32), rng.permutation(np.arange(size) % 3)


@pytest.mark.parametrize("form", ["npz", "csv", "parquet"])
def test_numbers_come_in_as_they_were_written(form, tmp_path, audit):
    """Features and targets of a file, against the arrays it was made of."""
    x, y = plain()
    names = [f"c{j}" for j in range(4)]
    table = pd.DataFrame(x, columns=names).assign(label=y)
    path = tmp_path / f"t.{form}"
    if form == "npz":
        np.savez(path, X=x, y=y)
    else:
        table.to_csv(path, index=False) if form == "csv" else table.to_parquet(path)
    found = load_dataset(DatasetConfig(source=str(path)))
    audit.same("data reading", "features", found.features, x, within=0)
    audit.same("data reading", "classes", found.targets, y, within=0)


@pytest.mark.parametrize("what", ["column", "target"])
def test_numbers_far_from_zero_keep_their_differences(what, tmp_path, audit):
    """A column, or target, whose values the precision of float32 would make equal: kept apart, or a note says so."""
    x, _ = plain(200)
    x = x.astype(np.float64)
    y = np.random.default_rng(2).normal(size=200)
    if what == "column":
        x[:, 1] += 1e8
    else:
        y = y * 100 + 1.7e9
    found = made(tmp_path, X=x, y=y)
    kept = found.features[:, 1] if what == "column" else found.targets
    lost = 1 - len(np.unique(kept.numpy())) / 200
    told = any("precision" in note or "float32" in note or "digits" in note for note in found.notes)
    audit.at_most("data reading", f"distinct values lost without a note, {what}", 0.0 if told else lost, within=0.02)


def test_a_fingerprint_is_of_the_content(tmp_path, audit):
    """Another value, label, order of rows or split changes it; the same content in another file does not."""
    x, y = plain()
    base = made(tmp_path, X=x, y=y).fingerprint
    other = x.copy()
    other[3, 2] = np.nextafter(other[3, 2], 9)
    labels = y.copy()
    labels[[0, 1]] = labels[[1, 0]] if labels[0] != labels[1] else (labels[0] + 1) % 3
    turned = np.random.default_rng(1).permutation(60)
    changed = {
        "a value": made(tmp_path, X=other, y=y).fingerprint,
        "a label": made(tmp_path, X=x, y=labels).fingerprint,
        "the order": made(tmp_path, X=x[turned], y=y[turned]).fingerprint,
        "test rows": made(tmp_path, X=x[:50], y=y[:50], X_test=x[50:], y_test=y[50:]).fingerprint,
    }
    same = sum(value == base for value in changed.values())
    audit.at_most(
        "data fingerprint", "changes that leave it", same + 4 - len(set(changed.values())), within=0, unit="changes"
    )
    again = made(tmp_path, name="again.npz", X=x.copy(), y=y.copy()).fingerprint
    audit.at_most("data fingerprint", "differs for the same content", float(again != base), within=0, unit="changes")


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_rows_are_held_out_in_proportion(share, tmp_path, audit):
    """Classes of very unequal size: each gives its share within one row, keeps one, and the total is exact."""
    y = np.repeat([0, 1, 2, 3], [70, 30, 9, 2])
    x = np.random.default_rng(0).normal(size=(len(y), 3))
    np.savez(tmp_path / "h.npz", X=x, y=y)
    found = load_dataset(DatasetConfig(source=str(tmp_path / "h.npz"), holdout=share))
    held = y[found.rows[found.split.test].numpy()]
    kept = y[found.rows[found.split.train].numpy()]
    audit.at_most("data hold-out", "total, off by", abs(len(held) - share * len(y)), within=1, unit="rows")
    off = np.abs(np.bincount(held, minlength=4) - len(held) * np.bincount(y) / len(y))
    audit.at_most("data hold-out", "a class, off by", off.max(), within=1, unit="rows")
    audit.at_most("data hold-out", "classes that keep no row", 4 - len(np.unique(kept)), within=0, unit="classes")
    both = len(np.intersect1d(found.split.test.numpy(), found.split.train.numpy()))
    audit.at_most("data hold-out", "rows on both sides", both, within=0, unit="rows")


def test_the_files_of_a_selection_say_the_same(tmp_path, audit, monkeypatch):
    """selection.csv, selection.npy, result.json and the report beside numbers made from the input file."""
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "home"))
    x, y = plain(80)
    frame = pd.DataFrame(x, columns=list("abcd")).assign(label=y, name=[f"r{i}" for i in range(80)])
    frame.to_csv(tmp_path / "t.csv", index=False)
    out = tmp_path / "out"
    asked = ["select", "--dataset", str(tmp_path / "t.csv"), "--id", "name", "--method", "craig", "--budget", "9"]
    assert main([*asked, "--out", str(out)]) in (0, None)
    table, result = pd.read_csv(out / "selection.csv"), json.loads((out / "result.json").read_text())
    rows = np.load(out / "selection.npy")
    audit.same("file selection.csv", "rows as in selection.npy", table["row"], rows, within=0)
    audit.same("file selection.csv", "order", table["order"], np.arange(1, 10), within=0)
    audit.same("file selection.csv", "weights sum to 1", table["weight"].sum(), 1, within=1e-12)
    wrong = sum(name != f"r{row}" for name, row in zip(table["id"], table["row"], strict=True))
    audit.at_most("file selection.csv", "ids of other rows", wrong, within=0, unit="rows")
    told, kept = result["diagnostics"], load_diagnostics(out / "diagnostics.npz")
    distances = np.sqrt(squared_distances(x.astype(np.float64), x[rows].astype(np.float64)).min(axis=1))
    audit.same("file result.json", "coverage_radius", told["coverage_radius"], distances.max(), within=1e-5)
    shares = np.bincount(y) / 80 - np.bincount(y[rows], minlength=3) / 9
    audit.same("file result.json", "class_tv", told["class_tv"], np.abs(shares).sum() / 2, within=1e-12)
    audit.same(
        "file result.json",
        "effective_weights",
        told["effective_weights"],
        1 / (table["weight"] ** 2).sum(),
        within=1e-9,
    )
    for name in ("bias", "variance", "moment_error", "ridge_bias2"):
        audit.same("file result.json", f"{name} as in diagnostics.npz", told[name], getattr(kept, name), within=0)
    report = (out / "report.html").read_text(encoding="utf-8")
    missing = sum(f"r{row}" not in report for row in rows[:3])
    audit.at_most("file report.html", "first chosen points not in it", missing, within=0, unit="rows")
