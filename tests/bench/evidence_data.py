"""Data sets of the evidence: which half each belongs to, and the pool, validation and test rows of every seed.

A data set of the tuning half was used, on inner splits of its training rows, to try ideas and constants; one of the
confirming half was not.
Of cars the even classes are for tuning and the odd ones for confirming: no class and no picture in common.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes, load_digits

from skmm_core.data.builtin import GmmOptions, gaussian_mixture
from skmm_core.data.dataset import Dataset, Split, Task, content_fingerprint

Features = NDArray[np.float32]
Rows = NDArray[np.int64]
Labelled = tuple[Features, NDArray[np.generic]]


@dataclass(frozen=True)
class Benchmark:
    """One data set of the study.

    Attributes:
        name: key in files.
        title: for people.
        half: "tuning" or "confirming".
        budgets: points to pick; the lower half of them are the low budgets.
        load: folder -> training rows, and test rows or None when they are held out of the former.
        pool: rows of the pool, drawn anew for every seed.
        validation: rows the probe's strength is tuned on.
        test: rows held out when there is no test file.
        long_tail: largest over smallest class of the pool; 1 leaves it alone.
        noise: share of the pool's labels that are replaced by another class.
        numbers: whether targets are numbers; they are classes otherwise.
    """

    name: str
    title: str
    half: str
    budgets: tuple[int, ...]
    load: Callable[[Path, int], tuple[Labelled, Labelled | None]]
    pool: int
    validation: int = 0
    test: int = 1000
    long_tail: float = 1
    noise: float = 0
    numbers: bool = False


def _npz(path: Path) -> dict[str, NDArray[np.generic]]:
    with np.load(path, allow_pickle=False) as stored:
        return {key: stored[key] for key in stored.files}


def _cifar(folder: Path, seed: int) -> tuple[Labelled, Labelled]:
    parts = [_npz(folder / f"cifar10_mobilenetv2q_{part}.npz") for part in ("train", "test")]
    train, test = [(part["X"].astype(np.float32), part["y"].astype(np.int64)) for part in parts]
    return train, test


def _ages(folder: Path, seed: int) -> tuple[Labelled, Labelled]:
    """Made ages: eight years apart by class, plus skewed noise; what a regression on picture features looks like."""
    draw = np.random.default_rng(5)
    order = draw.permutation(10)
    train, test = _cifar(folder, seed)
    made = [(x, order[y.astype(np.int64)] * 8.0 + 5 + draw.gamma(2.0, 3.0, len(y))) for x, y in (train, test)]
    return made[0], made[1]


def _cars(parity: int) -> Callable[[Path, int], tuple[Labelled, Labelled]]:
    def load(folder: Path, seed: int) -> tuple[Labelled, Labelled]:
        found = []
        kept = np.random.default_rng(3).permutation(98)[:40] * 2 + parity
        for part in ("train", "test"):
            stored = _npz(folder / f"stanfordcars196_mobilenetv2q_{part}.npz")
            mine = np.isin(stored["y"], kept)
            labels = np.searchsorted(np.sort(kept), stored["y"][mine]).astype(np.int64)
            found.append((stored["X"][mine].astype(np.float32), labels))
        return found[0], found[1]

    return load


def _years(parity: int) -> Callable[[Path, int], tuple[Labelled, Labelled]]:
    """The model year, which the name of a car's class ends with: a real regression on picture features."""

    def load(folder: Path, seed: int) -> tuple[Labelled, Labelled]:
        names = _npz(folder / "stanfordcars196_mobilenetv2q_train.npz")["names"]
        years = np.array([float(str(name).split()[-1]) for name in names])
        found = []
        for part in ("train", "test"):
            stored = _npz(folder / f"stanfordcars196_mobilenetv2q_{part}.npz")
            mine = stored["y"] % 2 == parity
            found.append((stored["X"][mine].astype(np.float32), years[stored["y"][mine]]))
        return found[0], found[1]

    return load


def _fashion(folder: Path, seed: int) -> tuple[Labelled, None]:
    stored = _npz(folder / "fashion_mnist_images_test10k.npz")
    pixels = stored["images"].reshape(len(stored["y"]), -1).astype(np.float32) / 255
    return (pixels, stored["y"].astype(np.int64)), None


