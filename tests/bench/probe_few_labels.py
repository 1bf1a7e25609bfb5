"""The probe at few labels beside plain rules on the same rows: ridge on indicators, a fixed C, the mean, a fixed α.

    python -m tests.bench.probe_few_labels --data FOLDER  # some minutes on one core
    python -m tests.bench.probe_few_labels_page           # makes assets/docs/probes.md of it

Every seed draws its own pool; of the simulations also other classes. FOLDER holds the npz files that `evidence_data`
names.
"""

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier, RidgeCV

from skmm_core.config import GradientParams, SketchParams
from skmm_core.data.dataset import Dataset
from skmm_core.data.task import Task
from skmm_core.methods.registry import compute_shared, get_method, select
from skmm_core.pool.making import make_pool
from skmm_core.probes.linear_probe import score_probe
from skmm_core.probes.metrics import primary_metric
from tests.bench.evidence_data import BENCHMARKS, Benchmark, Features, Labelled, draw

OUT = Path(__file__).resolve().parents[2] / "assets" / "benchmarks" / "probe-few-labels.json"
PER_CLASS, NUMBERS = (1, 2, 3, 5, 10), (5, 10, 20)
METHODS = ("uniform", "uniform_stratified", "skmm_cover", "k_center", "skmm_fit")
_TEST = 1000
Load = Callable[[Path, int], tuple[Labelled, Labelled | None]]
Rows = NDArray[np.float64]


