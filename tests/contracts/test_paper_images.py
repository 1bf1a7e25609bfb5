"""The paper's experiments on pictures and on features: small made data through the code that the real data take."""

import json
import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import t
from torch import nn

from skmm_core.cli.program import main
from skmm_core.comparison.score_log import read_scores
from skmm_core.config import DatasetConfig, EmbedJob
from skmm_core.data.load import load_dataset
from skmm_core.encoders.registry import load_encoder
from skmm_core.methods.registry import select
from skmm_core.pool.making import make_pool
from skmm_core.probes.finetuning import finetune

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
    scores = read_scores(tmp_path / "out").query("metric == 'mae'")
    by_seed = scores.pivot_table(index="seed", columns=["method", "budget"], values="value")
    for cell in result["table"]:
        if cell["metric"] == "mae" and cell["row"] != "uniform":  # one method a league: nothing to correct
            mine, theirs = (by_seed[key, cell["budget"]] for key in (cell["row"], "uniform"))
            luck = max(0.0, theirs.var() - mine.var())  # of single random draws, on the one pool of the experiment
            gap = abs((mine - theirs).mean()) / math.sqrt((mine.var() + theirs.var()) / 2 + luck)
            assert cell["p_holm"] == pytest.approx(max(2 * t.sf(gap, 1), 2 / 2**2))
    assert result["features"]["model"] == "openclip:tiny-paper-vit"
    assert "--images" in result["command"]
    assert (tmp_path / "out" / "report.html").read_text("utf-8").count("<table>") >= 3


def standardise(rows):
    """The mean and spread of some rows, as a module that nothing trains."""
    made = nn.BatchNorm1d(rows.shape[1], eps=0, affine=False)
    made.running_mean, made.running_var = rows.mean(dim=0), rows.var(dim=0, correction=0)
    return made.eval()


def plainly_finetuned(parts, seed, *, network=None):
    """Scores of a head of zeros, on features or on top of a whole network whose last block is trained too."""
    (rows, classes), test = parts["train"], parts["test"]
    with torch.no_grad():
        features = rows if network is None else network(rows)
    model = nn.Sequential(network or nn.Identity(), standardise(features), nn.Linear(features.shape[1], 3))
    nn.init.zeros_(model[2].weight)
    nn.init.zeros_(model[2].bias)
    layers = ["2"] if network is None else ["0.transformer.resblocks.1", "2"]
    return finetune(model, layers, (rows, classes), test, seed=seed, device="cpu").metrics


def test_cars_are_finetuned_as_by_a_plain_call_on_the_same_selection(tmp_path, encoder, capsys):
    random = np.random.default_rng(1)
    for name, colour in {"coupe": (103, 99, 99), "sedan": (99, 103, 99), "van": (99, 99, 103)}.items():
        for number in range(14):
            picture(tmp_path / "cars" / ("train" if number < 9 else "test") / name / f"{number}.png", colour, random)
    words = [
        "stanford-cars", "--images", tmp_path / "cars", *encoder, "--finetune", "1,2",
        "--methods", "uniform", "--budgets", "9", "--seeds", "2", "--out", tmp_path / "out",
    ]  # fmt: skip
    result = run(capsys, *words)
    assert (result["N"], result["test_rows"]) == (27, 15)
    scores = read_scores(tmp_path / "out")

    _, model, _, weights, _, config = encoder
    made = load_encoder(EmbedJob(model=model, pretrained=weights, architecture=config), torch.device("cpu"))
    dataset = load_dataset(DatasetConfig(source=str(tmp_path / "out" / "features.npz")))
    files = [tmp_path / "cars" / id_.removeprefix("test:") for id_ in dataset.ids]
    pixels = torch.stack([made.preprocess(Image.open(file).convert("RGB")) for file in files])
    for seed in range(2):
        chosen = dataset.split.train[select(make_pool(dataset, seed=seed), "uniform", 9, seed=seed).indices]
        rows = {"train": chosen, "test": dataset.split.test}
        for ending, inputs, network in (("_ft1", dataset.features, None), ("_ft2", pixels, made.network)):
            parts = {part: (inputs[some], dataset.targets[some]) for part, some in rows.items()}
            for metric, value in plainly_finetuned(parts, seed, network=network).items():
                mine = scores[(scores["seed"] == seed) & (scores["metric"] == metric + ending)]
                assert mine["value"].tolist() == [pytest.approx(value)], (metric, ending, seed)
    assert scores.pivot(index="seed", columns="metric", values="value").nunique().max() > 1, "seeds differ"

    half = scores[scores["seed"] == 0]
    half.to_csv(tmp_path / "out" / "scores.csv", index=False)
    again = run(capsys, *words)
    assert again["table"] == result["table"]
    same = [name for name in scores if name != "seconds"]
    assert read_scores(tmp_path / "out")[same].equals(scores[same])
    assert not list((tmp_path / "out").glob("finetuning*"))


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
