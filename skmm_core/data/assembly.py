"""Checked rows become one :class:`Dataset`: targets understood, parts joined, rows held out, content fingerprinted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from skmm_core.config import DatasetConfig
from skmm_core.data.dataset import Dataset, Split, content_fingerprint, empty_rows
from skmm_core.data.formats import format_of
from skmm_core.data.holdout import hold_out
from skmm_core.data.how_read import ReadLine
from skmm_core.data.known_labels import target_taken
from skmm_core.data.mixed_units import SCALED, equal_spread, spread_note
from skmm_core.data.row_texts import RowTexts
from skmm_core.data.row_thumbnails import EncodedImages
from skmm_core.data.rows import RawRows
from skmm_core.data.targets import Targets, understand
from skmm_core.data.task import Task
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report

_HOLDOUT_SEED = 0


def assemble(
    config: DatasetConfig,
    pool: RawRows,
    held: dict[str, RawRows],
    labels: tuple[str | None, ...] | None,
    images: EncodedImages | None,
    report: Report,
) -> Dataset:
    """Make a dataset of rows that were checked.

    Args:
        config: as the person gave it.
        pool: rows to pick from, and to hold out from.
        held: rows that are only scored, by "validation" and "test".
        labels: of a partly labelled pool, the label of each of its rows in words, None where there is none; else None.
        images: thumbnails of all rows, those of the pool first, or None.
        report: told of checking.

    Raises:
        InputError: the targets cannot be what the task asks, or two rows get one id.
    """
    report(Progress("Checking targets", 0))
    parts = [pool, *held.values()]
    known = [] if labels is not None else _understood(config, pool, held)
    targets = known[0] if known else None
    values = torch.from_numpy(_joined(known)) if known else None
    features = torch.cat([_tensor(part) for part in parts]) if held else _tensor(pool)
    ids = _joined_ids(pool, held)
    split = _split(config, len(pool.features), targets, held)
    notes = [*(note for part in parts for note in part.notes), *(note for each in known for note in each.notes)]
    if config.scale_columns:
        features = equal_spread(features, split.train)
        notes.append(SCALED)
    elif features.shape[1] and (note := spread_note(split.of_pool(features), pool.feature_names)):
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
        fingerprint=content_fingerprint(features, values, ids, split, known_labels=labels),
        source=config.source,
        class_names=targets.class_names if targets else (),
        feature_names=pool.feature_names,
        images=images,
        notes=tuple(dict.fromkeys(notes)),
        reading=_reading(config, pool, targets, labels),
        known_labels=labels,
        known_task=config.task,
        shown=pool.shown,
        texts=_joined_texts(parts),
    )


def _joined_texts(parts: list[RawRows]) -> RowTexts | None:
    """The texts of the pool and of the held-out rows, empty where a part has none; None without any."""
    if all(part.texts is None for part in parts):
        return None
    return RowTexts.all_of([part.texts or RowTexts.of([""] * len(part.rows)) for part in parts])


def _reading(
    config: DatasetConfig, pool: RawRows, targets: Targets | None, labels: tuple[str | None, ...] | None
) -> tuple[ReadLine, ...]:
    """How the file was read, with what its targets were understood as."""
    form = format_of(Path(config.source))
    lines = pool.reading or (ReadLine("Format", form.title if form else "arrays"), *_array_lines(pool))
    name = next(line.taken for line in lines if line.part == "Target")
    if targets is None and labels is None:
        taken = name if name == "none" else f"{name}: read as without labels"
    else:
        taken = target_taken(name, targets.class_names if targets else (), labels)
    raw = pool.targets
    numbers = raw is not None and raw.levels is None and not pool.names and bool(targets and targets.class_names)
    why = "whole numbers that repeat are classes; --task regression reads values" if numbers else ""
    return tuple(
        replace(line, taken=taken, why="; ".join(filter(None, (line.why, why)))) if line.part == "Target" else line
        for line in lines
    )


def _array_lines(pool: RawRows) -> tuple[ReadLine, ...]:
    """The table of a file of arrays."""
    texts = ReadLine("Texts", "texts", "to look at")
    return (
        ReadLine("Features", f"{pool.features.shape[1]:,} numbers a row", "the array of features", "--features"),
        *((texts,) if pool.texts is not None else ()),
        ReadLine("Target", pool.target_name or "none", "", "--target"),
        ReadLine("Id", "ids" if pool.ids else "row number", "", "--id"),
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
    taken = set(ids) if held else set()
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


def _split(config: DatasetConfig, count: int, targets: Targets | None, held: dict[str, RawRows]) -> Split:
    """The first `count` rows are the pool and what is held out of it; those of `held` follow."""
    split, start = _pool_split(config, count, targets), count
    for name, part in held.items():
        split = replace(split, **{name: torch.arange(start, start + len(part.features))})
        start += len(part.features)
    return split


def _pool_split(config: DatasetConfig, count: int, targets: Targets | None) -> Split:
    rows = np.arange(count, dtype=np.int64)
    if config.holdout is None:
        return Split(torch.from_numpy(rows), empty_rows(), empty_rows())
    classes = targets.pool if targets is not None and targets.task is Task.CLASSIFICATION else None
    kept, held = hold_out(
        rows, round(config.holdout * count), classes=classes, seed=_HOLDOUT_SEED, purpose="file hold-out"
    )
    return Split(torch.from_numpy(kept), empty_rows(), torch.from_numpy(held))
