"""From a `DatasetConfig` to a checked :class:`Dataset`: the one door through which data comes in."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from skmm_core.blocks import HERE, Workers
from skmm_core.config import DatasetConfig
from skmm_core.data.arrays import read_npy, read_npz
from skmm_core.data.assembly import assemble
from skmm_core.data.builtin import load_builtin
from skmm_core.data.builtin_list import is_builtin
from skmm_core.data.candidates import Candidates
from skmm_core.data.dataset import Dataset
from skmm_core.data.file_limits import check_file, file_path
from skmm_core.data.formats import array_parts, is_table, kind_of
from skmm_core.data.known_labels import mark_unlabelled, settle
from skmm_core.data.large_pools import LargePool, open_large, read_array_parts, with_whole
from skmm_core.data.named_arrays import Chosen
from skmm_core.data.named_codes import as_pool
from skmm_core.data.row_thumbnails import EncodedImages
from skmm_core.data.rows import RawRows, check_ids, clean
from skmm_core.data.safetensors_reader import read_safetensors
from skmm_core.data.source_checks import path_of, refuse_file_options, refuse_other_kinds_options
from skmm_core.data.tables import Columns, read_table
from skmm_core.errors import InputError
from skmm_core.progress import Report, ignore


@dataclass(frozen=True)
class _Read:
    """Files as read: the pool, held-out rows by part, which of these are the pool file's own, and its thumbnails.

    Of a pool that memory cannot hold, the rows that are held, and which these are.
    """

    pool: RawRows
    held: dict[str, RawRows]
    own: frozenset[str]
    images: EncodedImages | None
    found: Candidates | None


def load_dataset(config: DatasetConfig | str, *, workers: Workers = HERE, report: Report = ignore) -> Dataset:
    """Load a built-in dataset or a file, and check it.

    Args:
        config: what to load and how to read it, or only its source, such as "digits" or "features.npz".
        workers: who reads a pool that memory cannot hold.
        report: told of reading and checking.

    Raises:
        InputError: anything that cannot be used; one line that says what, where and what to do.
    """
    if isinstance(config, str):
        config = DatasetConfig(source=config)
    if is_builtin(config.source):
        refuse_file_options(config)
        dataset = load_builtin(config.source, report=report)
        if config.task not in ("auto", dataset.task):
            raise InputError(f"{dataset.name} is a {dataset.task}; leave the task on auto")
        return dataset
    return _load(config, _columns(config), workers, report)


def rows_beyond_memory(config: DatasetConfig) -> int | None:
    """Rows of a pool of which memory can hold only a part; None of all others. Only headers are read.

    Raises:
        InputError: the file cannot be read.
    """
    if is_builtin(config.source):
        return None
    large = open_large(path_of(config.source), config, _columns(config))
    return None if large is None else large.stream.shape[0]


def load_texts(config: DatasetConfig, *, report: Report = ignore) -> Dataset:
    """Load a table for its texts, of which an encoder makes features.

    Args:
        config: the table and how to read it; `text` names the column of texts.
        report: told of reading and checking.

    Returns:
        All rows with a text: features (R, 0) float32, and :attr:`Dataset.texts`.

    Raises:
        InputError: anything that cannot be used; one line that says what, where and what to do.
    """
    if is_builtin(config.source) or not is_table(path_of(config.source)):
        raise InputError(
            f"{config.source} is no table; give a file or folder with a column of texts, such as texts.csv"
        )
    if config.features is not None or config.scale_columns:
        raise InputError("the features come from the texts; leave out --features and --scale-columns")
    return _load(config, replace(_columns(config), only_texts=True), HERE, report)


def _load(config: DatasetConfig, columns: Columns, workers: Workers, report: Report) -> Dataset:
    path = path_of(config.source)
    refuse_other_kinds_options(config, path)
    large = None if columns.only_texts else open_large(path, config, columns)
    read = _read_large(large, config, workers, report) if large is not None else _read(path, config, columns, report)
    pool = mark_unlabelled(read.pool, config.unlabelled)
    if config.labelled_only and (pool.targets is None or pool.targets.missing.all()):
        raise InputError(f"{pool.where} has no labels to take the rows of; leave --labelled-only out")
    pool, known = settle(_checked(pool, config, config.labelled_only, report))
    # Rows that are only scored need a target; those of a pool without are not scored.
    held = {
        name: _fitting(
            _checked(mark_unlabelled(part, config.unlabelled), config, pool.targets is not None, report),
            pool,
            partly=known is not None,
        )
        for name, part in read.held.items()
    }
    images = read.images and read.images.take(_picture_rows(read, pool, held))
    dataset = assemble(config, pool, held, known, images, report)
    return dataset if read.found is None else with_whole(dataset, read.found, pool.rows)


def _checked(part: RawRows, config: DatasetConfig, labelled_only: bool, report: Report) -> RawRows:
    part = clean(part, drop=config.drop_bad_rows, labelled_only=labelled_only, report=report)
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


def _read_large(large: LargePool, config: DatasetConfig, workers: Workers, report: Report) -> _Read:
    pool, held, found = large.read(config, workers, report)
    return replace(_with_test(pool, held, None, config, _columns(config), report), found=found)


def _read(path: Path, config: DatasetConfig, columns: Columns, report: Report) -> _Read:
    held: dict[str, RawRows] = {}
    images: EncodedImages | None = None
    if path.is_dir() and array_parts(path):
        pool = read_array_parts(path, config, columns, report)
    elif path.is_dir():
        pool, held = read_table(path, columns, report=report)
    elif kind_of(path) == ".npz":
        file = read_npz(path, chosen=_chosen(config), report=report)
        pool, images = file.pool, file.images
        held = {name: part for name, part in (("validation", file.validation), ("test", file.test)) if part is not None}
    elif kind_of(path) == ".npy":
        pool = read_npy(path, file_path(config.labels) if config.labels else None, report=report)
    elif kind_of(path) == ".safetensors":
        pool = read_safetensors(path, _chosen(config), report=report)
    else:
        pool, held = read_table(path, columns, report=report)
    return _with_test(pool, held, images, config, columns, report)


def _with_test(
    pool: RawRows,
    held: dict[str, RawRows],
    images: EncodedImages | None,
    config: DatasetConfig,
    columns: Columns,
    report: Report,
) -> _Read:
    """The rows of a file with those of a test file, where one is given."""
    own = frozenset(held)
    if config.test is not None:
        if "test" in held:
            raise InputError(f"{pool.where} has its own test rows; leave out the test file (--test)")
        held["test"] = _read_test(file_path(config.test), pool, config, columns, report)
    if "test" in held and config.holdout is not None:
        raise InputError(f"{pool.where} has a test set already; leave out the hold-out (--holdout)")
    return _Read(pool, {name: as_pool(_as_wide(part, pool), pool) for name, part in held.items()}, own, images, None)


def _columns(config: DatasetConfig) -> Columns:
    return Columns(config.target, config.id, config.features, config.ignore, text=config.text)


def _chosen(config: DatasetConfig) -> Chosen:
    return Chosen(config.features, config.target, config.id)


def _as_wide(part: RawRows, pool: RawRows) -> RawRows:
    """Refuse held-out rows with other columns than the pool."""
    if part.features.shape[1] != pool.features.shape[1]:
        raise InputError(
            f"{part.where} has {part.features.shape[1]:,} columns but {pool.where} has {pool.features.shape[1]:,}; "
            "test and pool must have the same features"
        )
    return part


def _fitting(part: RawRows, pool: RawRows, *, partly: bool) -> RawRows:
    """Refuse held-out rows without targets where the pool has some."""
    if pool.targets is not None and part.targets is None:
        raise InputError(
            f"{part.where} has no targets but {pool.where} has; add them (y_test, y_val) or use an npz with X and y"
        )
    if pool.targets is None and part.targets is not None:
        lack = "is labelled in part" if partly else "has none"
        note = f"{part.where}: its targets are not used, since the pool {lack}."
        return replace(part, targets=None, notes=(*part.notes, note))
    return part


def _read_test(path: Path, pool: RawRows, config: DatasetConfig, columns: Columns, report: Report) -> RawRows:
    if not path.is_dir():
        check_file(path)
    kind = kind_of(path)
    if kind == ".npy":
        return read_npy(path, None, offsets=pool.offsets, report=report)
    if kind == ".npz":
        return read_npz(path, chosen=_chosen(config), offsets=pool.offsets, report=report).pool
    if kind == ".safetensors":
        return read_safetensors(path, _chosen(config), offsets=pool.offsets, report=report)
    if not is_table(file_path(config.source)):
        raise InputError(f"{path.name}: a {kind} test file goes with a pool that is a table too; use one kind for both")
    fixed = replace(columns, target=pool.target_name, fixed=pool.feature_names or None)
    if columns.only_texts:
        fixed = replace(fixed, text=pool.text_name)
    return read_table(path, fixed, offsets=pool.offsets, report=report)[0]