def _california(folder: Path, seed: int) -> tuple[Labelled, None]:
    stored = _npz(folder / "california_housing.npz")
    features = stored["X"].astype(np.float32)
    whole = np.isfinite(features).all(axis=1)
    return (features[whole], stored["y"][whole].astype(np.float64)), None


def _digits(folder: Path, seed: int) -> tuple[Labelled, None]:
    found = load_digits()
    return (found.data.astype(np.float32), found.target.astype(np.int64)), None


def _diabetes(folder: Path, seed: int) -> tuple[Labelled, None]:
    found = load_diabetes()
    return (found.data.astype(np.float32), found.target.astype(np.float64)), None


def _table(folder: Path, seed: int) -> tuple[Labelled, None]:
    """A made table: columns in units of their own, some with heavy tails, and a target that is not quite linear."""
    rng = np.random.default_rng(11)
    hidden = rng.normal(size=(9000, 12)) @ (0.35 * rng.normal(size=(12, 12)) + np.eye(12))
    columns = np.stack([np.exp(0.8 * z) if j % 3 == 0 else z for j, z in enumerate(hidden.T)], axis=1)
    columns[:, 1::3] += 0.5 * rng.standard_t(3, size=columns[:, 1::3].shape)
    plain = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    bent = 0.6 * np.tanh(plain[:, 0] * plain[:, 1]) + 0.5 * np.abs(plain[:, 2])
    targets = plain @ rng.normal(size=12) + bent + 0.8 * rng.normal(size=9000)
    return ((columns * 10.0 ** rng.uniform(-2, 4, 12)).astype(np.float32), targets), None


def _mixture(noise: float, offset: int, *, equal: bool = False) -> Callable[[Path, int], tuple[Labelled, Labelled]]:
    def load(folder: Path, seed: int) -> tuple[Labelled, Labelled]:
        size = 8000 if equal else 1000
        features, targets = gaussian_mixture(GmmOptions(N=size, r=600, label_noise=noise, seed=offset + seed))
        parts = [(x.numpy(), y.double().numpy()) for x, y in zip(features, targets, strict=True)]
        return _equal_clusters(*parts[0]) if equal else parts[0], parts[2]

    return load


def _equal_clusters(features: Features, targets: NDArray[np.generic]) -> Labelled:
    """As many rows of every cluster as the smallest has, at most 125; without noise a target tells its cluster."""
    clusters = np.unique(targets, return_inverse=True)[1]
    most = min(125, int(np.bincount(clusters).min()))
    kept = np.concatenate([np.flatnonzero(clusters == each)[:most] for each in range(int(clusters.max()) + 1)])
    return features[kept], targets[kept]


_TEN, _FORTY, _NUMBERS, _CLUSTERS = (20, 50, 100), (40, 80, 160), (25, 50, 100), (48, 64, 120)
_REAL = partial(Benchmark, numbers=True)
BENCHMARKS: tuple[Benchmark, ...] = (
    Benchmark("cifar", "CIFAR-10", "tuning", _TEN, _cifar, 1500, 300),
    Benchmark("cifar_tail", "CIFAR-10, long tail", "tuning", _TEN, _cifar, 1500, 300, long_tail=20),
    Benchmark("cifar_noise", "CIFAR-10, 10 % wrong labels", "tuning", _TEN, _cifar, 1500, 300, noise=0.1),
    Benchmark("cars_even", "Cars, 40 even classes", "tuning", _FORTY, _cars(0), 1000, 200),
    _REAL("ages", "Made ages on CIFAR-10", "tuning", _NUMBERS, _ages, 1500),
    _REAL("years_even", "Model years of cars, even classes", "tuning", _NUMBERS, _years(0), 1500),
    _REAL("table", "Made table", "tuning", _NUMBERS, _table, 1500, test=3000),
    # half of what is left beside the test rows: with nearly all of it, every seed would see the same pool
    _REAL("diabetes", "Diabetes", "tuning", (10, 20, 40), _diabetes, 130, test=180),
    _REAL("mixture", "Gaussian mixture", "tuning", _CLUSTERS, _mixture(0, 0), 1000),
    Benchmark("cars_odd", "Cars, 40 odd classes", "confirming", _FORTY, _cars(1), 1000, 200),
    Benchmark("cars_odd_tail", "Cars, odd, long tail", "confirming", _FORTY, _cars(1), 1000, 200, long_tail=10),
    Benchmark("cars_odd_noise", "Cars, odd, 10 % wrong labels", "confirming", _FORTY, _cars(1), 1000, 200, noise=0.1),
    Benchmark("digits", "Handwritten digits", "confirming", _TEN, _digits, 1000, 200, test=500),
    Benchmark("fashion", "Fashion-MNIST pixels", "confirming", _TEN, _fashion, 1500, 300, test=2000),
    _REAL("years_odd", "Model years of cars, odd classes", "confirming", _NUMBERS, _years(1), 1500),
    _REAL("california", "California housing", "confirming", _NUMBERS, _california, 1500, test=3000),
    _REAL("mixture_noise", "Gaussian mixture, noisy labels", "confirming", _CLUSTERS, _mixture(1, 100), 1000),
    _REAL(
        "mixture_equal", "Gaussian mixture, equal clusters", "confirming", _CLUSTERS, _mixture(0, 200, equal=True), 1000
    ),
)


