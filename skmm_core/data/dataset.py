"""A dataset as every other part sees it: checked, split, fingerprinted."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from skmm_core.data.how_read import ReadLine
from skmm_core.data.row_texts import RowTexts
from skmm_core.data.row_thumbnails import ImageStore
from skmm_core.data.scaler import Scaler, fit_scaler
from skmm_core.data.table_file import is_numeric
from skmm_core.data.task import Task
from skmm_core.data.typed_text import floats_of, typed
from skmm_core.data.whole_pool import WholePool


@dataclass(frozen=True)
class Split:
    """Row indices into :attr:`Dataset.features`, disjoint, each sorted ascending.

    Attributes:
        train: (N,) int64 rows that a method may pick from: the pool.
        validation: int64 rows for choosing hyper-parameters; may be empty.
        test: int64 rows for the one final score; may be empty.
    """

    train: Tensor
    validation: Tensor
    test: Tensor

    def of_pool(self, rows: Tensor) -> Tensor:
        """Those of the (R, …) rows that are in the pool; where all are, the rows themselves and not a copy."""
        return rows if len(self.train) == len(rows) else rows[self.train]


@dataclass(frozen=True)
class Dataset:
    """Features, targets and where each row came from.

    Attributes:
        name: short name for pages and files, such as "digits".
        task: what the targets ask for.
        features: (R, d) float32, finite; all rows, of the pool and of the held-out parts. Columns that float32 cannot
            hold are distances from their median, and a note says so.
        targets: (R,) int64 class indices, float32 values (float64 ones where float32 would lose how they differ), or
            None for an unlabelled pool.
        ids: R distinct names of rows, in row order.
        rows: (R,) int64, 0-based row of each row in the input file or array it came from (rows of a separate test
            file count from 0 in that file); what `selection.npy` reports.
        class_names: names by class index; empty unless the task is classification.
        feature_names: d column names, or empty when the input had none.
        images: thumbnails by row, or None.
        split: which rows are pool, validation and test.
        fingerprint: "sha256:…" of the content and the split; the key of every cache.
        source: how to name this dataset again on the command line (`--dataset SOURCE`).
        notes: one line each for what a person should know of the reading ("3 rows dropped: …").
        reading: how the file was read, line by line.
        known_labels: of a partly labelled pool, the label of each row of its file in words, None where a row has none;
            None for a pool with all labels (they are the targets) or without any.
        known_task: what the known labels ask for: "auto", "classification" or "regression".
        shown: columns of the pool's file that are no features, to look at, or None.
        texts: the text of each row, or None.
        whole: of a pool that memory cannot hold: what is known of all its rows, of which these are some; else None.
    """

    name: str
    task: Task
    features: Tensor
    targets: Tensor | None
    ids: tuple[str, ...]
    rows: Tensor
    split: Split
    fingerprint: str
    source: str
    class_names: tuple[str, ...] = ()
    feature_names: tuple[str, ...] = ()
    images: ImageStore | None = None
    notes: tuple[str, ...] = field(default=())
    reading: tuple[ReadLine, ...] = ()
    known_labels: tuple[str | None, ...] | None = None
    known_task: str = "auto"
    shown: pa.Table | None = None
    texts: RowTexts | None = None
    whole: WholePool | None = None

    @property
    def whole_size(self) -> int:
        """Rows of the pool, those that are not held in memory among them."""
        return self.pool_size if self.whole is None else self.whole.size

    @property
    def pool_size(self) -> int:
        """N, the number of rows that a method may pick from."""
        return len(self.split.train)

    @property
    def pool_labels(self) -> tuple[str | None, ...] | None:
        """Known labels of the pool's points in words, in their order; None unless the pool is partly labelled."""
        if self.known_labels is None:
            return None
        return tuple(self.known_labels[row] for row in self.split.train.tolist())

    def shown_numbers(self) -> dict[str, np.ndarray]:
        """(N,) values of the pool's points in every column of numbers that is no feature, by name; NaN where empty."""
        if self.shown is None:
            return {}
        rows = self.split.train.numpy()
        return {
            name: floats_of(column)[rows].astype(np.float64)
            for name, column in zip(self.shown.column_names, self.shown.columns, strict=True)
            if is_numeric(typed(column).type)
        }

    @property
    def partly_labelled(self) -> str | None:
        """How many rows of a partly labelled pool have a label: "labels in 10 of 60 rows"; None for other pools."""
        labels = self.known_labels
        if labels is None:
            return None
        return f"labels in {sum(label is not None for label in labels):,} of {len(labels):,} rows"

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 unless the task is classification."""
        return len(self.class_names)

    @cached_property
    def scaler(self) -> Scaler:
        """Standardises columns by the pool; worked out once."""
        return fit_scaler(self.split.of_pool(self.features))


def content_fingerprint(
    features: Tensor,
    targets: Tensor | None,
    ids: tuple[str, ...],
    split: Split,
    *,
    known_labels: tuple[str | None, ...] | None = None,
) -> str:
    """Hash everything that a result can depend on: the same content and split give the same "sha256:…"."""
    digest = hashlib.sha256()
    for name, tensor in (
        ("features", features),
        ("targets", targets),
        ("train", split.train),
        ("validation", split.validation),
        ("test", split.test),
    ):
        digest.update(f"{name}:{None if tensor is None else (str(tensor.dtype), tuple(tensor.shape))};".encode())
        if tensor is not None:
            digest.update(tensor.detach().cpu().contiguous().numpy().data)
    digest.update("".join(f"{id_}\0" for id_ in ids).encode("utf-8", "surrogatepass"))
    if known_labels is not None:
        told = "".join("\1" if label is None else f"{label}\0" for label in known_labels)
        digest.update(f"labels:{told}".encode("utf-8", "surrogatepass"))
    return f"sha256:{digest.hexdigest()}"


def train_targets(dataset: Dataset) -> Tensor | None:
    """(N,) targets of the pool, or None when it is unlabelled."""
    return None if dataset.targets is None else dataset.targets[dataset.split.train]


def empty_rows() -> Tensor:
    """No rows: the validation or test part of a dataset that has none."""
    return torch.empty(0, dtype=torch.int64)
