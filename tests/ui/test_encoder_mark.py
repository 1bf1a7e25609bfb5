"""Features without training behind them are marked in files and their names."""

import io
import json
import zipfile
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from dashboard.components.shared import exports
from skmm_core.encoders.untrained import OFFLINE_WARNING, RANDOM_WARNING, file_marks, marks


def features(path, **arrays):
    np.savez(path, X=np.eye(3, dtype=np.float32), **arrays)
    return path


@pytest.mark.parametrize("said", [RANDOM_WARNING, OFFLINE_WARNING])
def test_a_file_of_features_says_so_itself(tmp_path, said):
    provenance = np.array(json.dumps({"model": "x", "warnings": [said, "GELU", said]}))
    assert file_marks(features(tmp_path / "a.npz", provenance=provenance)) == (said,)
    assert marks(["3 rows dropped", said]) == (said,)


def test_damage_and_foreign_files_say_nothing(tmp_path):
    whole = features(tmp_path / "a.npz", provenance=np.array(json.dumps({"warnings": [RANDOM_WARNING]})))
    for name, provenance in (
        ("json", np.array("{")), ("list", np.array("[]")), ("object", np.array([{}], dtype=object)),
        ("number", np.arange(3)), ("large", np.zeros(1 << 21, np.uint8)), ("null", np.array('{"warnings": null}')),
    ):  # fmt: skip
        assert file_marks(features(tmp_path / f"{name}.npz", provenance=provenance)) == ()
    assert file_marks(features(tmp_path / "plain.npz")) == ()
    assert file_marks(tmp_path / "absent.npz") == ()
    content = whole.read_bytes()
    for cut in range(0, len(content), 97):
        (tmp_path / "cut.npz").write_bytes(content[:cut])
        assert file_marks(tmp_path / "cut.npz") in ((), (RANDOM_WARNING,))
    with zipfile.ZipFile(tmp_path / "text.npz", "w") as archive:
        archive.writestr("provenance.npy", "no array")
    assert file_marks(tmp_path / "text.npz") == ()


def test_exports_carry_the_mark_in_name_and_content(monkeypatch):
    record = SimpleNamespace(id="0" * 12, dataset="photos", method="skmm")
    cases = (
        ({"notes": [RANDOM_WARNING]}, "photos-skmm-5-untrained-features"),
        ({"notes": ["a note"], "label_aware": False}, "photos-skmm-5"),
        ({"notes": ["a note"], "label_aware": True}, "photos-skmm-5-saw-labels"),
    )
    for result, stem in cases:
        monkeypatch.setattr(exports, "run_result", lambda id_, result=result: result)
        assert exports.file_stem(record, 5) == stem
    assert any("labels of the pool were read" in note for note in exports.run_notes(cases[-1][0]))
    points = pd.DataFrame({"order": [0], "id": ["a"], "row": [3], "weight": [1.0], "score": [0.5]})
    table = pq.read_table(io.BytesIO(exports.to_parquet(points, [RANDOM_WARNING])))
    assert table.schema.metadata[b"notes"].decode() == RANDOM_WARNING
    assert table.to_pandas().equals(points)
