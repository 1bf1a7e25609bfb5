"""From a dataset, or rows of one's own, to a checked pool: in a type that holds the squares of its numbers too."""

import torch
from torch import Tensor

from skmm_core.config import GradientParams, RunConfig, SketchParams
from skmm_core.data import Dataset, Task, WholePool, known_targets, train_targets
from skmm_core.device import resolve_device, widest
from skmm_core.errors import InputError
from skmm_core.pool.pool import Pool
from skmm_core.progress import Report, ignore

_SMALLEST = 1e3  # of the least number whose square is held: numbers a thousandth as large still count


def make_pool(
    data: Dataset | Tensor,
    *,
    targets: Tensor | None = None,
    sketch: SketchParams | None = None,
    seed: int = 0,
    device: str = "auto",
    report: Report = ignore,
    warm_up_rows: int | None = None,
    gradient: GradientParams | None = None,
) -> Pool:
    """Gather what methods pick from.

    Args:
        data: a dataset, whose train split is the pool, or (N, d) rows.
        targets: (N,) targets of the rows; integers are classes 0..K-1, floats a regression. Not with a dataset.
        sketch: how gradients are sketched.
        seed: of the run.
        device: where to compute.
        report: told of what is computed for all methods: sketch, warm-up head, training dynamics.
        warm_up_rows: labelled rows that train the warm-up head; None takes min(N, max(10 · classes, 5 % of N)).
        gradient: what stands for a row when moments are matched; the features by default.

    Raises:
        InputError: rows are not a finite 2-D array, the targets do not fit them, or warm_up_rows is below 1.
    """
    if warm_up_rows is not None and warm_up_rows < 1:
        raise InputError(f"warm_up_rows is {warm_up_rows}; give at least 1, or none for the default")
    where = resolve_device(device)
    if isinstance(data, Dataset):
        rows, y, known = data.split.of_pool(data.features), train_targets(data), known_targets(data)
        task, n_classes = data.task, data.n_classes
        if known is not None:
            task, n_classes = known.task, len(known.class_names)
    else:
        rows, y, known = torch.as_tensor(data), None if targets is None else torch.as_tensor(targets), None
        rows = _as_floats(rows)
        task, n_classes = Task.UNLABELLED, 0
        if y is not None:
            task = Task.REGRESSION if y.is_floating_point() else Task.CLASSIFICATION
            n_classes = int(y.max()) + 1 if task is Task.CLASSIFICATION and len(y) else 0
        _check(rows, y)
    whole = _whole(data) if isinstance(data, Dataset) else None
    if whole is not None and gradient is not None and gradient.kind != "features":
        raise InputError(
            f"gradients of a head need every row in memory, and of {whole.size:,} only {len(rows):,} are; leave "
            "--gradient on features"
        )
    rows = _with_squares(rows, where)
    return Pool(
        features=rows.to(where),
        targets=None if y is None else y.to(where),
        known=None if known is None else known.to(where),
        task=task,
        n_classes=n_classes,
        sketch_params=sketch or SketchParams(),
        seed=seed,
        report=report,
        warm_up_rows=warm_up_rows,
        gradient_params=gradient or GradientParams(),
        whole=whole,
    )


def _whole(data: Dataset) -> WholePool | None:
    return data.whole and data.whole.of(data.split.train)


def pool_of(config: RunConfig, dataset: Dataset, *, seed: int, report: Report = ignore) -> Pool:
    """The pool of a run, from everything in its config that decides it, so that nobody who needs it forgets an option.

    Args:
        config: of the run; what only its method or its budget needs is not read.
        dataset: loaded from `config.dataset`.
        seed: of the selection.
        report: told of what is computed for all methods.

    Raises:
        InputError: see :func:`make_pool`.
    """
    return make_pool(
        dataset,
        sketch=config.sketch,
        gradient=config.gradient,
        warm_up_rows=config.warm_up_rows,
        seed=seed,
        device=config.device,
        report=report,
    )


def _check(rows: Tensor, targets: Tensor | None) -> None:
    if rows.ndim != 2 or 0 in rows.shape:
        raise InputError(f"features have shape {tuple(rows.shape)}; give rows × columns, at least 1 × 1")
    bad = ~torch.isfinite(rows).all(dim=1)
    if bad.any():
        raise InputError(f"{int(bad.sum())} rows hold NaN or infinite numbers, first row {int(bad.nonzero()[0])}")
    if targets is not None and targets.shape != rows.shape[:1]:
        raise InputError(f"{tuple(targets.shape)} targets do not fit {len(rows)} rows of features")


def _as_floats(rows: Tensor) -> Tensor:
    """Rows in float32, or in float64 where they come so or are whole numbers that float32 would merge."""
    if rows.dtype == torch.float64:
        return rows
    held = rows.float()
    exact = rows.is_floating_point() or torch.equal(held.double(), rows.double())
    return held if exact else rows.double()


def _with_squares(rows: Tensor, device: torch.device) -> Tensor:
    """The rows in a type that holds their squares too: else distances would be infinite, or none would differ.

    Raises:
        InputError: there is none on this device.
    """
    largest = float(rows.abs().max())
    limits = torch.finfo(rows.dtype)
    # numbers below `tiny` are held with fewer digits, which no wider type brings back
    if _SMALLEST * limits.tiny <= largest < _SMALLEST * limits.tiny**0.5:
        rows = rows.to(widest(device))
        limits = torch.finfo(rows.dtype)
    if largest * rows.shape[1] ** 0.5 > 0.25 * limits.max**0.5:
        raise InputError(f"features as large as {largest:.0e} are too large for {rows.dtype}; scale them down")
    if 0 < largest < _SMALLEST * limits.tiny**0.5:
        raise InputError(f"features no larger than {largest:.0e} are too small for {rows.dtype}; scale them up")
    return rows
