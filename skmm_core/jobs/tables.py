"""The tables of a selection run, as pages and notebooks read them."""

import numpy as np
import pandas as pd
from torch import Tensor

from skmm_core.data import Dataset, Task, train_targets
from skmm_core.diagnostics import Diagnostics
from skmm_core.methods import Selection

MAP_DIRECTIONS = 8
_MAX_KNOWN = 200  # different labels that still are classes to look at


def selection_table(dataset: Dataset, selection: Selection) -> pd.DataFrame:
    """One row a chosen point, in the order picked.

    Columns: order (0 = picked first), id, row (0-based, in the input file), position (0-based, in the pool), weight
    (sum 1), score (the method's own; empty where it has none), target, label (the target in words, for classes), and
    text where the dataset has texts.
    """
    chosen = pool_table(dataset).iloc[selection.indices.numpy()].reset_index(drop=True)
    table = pd.DataFrame(
        {
            "order": np.arange(len(chosen)),
            "id": chosen["id"],
            "row": chosen["row"],
            "position": chosen["position"],
            "weight": selection.weights.numpy(),
            "score": _method_score(selection, len(dataset.split.train))[selection.indices.numpy()],
            "target": chosen["target"],
            "label": chosen["label"],
        }
    )
    if dataset.texts is not None:
        texts = dataset.texts.take(dataset.split.train[selection.indices].numpy())
        table["text"] = pd.array(texts.values.to_pylist(), dtype="string")
    return table


def scores_table(dataset: Dataset, selection: Selection, diagnostics: Diagnostics) -> pd.DataFrame:
    """One row a pool point.

    Columns: position, row, id, target, label, score (the method's own), leverage, distance (to the nearest chosen),
    order (0 = picked first; null when not chosen), weight (0 when not chosen).
    """
    table = pool_table(dataset)
    indices = selection.indices.numpy()
    order = pd.array([pd.NA] * len(table), dtype="Int64")
    order[indices] = np.arange(len(indices))
    weight = np.zeros(len(table))
    weight[indices] = selection.weights.numpy()
    table["score"] = _method_score(selection, len(table))
    table["leverage"] = diagnostics.leverage
    table["distance"] = diagnostics.distance
    table["order"] = order
    table["weight"] = weight
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
