"""The tables of a selection run, as pages and notebooks read them."""

import numpy as np
import pandas as pd
import pyarrow as pa
from torch import Tensor

from skmm_core.data import Dataset, Task, train_targets
from skmm_core.diagnostics import Diagnostics
from skmm_core.labels import Round
from skmm_core.methods import Selection
from skmm_core.runs import OF_FILE

MAP_DIRECTIONS = 8
_MAX_KNOWN = 200  # different labels that still are classes to look at


def selection_table(now: Round, selection: Selection) -> pd.DataFrame:
    """One row a chosen point, in the order picked.

    Columns: order (1 = picked first), id, row (0-based, in the input file), position (0-based, in the pool), weight
    (sum 1), score (the method's own; empty where it has none), batch, target, label (the target in words, for classes),
    text where the dataset has texts, and the columns of the upload that are no features.
    """
    dataset, indices = now.dataset, selection.indices.numpy()
    chosen = pool_table(dataset).iloc[indices].reset_index(drop=True)
    table = pd.DataFrame(
        {
            "order": np.arange(1, len(chosen) + 1),
            "id": chosen["id"],
            "row": chosen["row"],
            "position": chosen["position"],
            "weight": selection.weights.numpy(),
            "score": _method_score(selection, len(dataset.split.train))[indices],
            "batch": np.full(len(chosen), now.batch),
            "target": chosen["target"],
            "label": chosen["label"],
        }
    )
    rows = dataset.split.train[selection.indices].numpy()
    if dataset.texts is not None:
        table["text"] = pd.array(dataset.texts.take(rows).values.to_pylist(), dtype="string")
    return pd.concat([table, _uploaded(dataset, rows, table)], axis=1)


def _uploaded(dataset: Dataset, rows: np.ndarray, beside: pd.DataFrame) -> pd.DataFrame:
    """The columns of the upload at some rows; a name that is taken is marked, and the texts are not said twice."""
    if dataset.shown is None:
        return pd.DataFrame(index=beside.index)
    taken = dataset.shown.take(pa.array(rows))
    found = {}
    for name, column in zip(taken.column_names, taken.columns, strict=True):
        values = column.to_pandas()
        if "text" in beside and values.fillna("").astype(str).tolist() == beside["text"].tolist():
            continue
        found[f"{name}{OF_FILE}" if name in beside else name] = values
    return pd.DataFrame(found, index=beside.index)


def scores_table(now: Round, selection: Selection, whole: Selection, diagnostics: Diagnostics) -> pd.DataFrame:
    """One row a pool point.

    Columns: position, row, id, target, label, score (the method's own), leverage, distance (to the nearest chosen),
    order (1 = picked first; null when not chosen), weight (0 when not chosen), state (labelled, pending or out where
    it was one of these before; else null), share (weight among the new and the given points, with which they were
    measured; 0 for others).
    """
    table = pool_table(now.dataset)
    indices = selection.indices.numpy()
    order = pd.array([pd.NA] * len(table), dtype="Int64")
    order[indices] = np.arange(1, len(indices) + 1)
    weight = np.zeros(len(table))
    weight[indices] = selection.weights.numpy()
    table["score"] = _method_score(selection, len(table))
    table["leverage"] = diagnostics.leverage
    table["distance"] = diagnostics.distance
    table["order"] = order
    table["weight"] = weight
    state = pd.array([pd.NA] * len(table), dtype="string")
    for name, places in (("labelled", now.labelled), ("pending", now.pending), ("out", now.out)):
        state[np.array(places, np.int64)] = name
    table["state"] = state
    share = np.zeros(len(table))
    share[whole.indices.numpy()] = whole.weights.numpy()
    table["share"] = share
    return table


def pool_table(dataset: Dataset) -> pd.DataFrame:
    """What the input says of each pool point: position, row, id, target, label."""
    train = dataset.split.train
    targets = train_targets(dataset)
    n = len(train)
    label: object = pd.array([pd.NA] * n, dtype="string")
    known = dataset.pool_labels
    if known is not None and len(set(known)) <= _MAX_KNOWN:  # of a pool that is labelled in part
        label = pd.array(known, dtype="string")
    if targets is not None and dataset.task is Task.CLASSIFICATION:
        label = pd.array(np.asarray(dataset.class_names, dtype=object)[targets.numpy()], dtype="string")
    return pd.DataFrame(
        {
            "position": np.arange(n),
            "row": dataset.rows[train].numpy(),
            "id": pd.array([dataset.ids[i] for i in train.tolist()], dtype="string"),
            "target": np.full(n, np.nan, dtype=np.float32) if targets is None else targets.numpy(),
            "label": label,
        }
    )


def map_table(layout: np.ndarray, coordinates: Tensor) -> pd.DataFrame:
    """Where each pool point lies: position, pca_1, pca_2, and sketch_1 to sketch_8 as far as there are directions.

    Args:
        layout: (N, 2) PCA map.
        coordinates: (N, k) sketched gradients along the directions of their second moment, strongest first.
    """
    leading = coordinates[:, :MAP_DIRECTIONS].float().cpu().numpy()
    return pd.DataFrame(
        {"position": np.arange(len(layout)), "pca_1": layout[:, 0], "pca_2": layout[:, 1]}
        | {f"sketch_{j + 1}": leading[:, j] for j in range(leading.shape[1])}
    )


def trace_table(selection: Selection) -> pd.DataFrame:
    """What the method recorded while it ran, long: name, step, value."""
    parts = [
        pd.DataFrame({"name": name, "step": np.arange(len(series)), "value": _floats(series)})
        for name, series in selection.trace.items()
    ]
    empty = pd.DataFrame({"name": pd.array([], dtype="str"), "step": np.empty(0, np.int64), "value": np.empty(0)})
    return pd.concat(parts, ignore_index=True) if parts else empty


def _floats(series: Tensor) -> np.ndarray:
    return np.asarray(series.double().numpy())


def _method_score(selection: Selection, size: int) -> np.ndarray:
    return np.full(size, np.nan) if selection.scores is None else _floats(selection.scores)
