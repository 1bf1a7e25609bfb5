"""Damaged files never show as anything but one clear line."""

import gzip
import io
import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from skmm_core.config import DatasetConfig
from skmm_core.data.dataset import Dataset
from skmm_core.data.load import load_dataset
from skmm_core.errors import InputError


def whole(kind):
    X, buffer = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32), io.BytesIO()
    y = np.array(["ant", "bee", "cat"] * 10)
    frame = pd.DataFrame(X, columns=list("abcd")).assign(y=y)
    if kind == "npz":
        np.savez_compressed(buffer, X=X, y=y)
    elif kind == "npy":
        np.save(buffer, X)
    elif kind == "csv":
        frame.to_csv(buffer, index=False)
    elif kind == "csv.gz":
        return gzip.compress(frame.to_csv(index=False).encode())
    elif kind == "jsonl":
        frame.assign(v=X.tolist()).to_json(buffer, orient="records", lines=True)
    elif kind == "feather":
        pd.DataFrame({"v": list(X), "y": y}).to_feather(buffer)
    elif kind == "safetensors":
        head = json.dumps({"v": {"dtype": "F32", "shape": X.shape, "data_offsets": [0, X.nbytes]}}).encode()
        return len(head).to_bytes(8, "little") + head + X.tobytes()
    elif kind == "h5ad":
        h5ad(buffer, X, y)
    elif kind == "vectors.parquet":
        pd.DataFrame({"v": list(X), "text": [str(list(row)) for row in X.tolist()], "y": y}).to_parquet(buffer)
    else:
        frame.to_parquet(buffer)
    return buffer.getvalue()


def h5ad(buffer, X, y):
    h5py = pytest.importorskip("h5py")
    with h5py.File(buffer, "w") as file:
        file["obsm/X_pca"] = X
        file["obs/label"] = y.tolist()
        file["obs"].attrs["column-order"] = ["label"]


def load(path):
    """The dataset, or the message that refuses it; any other error is a defect."""
    try:
        features = "v" if path.name == "a.vectors.parquet" else None
        return load_dataset(DatasetConfig(source=str(path), drop_bad_rows=True, features=features))
    except InputError as error:
        return str(error)


@pytest.mark.parametrize(
    "kind",
    ["npz", "npy", "csv", "csv.gz", "jsonl", "parquet", "vectors.parquet", "feather", "safetensors", "h5ad"],
)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_damage_is_answered(kind, data):
    content = bytearray(whole(kind))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / f"a.{kind}"
        path.write_bytes(content)
        found = load(path)
    if isinstance(found, Dataset):
        assert bool(np.isfinite(found.features.numpy()).all())
    else:
        assert found.startswith("a.")
        assert "\n" not in found
