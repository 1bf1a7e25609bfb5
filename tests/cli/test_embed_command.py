"""`embed`: from pictures to a file that `select` takes."""

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skmm_core.data.load import load_dataset
from skmm_core.encoders.features import read_provenance

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"
FLOWERS = Path(os.environ.get("SKMM_REAL_DATA", _BESIDE)) / "flower_photos_100.zip"


@pytest.fixture
def album(tmp_path):
    """Three classes of four pictures, a validation and a test part, one broken file and one text."""
    random = np.random.default_rng(1)
    folder = tmp_path / "album"
    for part, count in (("train", 4), ("val", 1), ("test", 2)):
        for kind, colour in (("red", 0), ("green", 1), ("blue", 2)):
            home = folder / part / kind
            home.mkdir(parents=True)
            for number in range(count):
                pixels = random.integers(0, 90, (20, 30, 3), dtype=np.uint8)
                pixels[..., colour] += 150
                Image.fromarray(pixels).save(home / f"{number}.png")
    (folder / "train" / "red" / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    (folder / "notes.txt").write_text("not a picture", "utf-8")
    return folder


def test_a_folder_becomes_features_that_select_takes(here, album, tmp_path):
    out = tmp_path / "features.npz"
    done = here("embed", "--images", album, "--out", out, "--device", "cpu")
    assert done.code == 0, done.err
    assert "2 files left out" in done.out
    assert "broken.jpg" in done.out
    assert "notes.txt" in done.out
    assert "21 images (3 classes)" in done.out
    dataset = load_dataset(str(out))
    assert dataset.class_names == ("blue", "green", "red")
    assert (dataset.pool_size, len(dataset.split.validation), len(dataset.split.test)) == (12, 3, 6)
    assert any(name.endswith("blue/0.png") for name in dataset.ids)
    assert any("pretrained encoder does better" in note for note in dataset.notes)
    assert dataset.images is not None
    picked = here("select", "--dataset", out, "--method", "k_center", "--budget", 3, "--out", tmp_path / "s", "--json")
    assert picked.code == 0, picked.err
    assert picked.json["N"] == 12
    assert (tmp_path / "s" / "selection.csv").read_text("utf-8").count(".png") == 3


def test_json_says_what_was_done_and_a_second_call_takes_the_cache(here, album, tmp_path):
    words = ("embed", "--images", album, "--device", "cpu", "--json", "--quiet")
    first = here(*words, "--out", tmp_path / "a.npz")
    again = here(*words, "--out", tmp_path / "b.npz")
    assert first.json["N"] == again.json["N"] == 21
    assert (first.json["encoded"], again.json["encoded"]) == (21, 0)
    assert first.json["parts"] == {"train": 12, "validation": 3, "test": 6}
    assert first.json["skipped_count"] == len(first.json["skipped"]) == 2
    assert first.json["provenance"] == read_provenance(tmp_path / "a.npz")
    assert first.err == ""
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_random_weights_are_marked_in_the_dataset(here, album, tmp_path):
    out = tmp_path / "random.npz"
    words = ("embed", "--images", album, "--out", out, "--model", "torchvision:shufflenet_v2_x0_5", "--device", "cpu")
    assert here(*words).code == 2
    assert not out.exists()
    done = here(*words, "--allow-random-weights", "--json")
    assert done.code == 0, done.err
    assert done.json["d"] == 1024
    assert any("random weights" in note for note in load_dataset(str(out)).notes)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--model", "ViT-B-99"), "close names"),
        (("--pattern", "dates"), "--pattern"),
        (("--device", "abacus"), "device 'abacus' is unknown"),
        (("--images", "/no/such/folder"), "/no/such/folder"),
        (("--out", "features.csv"), "does not end in .npz"),
        (("--out", "/no/such/folder/a.npz"), "cannot be written"),
    ],
)
def test_bad_input_is_one_line(here, album, tmp_path, words, reason):
    given = {"--images": str(album), "--out": str(tmp_path / "a.npz"), "--device": "cpu"} | dict([words])
    done = here("embed", *[word for pair in given.items() for word in pair], "--quiet")
    assert done.code == 2
    assert reason in done.err
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1
    assert not list(tmp_path.glob("*.npz"))


@pytest.mark.skipif(not FLOWERS.is_file(), reason="the flower photographs are not here; set SKMM_REAL_DATA")
def test_the_zip_of_flowers_from_end_to_end(here, tmp_path):
    out = tmp_path / "flowers.npz"
    done = here("embed", "--images", FLOWERS, "--out", out, "--device", "cpu", "--json")
    assert done.code == 0, done.err
    found = done.json
    assert (found["N"], found["skipped_count"]) == (100, 1)
    assert found["class_names"] == ["daisy", "dandelion", "roses", "sunflowers", "tulips"]
    with zipfile.ZipFile(FLOWERS) as archive:
        (text,) = [name for name in archive.namelist() if name.endswith(".txt")]
    assert text.endswith(found["skipped"][0]["path"].rsplit("/", 1)[-1])
    picked = here("select", "--dataset", out, "--method", "skmm", "--budget", 10, "--out", tmp_path / "s", "--json")
    assert picked.code == 0, picked.err
    assert picked.json["N"] == 100
    config = json.loads((tmp_path / "s" / "config.json").read_text("utf-8"))
    assert config["dataset"]["source"] == str(out)
