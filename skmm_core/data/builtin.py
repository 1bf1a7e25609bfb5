"""Datasets that need no download: the paper's Gaussian mixture, and two that come with scikit-learn."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skmm_core.data.builtin_list import GmmOptions, SplitOptions, named, parse_options
from skmm_core.data.dataset import Dataset, Split, content_fingerprint, empty_rows
from skmm_core.data.digits_file import read_digits
from skmm_core.data.file_limits import check_array_size
from skmm_core.data.holdout import hold_out
from skmm_core.data.row_thumbnails import PixelImages
from skmm_core.data.task import Task
from skmm_core.device import generator
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report, ignore

_SIDE = 8  # pixels of a digit


def load_builtin(source: str, *, report: Report = ignore) -> Dataset:
    """Make a built-in dataset.

    Args:
        source: name, or name and options as in "gmm:N=2000,seed=3" or "digits:seed=3,validation=no".
        report: told that it began.

    Raises:
        InputError: unknown name, option or value; the message lists what there is.
    """
    name, text = named(source)
    makers: dict[str, Callable[[str, str], Dataset]] = {"gmm": _gmm, "digits": _digits, "diabetes": _diabetes}
    report(Progress(f"Making {name}", 0))
    return makers[name](source, text)


def gaussian_mixture(options: GmmOptions) -> tuple[list[Tensor], list[Tensor]]:
    """Draw the mixture of the paper: clusters on coordinate axes, one noiseless label a cluster.

    Dong, Phan, Pan and Lei (2024), section 5.1, after the authors' notebook: centre norms K·U{1..K} on distinct axes,
    cluster sizes by random breakpoints, spread std_max·U(0, 1), label = <centre, θ> with θ standard normal. The spread
    is far below the distance of the centres (at least K), so clusters are well separated. The default std_max = 0.04 is
    set so that ridge on the whole pool (α by 2-fold search) has a risk near the 2.95e-3 of the paper: 3.2e-3, 1.1e-2,
    4.0e-3 and 2.3e-3 for seeds 0 to 3.

    Held-out parts are fresh draws of the same mixture, made after the pool, so that the pool depends on the options
    alone.

    Args:
        options: all of them; `clusters` must not exceed `r` nor `N`.

    Returns:
        Features [(N, r), (N/3, r), (N/3, r)] and targets [(N,), (N/3,), (N/3,)], float32, of pool, validation and test.

    Raises:
        InputError: options that do not fit each other, or too much memory.
    """
    if options.clusters > min(options.r, options.N):
        raise InputError(f"gmm: clusters={options.clusters} is more than r={options.r} or N={options.N}; lower it")
    held = max(1, round(options.N / 3))
    check_array_size("gmm", (options.N + 2 * held, options.r), 4)
    rng = generator(options.seed, "gmm mixture")
    count = options.clusters
    breaks = torch.randperm(options.N - 1, generator=rng)[: count - 1].add(1).sort().values
    sizes = torch.diff(breaks, prepend=torch.tensor([0]), append=torch.tensor([options.N]))
    norms = options.K * torch.randint(1, options.K + 1, (count,), generator=rng)
    axes = torch.randperm(options.r, generator=rng)[:count]
    spreads = options.std_max * torch.rand(count, generator=rng)
    labels = norms * torch.randn(count, generator=rng)
    features, targets = [], []
    for part, rows in (("pool", options.N), ("validation", held), ("test", held)):
        rng = generator(options.seed, f"gmm {part}")
        if part == "pool":  # exact sizes, in random order
            cluster = torch.repeat_interleave(sizes)[torch.randperm(rows, generator=rng)]
        else:
            cluster = torch.multinomial(sizes.double(), rows, replacement=True, generator=rng)
        x = torch.randn(rows, options.r, generator=rng).mul_(spreads[cluster, None])
        x[torch.arange(rows), axes[cluster]] += norms[cluster]
        features.append(x)
        targets.append(labels[cluster] + options.label_noise * torch.randn(rows, generator=rng))
    return features, targets


def _gmm(source: str, text: str) -> Dataset:
    options = parse_options("gmm", text, GmmOptions)
    features, targets = gaussian_mixture(options)
    ends = np.cumsum([len(part) for part in targets])
    parts = [torch.arange(end - len(part), end) for end, part in zip(ends.tolist(), targets, strict=True)]
    return _dataset(
        "gmm", source, Task.REGRESSION, features=torch.cat(features), targets=torch.cat(targets), split=Split(*parts)
    )


def _digits(source: str, text: str) -> Dataset:
    options = parse_options("digits", text, SplitOptions)
    table = read_digits()
    images = table[:, :-1].reshape(-1, _SIDE, _SIDE)
    return _from_scikit_learn(
        "digits",
        source,
        Task.CLASSIFICATION,
        table[:, :-1],
        table[:, -1],
        options,
        feature_names=tuple(f"pixel_{row}_{column}" for row in range(_SIDE) for column in range(_SIDE)),
        class_names=tuple(str(digit) for digit in range(10)),
        images=PixelImages(np.round(images * (255 / 16)).astype(np.uint8)),
    )


def _diabetes(source: str, text: str) -> Dataset:
    options = parse_options("diabetes", text, SplitOptions)
    from sklearn.datasets import load_diabetes  # late: half a second that other datasets need not pay

    bunch = load_diabetes()
    names = tuple(bunch.feature_names)
    return _from_scikit_learn(
        "diabetes", source, Task.REGRESSION, bunch.data, bunch.target, options, feature_names=names
    )


def _from_scikit_learn(
    name: str, source: str, task: Task, features: np.ndarray, targets: np.ndarray, options: SplitOptions, **more: Any
) -> Dataset:
    classes = task is Task.CLASSIFICATION
    targets = targets.astype(np.int64 if classes else np.float32)
    return _dataset(
        name,
        source,
        task,
        features=torch.from_numpy(features.astype(np.float32)),
        targets=torch.from_numpy(targets),
        split=_split(targets, options, stratify=classes),
        **more,
    )


def _split(targets: np.ndarray, options: SplitOptions, *, stratify: bool) -> Split:
    """60 % to pick from, 20 % for validation and 20 % for the test, or 40 % for the test without validation."""
    rows = np.arange(len(targets), dtype=np.int64)
    pool = int(0.6 * len(rows))

    def held(of: np.ndarray, count: int, purpose: str) -> tuple[Tensor, np.ndarray]:
        classes = targets[of] if stratify else None
        kept, out = hold_out(of, count, classes=classes, seed=options.seed, purpose=purpose)
        return torch.from_numpy(kept), out

    train, rest = held(rows, len(rows) - pool, "built-in held")
    if not options.validation:
        return Split(train, empty_rows(), torch.from_numpy(rest))
    test, validation = held(rest, len(rest) // 2, "built-in validation")
    return Split(train, torch.from_numpy(validation), test)


def _dataset(
    name: str, source: str, task: Task, *, features: Tensor, targets: Tensor, split: Split, **more: Any
) -> Dataset:
    ids = tuple(str(row) for row in range(len(targets)))
    return Dataset(
        name=name,
        task=task,
        features=features,
        targets=targets,
        ids=ids,
        rows=torch.arange(len(targets)),
        split=split,
        fingerprint=content_fingerprint(features, targets, ids, split),
        source=source,
        **more,
    )
