"""Data sets of the evidence: half and family of each, and the pool and test rows of every seed.

A data set of the tuning half was used, on inner splits of its training rows, to try ideas and constants; one of the
confirming half was not.
Of cars the even classes are for tuning and the odd ones for confirming: no class and no picture in common.
Data sets made of one source are a family: what a method does on one of them says what it will do on the others, so
that a family counts once, however many data sets it has.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_diabetes, load_digits

from skmm_core.config import EmbedJob
from skmm_core.data.builtin import gaussian_mixture
from skmm_core.data.builtin_list import GmmOptions
from skmm_core.data.dataset import Dataset, Split, content_fingerprint
from skmm_core.data.task import Task
from skmm_core.encoders import load_encoder
from tests.bench.offline_features import encoded

Features = NDArray[np.float32]
Rows = NDArray[np.int64]
Labelled = tuple[Features, NDArray[np.generic]]
_CARS = "stanfordcars196_mobilenetv2q"


@dataclass(frozen=True)
class Benchmark:
    """One data set of the study.

    Attributes:
        name: key in files.
        title: for people.
        half: "tuning" or "confirming".
        family: the source of its rows, for people; the same for all data sets made of this source.
        budgets: points to pick; the lower half of them are the low budgets.
        load: folder and seed -> rows to draw from, and test rows where those of the seed are made with them; else None,
            and test rows are drawn too.
        pool: rows of the pool, drawn anew for every seed.
        test: rows to score on, drawn anew for every seed.
        long_tail: largest over smallest class of the pool; 1 leaves it alone.
        noise: share of the pool's labels that are replaced by another class.
        numbers: whether targets are numbers; they are classes otherwise.
        classes: how many there are; 0 for numbers.
    """

    name: str
    title: str
    half: str
    family: str
    budgets: tuple[int, ...]
    load: Callable[[Path, int], tuple[Labelled, Labelled | None]]
    pool: int
    test: int = 1000
    long_tail: float = 1
    noise: float = 0
    numbers: bool = False
    classes: int = 0


def _npz(path: Path) -> dict[str, NDArray[np.generic]]:
    with np.load(path, allow_pickle=False) as stored:
        return {key: stored[key] for key in stored.files}


def _both_parts(folder: Path, stem: str) -> tuple[Features, NDArray[np.generic]]:
    """Training and test file of one source in one: rows are dealt out anew for every seed."""
    parts = [_npz(folder / f"{stem}_{part}.npz") for part in ("train", "test")]
    return np.concatenate([part["X"] for part in parts]).astype(np.float32), np.concatenate([p["y"] for p in parts])


def _cifar(folder: Path, seed: int) -> tuple[Labelled, None]:
    features, labels = _both_parts(folder, "cifar10_mobilenetv2q")
    return (features, labels.astype(np.int64)), None


def _ages(folder: Path, seed: int) -> tuple[Labelled, None]:
    """Made ages: eight years apart by class, plus skewed noise; what a regression on picture features looks like."""
    draw = np.random.default_rng(5)
    order = draw.permutation(10)
    (features, labels), _ = _cifar(folder, seed)
    return (features, order[labels.astype(np.int64)] * 8.0 + 5 + draw.gamma(2.0, 3.0, len(labels))), None


def _cars(parity: int) -> Callable[[Path, int], tuple[Labelled, None]]:
    def load(folder: Path, seed: int) -> tuple[Labelled, None]:
        features, classes = _both_parts(folder, _CARS)
        kept = np.sort(np.random.default_rng(3).permutation(98)[:40] * 2 + parity)
        mine = np.isin(classes, kept)
        return (features[mine], np.searchsorted(kept, classes[mine]).astype(np.int64)), None

    return load


def _years(parity: int) -> Callable[[Path, int], tuple[Labelled, None]]:
    """The model year, which the name of a car's class ends with: a real regression on picture features."""

    def load(folder: Path, seed: int) -> tuple[Labelled, None]:
        features, classes = _both_parts(folder, _CARS)
        names = _npz(folder / f"{_CARS}_train.npz")["names"]
        years = np.array([float(str(name).split()[-1]) for name in names])
        mine = classes % 2 == parity
        return (features[mine], years[classes[mine]]), None

    return load


def _fashion(folder: Path, seed: int) -> tuple[Labelled, None]:
    stored = _npz(folder / "fashion_mnist_images_test10k.npz")
    pixels = stored["images"].reshape(len(stored["y"]), -1).astype(np.float32) / 255
    return (pixels, stored["y"].astype(np.int64)), None


@cache
def _encoded_fashion(folder: Path) -> Labelled:
    """Features of a network that saw ImageNet, of the first pictures of the file."""
    stored = _npz(folder / "fashion_mnist_images_test10k.npz")
    images, labels = stored["images"][:4000], stored["y"][:4000]
    encoder = load_encoder(EmbedJob(model="efficientnet-lite0"), torch.device("cpu"))
    pictures = [Image.fromarray(each).convert("RGB") for each in images]
    return encoded(encoder, encoder.preprocess, pictures).astype(np.float32), labels.astype(np.int64)


def _fashion_network(folder: Path, seed: int) -> tuple[Labelled, None]:
    return _encoded_fashion(folder), None


def _flowers(stem: str) -> Callable[[Path, int], tuple[Labelled, None]]:
    def load(folder: Path, seed: int) -> tuple[Labelled, None]:
        features, labels = _both_parts(folder, stem)
        return (features, labels.astype(np.int64)), None

    return load


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


