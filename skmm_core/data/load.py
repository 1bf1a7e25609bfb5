"""From a `DatasetConfig` to a checked :class:`Dataset`: the one door through which data comes in."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from skmm_core.config import DatasetConfig
from skmm_core.data.arrays import read_npy, read_npz
from skmm_core.data.builtin import BUILTINS, is_builtin, load_builtin
from skmm_core.data.dataset import Dataset, Split, Task, content_fingerprint, empty_rows
from skmm_core.data.files import FILE_KINDS, check_file, file_path
from skmm_core.data.holdout import hold_out
from skmm_core.data.rows import RawRows, check_ids, clean
from skmm_core.data.tables import Columns, read_table
from skmm_core.data.targets import Targets, understand
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report, ignore

_TABLES = (".csv", ".parquet")
_HOLDOUT_SEED = 0


def load_dataset(config: DatasetConfig | str, *, report: Report = ignore) -> Dataset:
    """Load a built-in dataset or a file, and check it.

    Args:
        config: what to load and how to read it, or only its source, such as "digits" or "features.npz".
        report: told of reading and checking.

    Raises:
        InputError: anything that cannot be used; one line that says what, where and what to do.
    """
    if isinstance(config, str):
        config = DatasetConfig(source=config)
    if is_builtin(config.source):
        _refuse_file_options(config)
        dataset = load_builtin(config.source, report=report)
        if config.task not in ("auto", dataset.task):
            raise InputError(f"{dataset.name} is a {dataset.task}; leave the task on auto")
        return dataset
    path = _path_of(config.source)
    _refuse_other_kinds_options(config, path)
    pool, test = _read(path, config, report)
    pool = clean(pool, drop=config.drop_bad_rows, report=report)
    test = test and clean(test, drop=config.drop_bad_rows, report=report)
    for part in (pool, test):
        if part is not None:
            check_ids(part)
    return _assemble(config, pool, test, report)


def _path_of(source: str) -> Path:
    path = file_path(source)
    named = path.suffix.lower() in FILE_KINDS or path.exists()
    if not named and (not path.suffix or ":" in source):  # an option such as std_max=0.1 looks like a suffix
        names = ", ".join(info.name for info in BUILTINS)
        raise InputError(
            f"there is no built-in dataset {source.partition(':')[0]!r} and no such file; "
            f"the built-ins are {names}, files end in {', '.join(FILE_KINDS)}"
        )
    check_file(path)
    return path


def _refuse_file_options(config: DatasetConfig) -> None:
    for option in ("test", "labels", "target", "id", "holdout"):
        if getattr(config, option) is not None:
            raise InputError(f"{config.source} is built in, with its own targets and split; leave out --{option}")


def _refuse_other_kinds_options(config: DatasetConfig, path: Path) -> None:
    kind = path.suffix.lower()
    if config.labels is not None and kind != ".npy":
        raise InputError(f"{path.name}: --labels goes with npy files only; a {kind} file holds its own targets")
    for option in ("target", "id"):
        if getattr(config, option) is not None and kind not in _TABLES:
            raise InputError(f"{path.name}: --{option} names a column of a csv or parquet file, not of {kind}")


def _read(path: Path, config: DatasetConfig, report: Report) -> tuple[RawRows, RawRows | None]:
    """Rows of the file, and those of its test set or None."""
    test: RawRows | None = None
    if path.suffix.lower() == ".npz":
        pool, test = read_npz(path, report=report)
    elif path.suffix.lower() == ".npy":
        pool = read_npy(path, file_path(config.labels) if config.labels else None, report=report)
    else:
        pool = read_table(path, Columns(config.target, config.id), report=report)
    if config.test is not None:
        if test is not None:
            raise InputError(f"{path.name} has its own X_test; leave out the test file (--test)")
        test = _read_test(file_path(config.test), pool, config, report)
    if test is None:
        return pool, None
    if config.holdout is not None:
        raise InputError(f"{path.name} has a test set already; leave out the hold-out (--holdout)")
    if test.features.shape[1] != pool.features.shape[1]:
        raise InputError(
            f"{test.where} has {test.features.shape[1]:,} columns but {pool.where} has {pool.features.shape[1]:,}; "
            "test and pool must have the same features"
        )
    if pool.targets is not None and test.targets is None:
        raise InputError(f"{test.where} has no targets but {pool.where} has; add y_test or use an npz with X and y")
    if pool.targets is None and test.targets is not None:
        note = f"{test.where}: its targets are not used, since the pool has none."
        test = replace(test, targets=None, notes=(*test.notes, note))
    return pool, test


def _read_test(path: Path, pool: RawRows, config: DatasetConfig, report: Report) -> RawRows:
    check_file(path)
    kind = path.suffix.lower()
    if kind == ".npy":
        return read_npy(path, None, report=report)
    if kind == ".npz":
        return read_npz(path, report=report)[0]
    if not pool.feature_names or Path(config.source).suffix.lower() not in _TABLES:
        raise InputError(f"{path.name}: a {kind} test file goes with a csv or parquet pool; use one kind for both")
    return read_table(path, Columns(pool.target_name, config.id, pool.feature_names), report=report)


def _assemble(config: DatasetConfig, pool: RawRows, test: RawRows | None, report: Report) -> Dataset:
    report(Progress("Checking targets", 0))
    targets = None
    if pool.targets is not None:
        test_targets = None if test is None else test.targets
        targets = understand(pool.targets, test_targets, task=config.task, names=pool.names, where=pool.where)
    elif config.task != "auto":
        raise InputError(f"{pool.where} has no targets, so the task cannot be {config.task}; add targets or use auto")
    count = len(pool.features)
    features = torch.from_numpy(pool.features)
    ids = pool.ids or tuple(str(row) for row in pool.rows.tolist())
    rows = pool.rows
    split = _split(config, count, targets)
    if test is not None:
        features = torch.cat([features, torch.from_numpy(test.features)])
        ids += tuple(f"test:{name}" for name in test.ids or test.rows.tolist())
        rows = np.concatenate([rows, test.rows])
        split = replace(split, test=torch.arange(count, len(rows)))
        if len(set(ids)) < len(ids):
            twice = next(name for name in ids[count:] if name in set(ids[:count]))
            raise InputError(f"{pool.where}: the id {twice!r} is kept for a test row; rename it")
    values = None if targets is None else torch.from_numpy(_joined(targets))
    report(Progress("Fingerprinting", 0))
    return Dataset(
        name=Path(config.source).stem,
        task=Task.UNLABELLED if targets is None else targets.task,
        features=features,
        targets=values,
        ids=ids,
        rows=torch.from_numpy(rows),
        split=split,
        fingerprint=content_fingerprint(features, values, ids, split),
        source=config.source,
        class_names=() if targets is None else targets.class_names,
        feature_names=pool.feature_names,
        notes=(*pool.notes, *(test.notes if test else ()), *(targets.notes if targets else ())),
    )


def _joined(targets: Targets) -> np.ndarray:
    return targets.pool if targets.test is None else np.concatenate([targets.pool, targets.test])


def _split(config: DatasetConfig, count: int, targets: Targets | None) -> Split:
    rows = np.arange(count, dtype=np.int64)
    if config.holdout is None:
        return Split(torch.from_numpy(rows), empty_rows(), empty_rows())
    classes = targets.pool if targets is not None and targets.task is Task.CLASSIFICATION else None
    kept, held = hold_out(
        rows, round(config.holdout * count), classes=classes, seed=_HOLDOUT_SEED, purpose="file hold-out"
    )
    return Split(torch.from_numpy(kept), empty_rows(), torch.from_numpy(held))
