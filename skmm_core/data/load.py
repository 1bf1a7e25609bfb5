"""From a `DatasetConfig` to a checked :class:`Dataset`: the one door through which data comes in."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from skmm_core.config import DatasetConfig
from skmm_core.data.arrays import read_npy, read_npz
from skmm_core.data.builtin import BUILTINS, is_builtin, load_builtin
from skmm_core.data.dataset import Dataset, Split, Task, content_fingerprint, empty_rows
from skmm_core.data.file_limits import FILE_KINDS, check_file, file_path
from skmm_core.data.holdout import hold_out
from skmm_core.data.mixed_units import SCALED, equal_spread, spread_note
from skmm_core.data.row_thumbnails import EncodedImages
from skmm_core.data.rows import RawRows, check_ids, clean
from skmm_core.data.tables import Columns, read_table
from skmm_core.data.targets import Targets, understand
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report, ignore

_TABLES = (".csv", ".parquet")
_HOLDOUT_SEED = 0


@dataclass(frozen=True)
class _Read:
    """Files as read: the pool, held-out rows by part, which of these are the pool file's own, and its thumbnails."""

    pool: RawRows
    held: dict[str, RawRows]
    own: frozenset[str]
    images: EncodedImages | None


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
    read = _read(path, config, report)
    pool = _checked(read.pool, config, report)
    held = {name: _checked(part, config, report) for name, part in read.held.items()}
    images = read.images and read.images.take(_picture_rows(read, pool, held))
    return _assemble(config, pool, held, images, report)


def _checked(part: RawRows, config: DatasetConfig, report: Report) -> RawRows:
    part = clean(part, drop=config.drop_bad_rows, report=report)
    check_ids(part)
    return part


def _picture_rows(read: _Read, pool: RawRows, held: dict[str, RawRows]) -> np.ndarray:
    """Row of the file's thumbnails for every row that was kept, -1 for rows of another file."""
    rows, start = [pool.rows], len(read.pool.rows)
    for name, part in held.items():
        own = name in read.own
        rows.append(part.rows + start if own else np.full(len(part.rows), -1))
        start += len(read.held[name].rows) if own else 0
    return np.concatenate(rows)


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
    if config.scale_columns:
        raise InputError(f"{config.source} is built in, with columns as they should be; leave out --scale-columns")


def _refuse_other_kinds_options(config: DatasetConfig, path: Path) -> None:
    kind = path.suffix.lower()
    if config.labels is not None and kind != ".npy":
        raise InputError(f"{path.name}: --labels goes with npy files only; a {kind} file holds its own targets")
    for option in ("target", "id"):
        if getattr(config, option) is not None and kind not in _TABLES:
            raise InputError(f"{path.name}: --{option} names a column of a csv or parquet file, not of {kind}")


def _read(path: Path, config: DatasetConfig, report: Report) -> _Read:
    held: dict[str, RawRows] = {}
    images: EncodedImages | None = None
    if path.suffix.lower() == ".npz":
        file = read_npz(path, report=report)
        pool, images = file.pool, file.images
        held = {name: part for name, part in (("validation", file.validation), ("test", file.test)) if part is not None}
    elif path.suffix.lower() == ".npy":
        pool = read_npy(path, file_path(config.labels) if config.labels else None, report=report)
    else:
        pool = read_table(path, Columns(config.target, config.id), report=report)
    own = frozenset(held)
    if config.test is not None:
        if "test" in held:
            raise InputError(f"{path.name} has its own X_test; leave out the test file (--test)")
        held["test"] = _read_test(file_path(config.test), pool, config, report)
    if "test" in held and config.holdout is not None:
        raise InputError(f"{path.name} has a test set already; leave out the hold-out (--holdout)")
    return _Read(pool, {name: _fitting(part, pool) for name, part in held.items()}, own, images)


def _fitting(part: RawRows, pool: RawRows) -> RawRows:
    """Refuse held-out rows that do not go with the pool."""
    if part.features.shape[1] != pool.features.shape[1]:
        raise InputError(
            f"{part.where} has {part.features.shape[1]:,} columns but {pool.where} has {pool.features.shape[1]:,}; "
            "test and pool must have the same features"
        )
    if pool.targets is not None and part.targets is None:
        raise InputError(
            f"{part.where} has no targets but {pool.where} has; add them (y_test, y_val) or use an npz with X and y"
        )
    if pool.targets is None and part.targets is not None:
        note = f"{part.where}: its targets are not used, since the pool has none."
        return replace(part, targets=None, notes=(*part.notes, note))
    return part


