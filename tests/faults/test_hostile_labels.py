"""Files of labels from strangers: each is refused in one plain line, or read as far as it says something."""

import json
import zipfile
from pathlib import Path

import pytest

from skmm_core.errors import InputError
from skmm_core.labels import read_labels

BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><annotations><image name="&b;"/></annotations>'
OUTSIDE = '<!DOCTYPE x SYSTEM "file:///etc/passwd"><annotations/>'


def pack(path: Path, **files: bytes | str) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_DOT_", "."), content)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xml", BOMB, "document type or an entity"),
        ("a.xml", OUTSIDE, "document type or an entity"),
        ("a.xml", "<annotations><image", "no valid XML"),
        ("a.xml", "<a>" * 200, "nested too deep"),
        ("a.xml", "<other></other>", "no export of pictures"),
        ("a.json", "[" * 100_000, "nested too deep|no valid JSON"),
        ("a.json", "{", "no valid JSON"),
        ("a.json", "[1, 2]", "no export that is known"),
        ("a.json", '{"a": 1}', "no export that is known"),
        ("a.json", "\ud800".encode("utf-8", "surrogatepass"), "not UTF-8"),
        ("a.json", f"[{'9' * 10_000}]", "no valid JSON|no export"),
        ("a.json", '[{"data": {}, "annotations": []}]', "without skmm_id"),
        ("a.json", '[{"data": null, "annotations": [null, 3, {"result": [null]}]}]', "without skmm_id"),
        ("a.json", '{"samples": [null, {"x": 1}]}', "no sample with skmm_id"),
        ("a.json", '{"images": 1, "annotations": 2, "categories": 3}', "no complete COCO"),
        ("a.csv", "name,class\n1,2\n", "column id"),
        ("a.zip", b"PK\x05\x06" + b"\0" * 18, "holds no labels"),
        ("a.zip", b"not a zip", "not a zip file"),
        ("a.pkl", b"\x80\x04.", "not read"),
    ],
)
def test_is_refused_in_one_line(name: str, content: str | bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=message) as caught:
        read_labels(path)
    assert "\n" not in str(caught.value)


def test_archives_are_read_within_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import skmm_core.labels.archives as archives

    path = tmp_path / "a.zip"
    pack(path, annotations_DOT_xml=BOMB)
    with pytest.raises(InputError, match="entity"):
        read_labels(path)
    monkeypatch.setattr(archives, "MOST_BYTES", 1000)
    pack(path, annotations_DOT_xml="<annotations>" + " " * 5000 + "</annotations>")
    with pytest.raises(InputError, match="larger than"):
        read_labels(path)
    pack(path, skmm_manifest_DOT_json='{"pictures": {"x.png": 3}, "classes": {}}')
    with pytest.raises(InputError, match="is damaged"):
        read_labels(path)


def test_odd_values_say_nothing(tmp_path: Path) -> None:
    results = [
        {"from_name": "label", "value": {"choices": [[["cat", "dog"]]]}},
        {"from_name": "label", "value": {"choices": [{}]}},
        {"from_name": "label", "value": None},
        {"from_name": "label"},
        {"from_name": "label", "value": {"choices": ["c" * 10_000]}},
        {"from_name": "label", "value": {"choices": ["\ud800 cat"]}},
    ]
    tasks = [{"data": {"skmm_id": f"\ud800{n}"}, "annotations": [{"result": [each]}]} for n, each in enumerate(results)]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(tasks))
    read = read_labels(path)
    assert read.labels == {"?5": "? cat"}
    assert len(read.pending) == 5
