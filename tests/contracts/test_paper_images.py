"""The paper's experiments on pictures and on features: small made data through the code that the real data take."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from skmm_core.cli import main
from skmm_core.finetune import FinetuneOptions
from skmm_core.paper import finetuned
from skmm_core.score_log import read_scores

TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "patch_size": 8, "head_width": 16},
    "text_cfg": {"context_length": 8, "vocab_size": 64, "width": 16, "heads": 2, "layers": 1},
}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """Flags that name a CLIP model of a few thousand weights."""
    import open_clip

    folder = tmp_path_factory.mktemp("models")
    config, weights = folder / "tiny-paper-vit.json", folder / "tiny.pt"
    config.write_text(json.dumps(TINY), "utf-8")
    open_clip.add_model_config(config)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.save(open_clip.create_model("tiny-paper-vit").state_dict(), weights)
    return ["--model", "tiny-paper-vit", "--pretrained", str(weights), "--model-config", str(config)]


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "home"))


def picture(path, colour, random):
    noise = random.integers(0, 60, (32, 32, 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)).save(path)


def table(result, metric):
    return {(cell["row"], cell["budget"]): cell["mean"] for cell in result["table"] if cell["metric"] == metric}


def run(capsys, *words):
    assert main(["paper", *map(str, words), "--json", "--quiet", "--device", "cpu"]) == 0
    return json.loads(capsys.readouterr().out)


def test_utkface_reads_ages_from_file_names_and_scores_them_in_years(tmp_path, encoder, capsys):
    random = np.random.default_rng(0)
    for number in range(40):
        age = 1 + 2 * number
        picture(tmp_path / "faces" / f"{age}_0_1_2017{number:04d}.jpg", (2 * age, 90, 200 - 2 * age), random)
    result = run(
        capsys, "utkface", "--images", tmp_path / "faces", *encoder,
        "--methods", "skmm,skmm_joint", "--budgets", "8,20", "--seeds", "2", "--out", tmp_path / "out",
    )  # fmt: skip
    assert (result["task"], result["N"], result["test_rows"]) == ("regression", 32, 8)
    assert [row["key"] for row in result["rows"]] == ["uniform", "skmm", "skmm_joint"]
    assert result["full"]["mae"] < 10, "brightness tells the age, so a regression on all finds it"
    assert 0 < table(result, "mae")["uniform", 20] < 40
    assert result["features"]["model"] == "openclip:tiny-paper-vit"
    assert "--images" in result["command"]
    assert (tmp_path / "out" / "report.html").read_text("utf-8").count("<table>") >= 3


def test_cars_are_probed_and_finetuned_and_go_on_where_they_stopped(tmp_path, encoder, capsys, monkeypatch):
    monkeypatch.setattr(finetuned, "_OPTIONS", FinetuneOptions(epochs=12, rate=0.01))
    random = np.random.default_rng(1)
    colours = {"coupe": (180, 20, 20), "sedan": (20, 180, 20), "van": (20, 20, 180)}
    for name, colour in colours.items():
        for number in range(14):
            picture(tmp_path / "cars" / ("train" if number < 9 else "test") / name / f"{number}.png", colour, random)
    words = [
        "stanford-cars", "--images", tmp_path / "cars", *encoder, "--finetune", "1,2",
        "--methods", "uniform", "--budgets", "9", "--seeds", "2", "--out", tmp_path / "out",
    ]  # fmt: skip
    result = run(capsys, *words)
    assert (result["N"], result["test_rows"]) == (27, 15)
    for metric in ("accuracy", "macro_f1", "accuracy_ft1", "macro_f1_ft1", "accuracy_ft2", "macro_f1_ft2"):
        assert table(result, metric)["uniform", 9] > 0.3, f"better than one guess for all: {metric}"
    scores = read_scores(tmp_path / "out")
    half = scores[scores["seed"] == 0]
    half.to_csv(tmp_path / "out" / "scores.csv", index=False)
    again = run(capsys, *words)
    assert again["table"] == result["table"]
    assert read_scores(tmp_path / "out").head(len(half)).equals(half.reset_index(drop=True))


def test_features_given_instead_of_images_run_the_same_experiment(tmp_path, capsys):
    random = np.random.default_rng(2)
    for name, count in (("train", 60), ("test", 40)):
        y = np.arange(count) % 4
        np.savez(tmp_path / f"{name}.npz", X=random.normal(size=(count, 6)) + 3 * np.eye(4, 6)[y], y=y)
    files = ["--features", tmp_path / "train.npz", "--test", tmp_path / "test.npz"]
    asked = [*files, "--methods", "skmm_published,uniform_stratified", "--seeds", "2", "--out", tmp_path / "out"]
    result = run(capsys, "stanford-cars", *asked, "--budgets", "12,30")
    assert result["features"] == {"model": "features given", "file": "train.npz", "d": 6}
    assert [row["label_aware"] for row in result["rows"]] == [False, False, True]
    assert table(result, "accuracy")["uniform", 30] > 0.5
    assert {saving["method"] for saving in result["savings"]} == {"skmm_published", "uniform_stratified"}
    assert main(["paper", "stanford-cars", *map(str, asked), "--quiet"]) == 2
    assert "holds another experiment; choose another folder" in capsys.readouterr().err
    assert main(["paper", "utkface", *map(str, files), "--quiet", "--out", str(tmp_path / "other")]) == 2
    assert "needs a regression" in capsys.readouterr().err
    asked = ["--finetune", "1", "--budgets", "9", "--out", str(tmp_path / "third")]
    assert main(["paper", "cifar10", *map(str, files), *asked]) == 2
    assert "--finetune trains the image encoder" in capsys.readouterr().err