def _stored(name: str, every: int = 1) -> Load:
    """Three quarters of the rows of a file of features, of every so-many-th class, and test rows."""

    def load(folder: Path, seed: int) -> tuple[Labelled, Labelled]:
        found, rng = [], np.random.default_rng([seed, every])
        for part in ("train", "test"):
            with np.load(folder / f"{name}_{part}.npz", allow_pickle=False) as file:
                mine = rng.permutation(np.flatnonzero(file["y"] % every == 0))
                rows = mine[: len(mine) * 3 // 4 if part == "train" else _TEST]
                found.append((file["X"][rows].astype(np.float32), (file["y"][rows] // every).astype(np.int64)))
        return found[0], found[1]

    return load


def _simulated(
    classes: int, columns: int, apart: float, *, heavy: bool = False, uneven: float = 1, offset: float = 0
) -> Load:
    """Gaussian classes, or t with 3 degrees of freedom a row, whose centres are about `apart` from their mean."""

    def load(folder: Path, seed: int) -> tuple[Labelled, None]:
        rng = np.random.default_rng([seed, classes, columns])
        share = uneven ** -np.linspace(0, 1, classes)
        labels = rng.choice(classes, 2200, p=share / share.sum())
        noise = rng.normal(size=(2200, columns))
        if heavy:
            noise /= np.sqrt(rng.chisquare(3, size=(2200, 1)) / 3)
        centres = rng.normal(size=(classes, columns)) * apart / np.sqrt(columns)
        features: Features = (noise + centres[labels] + offset).astype(np.float32)
        return (features, labels), None

    return load


def _set(name: str, title: str, load: Load, pool: int = 1200) -> Benchmark:
    return Benchmark(name, title, "simulated", title, (), load, pool, test=600)


_BY_NAME = {each.name: each for each in BENCHMARKS}
CLASSES = (
    _set("cifar", "CIFAR-10", _stored("cifar10_mobilenetv2q")),
    _set("cars", "Cars, 10 classes", _stored("stanfordcars196_mobilenetv2q", 20)),
    _set("flowers_mobilenet", "Flowers, MobileNetV2", _stored("flowers5_mobilenetv2q")),
    _set("flowers_efficientnet", "Flowers, EfficientNet-Lite0", _stored("flowers5_efficientnetlite0")),
    _set("fashion", "Fashion-MNIST pixels", _BY_NAME["fashion"].load),
    _set("digits", "Handwritten digits", _BY_NAME["digits"].load, 900),
    _set("wide", "5 Gaussian classes, 500 columns, offset 10,000", _simulated(5, 500, 6, offset=1e4)),
    _set("many", "20 Gaussian classes, 100 columns", _simulated(20, 100, 6)),
    _set("heavy", "5 heavy-tailed classes, 300 columns", _simulated(5, 300, 8, heavy=True)),
    _set("narrow", "3 Gaussian classes, 4 columns", _simulated(3, 4, 3)),
    _set("uneven", "4 Gaussian classes, 12 : 1, 10 columns", _simulated(4, 10, 2.5, uneven=12)),
    _set("two", "2 Gaussian classes, 6 : 1, 3 columns", _simulated(2, 3, 2, uneven=6)),
)
REGRESSIONS = tuple(_BY_NAME[name] for name in ("california", "diabetes", "ages", "years_even", "table", "mixture"))


def earlier_classes(rows: Rows, labels: NDArray[np.int64]) -> Callable[[Rows], NDArray[np.int64]]:
    """The former probe: C by hits in five inner folds, of equal ones the least; columns standardised by the rows."""
    from skmm_core.solvers.held_out import stratified_folds

    fold = stratified_folds(labels, 5, 0)

    def hits(strength: float) -> int:
        right = 0
        for out in (fold == each for each in range(int(fold.max()) + 1)):
            right += int((_logistic(rows[~out], labels[~out], strength)(rows[out]) == labels[out]).sum())
        return right

    best = max((float(strength) for strength in np.logspace(-4, 1, 6)), key=hits)
    return _logistic(rows, labels, best)


def _rotated(rows: Rows, new: Rows) -> tuple[Rows, Rows]:
    """Both in the row space of the former, where every penalised fit is the same and cheap."""
    if rows.shape[0] >= rows.shape[1]:
        return rows, new
    basis = np.linalg.qr(rows.T)[0]
    return rows @ basis, new @ basis


def _logistic(rows: Rows, labels: NDArray[np.int64], strength: float) -> Callable[[Rows], NDArray[np.int64]]:
    if len(np.unique(labels)) == 1:
        return lambda new: np.full(len(new), labels[0])
    return LogisticRegression(C=strength, max_iter=300).fit(rows, labels).predict


def _ridge_classes(rows: Rows, labels: NDArray[np.int64]) -> Callable[[Rows], NDArray[np.int64]]:
    """Ridge on indicators, α by leave-one-out."""
    classes = np.unique(labels)
    if len(classes) == 1:
        return lambda new: np.full(len(new), labels[0])
    alphas = np.logspace(-3, 3, 19) * (rows**2).sum()
    best = RidgeCV(alphas=alphas).fit(rows, np.eye(len(classes))[np.searchsorted(classes, labels)]).alpha_
    return RidgeClassifier(alpha=best).fit(rows, labels).predict


def _scores(dataset: Dataset, chosen: torch.Tensor, earlier: bool) -> dict[str, float]:
    """Accuracy, or mean absolute error over the spread of the targets, of every rule."""
    key = primary_metric(dataset.task.value).key
    found = {"probe": score_probe(dataset, chosen).metrics[key]}
    assert dataset.targets is not None
    train, test = dataset.split.train[chosen], dataset.split.test
    rows, new = _rotated(*(dataset.scaler(dataset.features[part]).numpy() for part in (train, test)))
    known, truth = dataset.targets[train].numpy(), dataset.targets[test].numpy()
    if dataset.task is Task.CLASSIFICATION:
        rules = {"ridge": _ridge_classes(rows, known), "fixed": _logistic(rows, known, 0.01)}
        found |= {name: float((rule(new) == truth).mean()) for name, rule in rules.items()}
        if earlier:
            raw, raw_new = (dataset.features[part].double().numpy() for part in (train, test))
            mean, spread = raw.mean(axis=0), raw.std(axis=0)
            spread = np.where(spread > 1e-6 * np.abs(mean), spread, np.inf)
            raw, raw_new = _rotated((raw - mean) / spread, (raw_new - mean) / spread)
            found["earlier"] = float((earlier_classes(raw, known)(raw_new) == truth).mean())
        return found
    centred = float(((rows - rows.mean(axis=0)) ** 2).sum())
    found["mean"] = float(np.abs(known.mean() - truth).mean())
    for share in (0.001, 0.01, 0.1, 1.0):
        fitted = Ridge(alpha=max(share * centred, 1e-12), solver="svd").fit(rows, known)
        found[f"fixed {share:g}"] = float(np.abs(fitted.predict(new) - truth).mean())
    spread = float(dataset.targets[dataset.split.train].double().std())
    return {name: value / spread for name, value in found.items()}


def _cells(benchmark: Benchmark, folder: Path, seed: int) -> Iterator[list[Any]]:
    dataset = draw(benchmark, folder, seed)
    pool = make_pool(dataset, sketch=SketchParams(), gradient=GradientParams(), seed=seed, device="cpu")
    specs = [get_method(key) for key in METHODS if not get_method(key).missing(dataset.task)]
    compute_shared(pool, specs)
    for labels in PER_CLASS if dataset.n_classes else NUMBERS:
        for spec in specs:
            chosen = select(pool, spec.key, labels * (dataset.n_classes or 1), params={}, seed=seed).indices.cpu()
            scores = _scores(dataset, chosen, earlier=spec.key == "uniform")
            yield [benchmark.name, spec.key, labels, seed, {name: round(value, 5) for name, value in scores.items()}]


def main() -> None:
    """Measure everything and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the npz files")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--seeds", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", module="sklearn")
    cells: list[list[Any]] = []
    for benchmark in (*CLASSES, *REGRESSIONS):
        began = time.perf_counter()
        for seed in range(options.seeds):
            cells += _cells(benchmark, options.data, seed)
        sys.stderr.write(f"{benchmark.name}: {time.perf_counter() - began:.0f} s\n")
    about = {
        "scikit_learn": sklearn.__version__,
        "seeds": options.seeds,
        "titles": {each.name: each.title for each in (*CLASSES, *REGRESSIONS)},
        "numbers": [each.name for each in REGRESSIONS],
        "columns": ["dataset", "method", "labels", "seed", "scores"],
    }
    lines = ",\n".join(json.dumps(cell) for cell in cells)
    text = json.dumps(about, indent=1)[:-2] + f',\n "cells": [\n{lines}\n]\n}}\n'
    options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