def _read_test(path: Path, pool: RawRows, config: DatasetConfig, report: Report) -> RawRows:
    check_file(path)
    kind = path.suffix.lower()
    if kind == ".npy":
        return read_npy(path, None, offsets=pool.offsets, report=report)
    if kind == ".npz":
        return read_npz(path, offsets=pool.offsets, report=report).pool
    if not pool.feature_names or Path(config.source).suffix.lower() not in _TABLES:
        raise InputError(f"{path.name}: a {kind} test file goes with a csv or parquet pool; use one kind for both")
    columns = Columns(pool.target_name, config.id, pool.feature_names)
    return read_table(path, columns, offsets=pool.offsets, report=report)


def _assemble(
    config: DatasetConfig, pool: RawRows, held: dict[str, RawRows], images: EncodedImages | None, report: Report
) -> Dataset:
    report(Progress("Checking targets", 0))
    parts = [pool, *held.values()]
    known = _understood(config, pool, held)
    targets = known[0] if known else None
    values = torch.from_numpy(_joined(known)) if known else None
    features = torch.cat([_tensor(part) for part in parts]) if held else _tensor(pool)
    ids = _joined_ids(pool, held)
    split = _split(config, len(pool.features), targets)
    start = len(pool.features)
    for name, part in held.items():
        split = replace(split, **{name: torch.arange(start, start + len(part.features))})
        start += len(part.features)
    notes = [*(note for part in parts for note in part.notes), *(note for each in known for note in each.notes)]
    if config.scale_columns:
        features = equal_spread(features, split.train)
        notes.append(SCALED)
    elif note := spread_note(features[split.train], pool.feature_names):
        notes.append(note)
    report(Progress("Fingerprinting", 0))
    return Dataset(
        name=config.name or Path(config.source).stem,
        task=targets.task if targets else Task.UNLABELLED,
        features=features,
        targets=values,
        ids=ids,
        rows=torch.from_numpy(np.concatenate([part.rows for part in parts])),
        split=split,
        fingerprint=content_fingerprint(features, values, ids, split),
        source=config.source,
        class_names=targets.class_names if targets else (),
        feature_names=pool.feature_names,
        images=images,
        notes=tuple(dict.fromkeys(notes)),
    )


def _understood(config: DatasetConfig, pool: RawRows, held: dict[str, RawRows]) -> list[Targets]:
    """Targets of the pool with those of each held-out part; empty when there are none."""
    if pool.targets is None:
        if config.task != "auto":
            raise InputError(
                f"{pool.where} has no targets, so the task cannot be {config.task}; add targets or use auto"
            )
        return []
    return [
        understand(pool.targets, other, task=config.task, names=pool.names, where=pool.where)
        for other in ([part.targets for part in held.values()] or [None])
    ]


def _tensor(part: RawRows) -> Tensor:
    return torch.from_numpy(part.features)


def _joined_ids(pool: RawRows, held: dict[str, RawRows]) -> tuple[str, ...]:
    ids = pool.ids or tuple(str(row) for row in pool.rows.tolist())
    taken = set(ids)
    for name, part in held.items():
        own = tuple(f"{name}:{id_}" for id_ in part.ids or part.rows.tolist())
        twice = next((id_ for id_ in own if id_ in taken), None)
        if twice is not None:
            raise InputError(f"{pool.where}: the id {twice!r} is kept for a {name} row; rename it")
        taken.update(own)
        ids += own
    return ids


def _joined(known: list[Targets]) -> np.ndarray:
    return np.concatenate([known[0].pool, *(each.test for each in known if each.test is not None)])


def _split(config: DatasetConfig, count: int, targets: Targets | None) -> Split:
    rows = np.arange(count, dtype=np.int64)
    if config.holdout is None:
        return Split(torch.from_numpy(rows), empty_rows(), empty_rows())
    classes = targets.pool if targets is not None and targets.task is Task.CLASSIFICATION else None
    kept, held = hold_out(
        rows, round(config.holdout * count), classes=classes, seed=_HOLDOUT_SEED, purpose="file hold-out"
    )
    return Split(torch.from_numpy(kept), empty_rows(), torch.from_numpy(held))