# one, two, five and ten labels a class, as far as the pool goes
_FIVE, _TEN, _FORTY = (5, 10, 25, 50), (10, 20, 50, 100), (40, 80, 200)
_NUMBERS, _CLUSTERS = (25, 50, 100), (48, 64, 120)
_TUNING, _CONFIRMING, _HOUSING = "tuning", "confirming", "California housing"
_PICTURES = partial(Benchmark, half=_TUNING, family="CIFAR-10", load=_cifar, pool=1500, test=2000, classes=10)
_ODD_CARS = partial(
    Benchmark, half=_CONFIRMING, family="Cars", load=_cars(1), budgets=_FORTY, pool=1000, test=400, classes=40
)
_PHOTOGRAPHS = partial(Benchmark, half=_TUNING, family="Flowers", budgets=_FIVE, pool=1500, test=1500, classes=5)
_REAL = partial(Benchmark, numbers=True)
_MODEL_YEARS = partial(_REAL, family="Cars", budgets=_NUMBERS, pool=1500, test=1000)
_MADE = partial(_REAL, family="Gaussian mixture", budgets=_CLUSTERS, pool=1000)
BENCHMARKS: tuple[Benchmark, ...] = (
    _PICTURES("cifar", "CIFAR-10", budgets=_TEN),
    _PICTURES("cifar_tail", "CIFAR-10, long tail", budgets=_TEN, long_tail=20),
    _PICTURES("cifar_noise", "CIFAR-10, 10 % wrong labels", budgets=_TEN, noise=0.1),
    _PHOTOGRAPHS("flowers_mobilenet", "Flowers, MobileNetV2", load=_flowers("flowers5_mobilenetv2q")),
    _PHOTOGRAPHS("flowers_efficientnet", "Flowers, EfficientNet-Lite0", load=_flowers("flowers5_efficientnetlite0")),
    _ODD_CARS("cars_even", "Cars, 40 even classes", half=_TUNING, load=_cars(0)),
    _PICTURES("ages", "Made ages on CIFAR-10", budgets=_NUMBERS, load=_ages, numbers=True, classes=0),
    _MODEL_YEARS("years_even", "Model years of cars, even classes", half=_TUNING, load=_years(0)),
    _REAL("table", "Made table", _TUNING, "Made table", _NUMBERS, _table, 1500, test=3000),
    # a pool of all that is left beside the test rows would hold nearly the same rows for every seed
    _REAL("diabetes", "Diabetes", _TUNING, "Diabetes", (10, 20, 40), _diabetes, 130, test=180),
    _MADE("mixture", "Gaussian mixture", _TUNING, load=_mixture(0, 0)),
    _ODD_CARS("cars_odd", "Cars, 40 odd classes"),
    _ODD_CARS("cars_odd_tail", "Cars, odd, long tail", long_tail=10),
    _ODD_CARS("cars_odd_noise", "Cars, odd, 10 % wrong labels", noise=0.1),
    Benchmark("digits", "Handwritten digits", _CONFIRMING, "Handwritten digits", _TEN, _digits, 1000, 500, classes=10),
    Benchmark("fashion", "Fashion-MNIST pixels", _CONFIRMING, "Fashion-MNIST", _TEN, _fashion, 1500, 2000, classes=10),
    Benchmark(
        "fashion_network",
        "Fashion-MNIST, EfficientNet-Lite0",
        _CONFIRMING,
        "Fashion-MNIST",
        _TEN,
        _fashion_network,
        1500,
        test=2000,
        classes=10,
    ),
    _MODEL_YEARS("years_odd", "Model years of cars, odd classes", half=_CONFIRMING, load=_years(1)),
    _REAL("california", _HOUSING, _CONFIRMING, _HOUSING, _NUMBERS, _california, 1500, test=3000),
    _MADE("mixture_noise", "Gaussian mixture, noisy labels", _CONFIRMING, load=_mixture(1, 100)),
    _MADE("mixture_equal", "Gaussian mixture, equal clusters", _CONFIRMING, load=_mixture(0, 200, equal=True)),
)


def draw(benchmark: Benchmark, folder: Path, seed: int) -> Dataset:
    """The data set of one seed: a pool and test rows of its own, no row in both.

    There are no validation rows: a probe that is trained on 20 points is tuned on no label but theirs.
    """
    (features, targets), held = benchmark.load(folder, seed)
    rng = np.random.default_rng([seed, len(targets)])
    order = rng.permutation(len(targets)) if held is None else np.arange(len(targets))
    if held is None:
        fresh, order = order[: benchmark.test], order[benchmark.test :]
        held = features[fresh], targets[fresh]
    pool = order[: benchmark.pool]
    known = targets[pool].copy()
    if benchmark.long_tail > 1:
        kept = long_tail(known.astype(np.int64), benchmark.long_tail, rng)
        pool, known = pool[kept], known[kept]
    if benchmark.noise:
        known = wrong_labels(known.astype(np.int64), benchmark.noise, rng)
    return _dataset(benchmark, (features[pool], known), held)


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


def _dataset(benchmark: Benchmark, pool: Labelled, test: Labelled) -> Dataset:
    parts = (pool, test)
    features = torch.tensor(np.concatenate([x for x, _ in parts]))
    values = np.concatenate([y for _, y in parts])
    classes = np.issubdtype(parts[0][1].dtype, np.integer)
    targets = torch.tensor(values.astype(np.int64) if classes else values.astype(np.float32))
    rows, none = torch.arange(len(values)), torch.arange(0)
    split = Split(rows[: len(pool[1])], none, rows[len(pool[1]) :])
    ids = tuple(map(str, range(len(features))))
    return Dataset(
        name=benchmark.name,
        task=Task.CLASSIFICATION if classes else Task.REGRESSION,
        features=features,
        targets=targets,
        ids=ids,
        rows=rows,
        split=split,
        fingerprint=content_fingerprint(features, targets, ids, split),
        source=benchmark.name,
        class_names=tuple(map(str, range(int(targets.max()) + 1))) if classes else (),
    )