def draw(benchmark: Benchmark, folder: Path, seed: int) -> Dataset:
    """The data set of one seed: its own pool and validation rows, one test split."""
    (features, targets), held = benchmark.load(folder, seed)
    rng = np.random.default_rng([seed, len(targets)])
    order = rng.permutation(len(targets)) if benchmark.name[:7] != "mixture" else np.arange(len(targets))
    if held is None:  # the same test rows for every seed
        fixed = np.random.default_rng(0).permutation(len(targets))[: benchmark.test]
        held = features[fixed], targets[fixed]
        order = order[~np.isin(order, fixed)]
    validation, pool = order[: benchmark.validation], order[benchmark.validation :][: benchmark.pool]
    known = targets[pool].copy()
    if benchmark.long_tail > 1:
        kept = long_tail(known.astype(np.int64), benchmark.long_tail, rng)
        pool, known = pool[kept], known[kept]
    if benchmark.noise:
        known = wrong_labels(known.astype(np.int64), benchmark.noise, rng)
    return _dataset(benchmark, (features[pool], known), (features[validation], targets[validation]), held)


def long_tail(labels: Rows, ratio: float, rng: np.random.Generator) -> Rows:
    """Rows to keep so that class sizes fall geometrically, the largest being `ratio` times the smallest."""
    classes = rng.permutation(np.unique(labels))
    most = int(np.bincount(labels).max())
    kept = []
    for place, label in enumerate(classes):
        members = rng.permutation(np.flatnonzero(labels == label))
        kept.append(members[: max(2, int(most * ratio ** (-place / (len(classes) - 1))))])
    return np.sort(np.concatenate(kept))


def wrong_labels(labels: Rows, share: float, rng: np.random.Generator) -> Rows:
    """Labels of which each is, with this chance, another class, all others equally likely."""
    count = int(labels.max()) + 1
    wrong = rng.random(len(labels)) < share
    return np.where(wrong, (labels + rng.integers(1, count, len(labels))) % count, labels)


def _dataset(benchmark: Benchmark, *parts: Labelled) -> Dataset:
    features = torch.tensor(np.concatenate([x for x, _ in parts]))
    values = np.concatenate([y for _, y in parts])
    classes = np.issubdtype(parts[0][1].dtype, np.integer)
    targets = torch.tensor(values.astype(np.int64) if classes else values.astype(np.float32))
    ends = np.cumsum([0, *(len(y) for _, y in parts)])
    split = Split(*(torch.arange(ends[k], ends[k + 1]) for k in range(3)))
    ids = tuple(map(str, range(len(features))))
    return Dataset(
        name=benchmark.name,
        task=Task.CLASSIFICATION if classes else Task.REGRESSION,
        features=features,
        targets=targets,
        ids=ids,
        rows=torch.arange(len(features)),
        split=split,
        fingerprint=content_fingerprint(features, targets, ids, split),
        source=benchmark.name,
        class_names=tuple(map(str, range(int(targets.max()) + 1))) if classes else (),
    )
