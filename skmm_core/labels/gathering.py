"""Chosen points of a dataset with all that helps to label them: texts, columns, and pictures where they can be read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any

from skmm_core.config import DatasetConfig, EmbedJob
from skmm_core.data import Dataset, Task, file_path, find_originals, image_source, may_be_picture
from skmm_core.errors import InputError
from skmm_core.labels.outgoing import Cell, Outgoing, OutRow, is_address
from skmm_core.runs import read_config

_LARGEST_PICTURE = 256 << 20
_MOST_CLASSES = 1000


def gather(
    dataset: Dataset,
    config: DatasetConfig,
    points: Sequence[tuple[str, int | None]],
    *,
    labels: Iterable[str] = (),
    guesses: Mapping[str, tuple[str, float | None]] | None = None,
) -> Outgoing:
    """Collect what a tool needs.

    Args:
        dataset: the pool.
        config: where it is from; pictures are looked for where its features were made from.
        points: id and number of the batch, in the order picked.
        labels: given so far, for the names of classes.
        guesses: of a model, by id: a label and its probability.

    Raises:
        InputError: the dataset has no such id.
    """
    place = {id_: row for row, id_ in enumerate(dataset.ids)}
    if strange := next((id_ for id_, _ in points if id_ not in place), None):
        raise InputError(f"{dataset.name} has no point {strange[:80]!r}; it changed since the points were picked")
    rows = [place[id_] for id_, _ in points]
    texts = [None] * len(rows) if dataset.texts is None else [dataset.texts.text(row) for row in rows]
    columns = _columns(dataset, rows, texts)
    pictures = [dataset.ids[row] if dataset.images is not None else None for row in rows]
    known = guesses or {}
    source = None if dataset.images is None else _picture_source(config)
    there = find_originals(source, dataset.ids) if source is not None and source.is_dir() else None
    words = [*dataset.class_names, *(label for label in dataset.known_labels or () if label is not None), *labels]
    numbers = dataset.task is Task.REGRESSION or _are_values(words)
    return Outgoing(
        name=dataset.name,
        rows=tuple(
            OutRow(id_, order, batch, text, picture, cells, *known.get(id_, (None, None)))
            for order, ((id_, batch), text, picture, cells) in enumerate(
                zip(points, texts, pictures, columns, strict=True), 1
            )
        ),
        classes=() if numbers else tuple(dict.fromkeys(words))[:_MOST_CLASSES],
        numbers=numbers,
        root=None if there is None else there.root,
        picture_bytes=None if dataset.images is None else _pictures(dataset, place, source),
    )


def _columns(dataset: Dataset, rows: list[int], texts: Sequence[str | None]) -> list[dict[str, Cell]]:
    """Columns of the upload a point, but the one that is its text."""
    found: list[dict[str, Cell]] = [{} for _ in rows]
    if dataset.shown is not None:
        table = dataset.shown.take(rows)
        for name in table.column_names:
            values = [_cell(value) for value in table.column(name).to_pylist()]
            if values != list(texts):
                for cells, value in zip(found, values, strict=True):
                    cells[name] = value
    return found


def _cell(value: Any) -> Cell:
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value if value is None or isinstance(value, str | int | bool) else str(value)


def _are_values(labels: Iterable[str]) -> bool:
    """Whether labels are numbers that are no classes: some have decimals."""
    try:
        found = [float(label) for label in dict.fromkeys(labels)]
    except ValueError:
        return False
    return all(map(isfinite, found)) and any(not value.is_integer() for value in found)


def _picture_source(config: DatasetConfig) -> Path | None:
    """Folder or archive of the pictures that the features were made from, where a run of this program made them."""
    try:
        made = read_config(file_path(config.source).parent)
        source = image_source(made.dataset.source) if isinstance(made.job, EmbedJob) else None
    except InputError:  # the features came from elsewhere, or their pictures are gone: small copies are what there is
        return None
    return source.resolve() if source is not None and source.exists() else None


def _pictures(
    dataset: Dataset, place: Mapping[str, int], source: Path | None
) -> Callable[[OutRow], tuple[bytes, str] | None]:
    """Content of the picture of a point and its ending: the original file, else the small copy that is kept."""

    @cache  # an archive is unpacked only for a tool that takes the pictures themselves
    def files() -> Mapping[str, Path]:
        found = None if source is None else find_originals(source, dataset.ids)
        return {} if found is None else found.files

    def read(row: OutRow) -> tuple[bytes, str] | None:
        path = files().get(row.id)
        try:
            if path is not None and path.stat().st_size <= _LARGEST_PICTURE and not is_address(row.picture or ""):
                ending = path.suffix.lower() if may_be_picture(path.name) else ""
                return path.read_bytes(), ending
        except OSError:
            pass  # gone since it was embedded; the small copy is better than nothing
        images = dataset.images
        return None if images is None else (images.png(place[row.id], size=images.longest), ".png")

    return read
