"""Finetuning of the last block: the cut network is the whole one, and scores are those of a plain training loop."""

import copy
import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from skmm_core.comparison.cells import compare
from skmm_core.config import CompareJob, DatasetConfig, EmbedJob, FinetuneParams, SketchParams
from skmm_core.data.load import load_dataset
from skmm_core.encoders import downloads
from skmm_core.encoders.embedding import embed
from skmm_core.encoders.registry import load_encoder
from skmm_core.errors import Cancelled, InputError
from skmm_core.probes.finetuning_probe import finetune_probe
from skmm_core.probes.network_tail import cut_before, last_block

CPU = torch.device("cpu")
TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 3, "width": 32, "patch_size": 8, "head_width": 16},
    "text_cfg": {"context_length": 8, "vocab_size": 64, "width": 16, "heads": 2, "layers": 1},
}


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "tiny-finetune-vit.json"
    path.write_text(json.dumps(TINY), "utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("model", "block"),
    [
        ("tiny-finetune-vit", "transformer.resblocks.2"),
        ("torchvision:resnet18", "layer4.1"),
        ("timm:vit_tiny_patch16_224", "blocks.11"),
        ("timm:convnext_atto", "stages.3.blocks.1"),
    ],
)
def test_the_cut_network_is_the_whole_one(model, block, config):
    asked = EmbedJob(model=model, allow_random_weights=True, architecture=config if "tiny-f" in model else None)
    network = load_encoder(asked, CPU).network
    side = 32 if "tiny-f" in model else 224
    assert last_block(network) == block
    draw = torch.Generator().manual_seed(3)
    first, other = torch.randn(2, 2, 3, side, side, generator=draw)
    trunk, tail = cut_before(network, block, first)
    with torch.no_grad():
        torch.testing.assert_close(tail(trunk(other)), network(other), rtol=1e-4, atol=1e-5)


class Odd(nn.Module):
    """Blocks in a row, and an end that no neighbours tell of."""

    def __init__(self):
        super().__init__()
        self.rows = nn.ModuleList([nn.Sequential(nn.Linear(6, 6), nn.ReLU()) for _ in range(2)])

    def forward(self, inputs):
        for block in self.rows:
            inputs = block(inputs)
        return inputs.cos()


def test_what_cannot_be_cut_is_refused_in_one_line():
    with pytest.raises(InputError, match="what comes after the last block of this network is not known"):
        cut_before(Odd(), "rows.1", torch.randn(2, 6))
    with pytest.raises(InputError, match="no row of like blocks"):
        last_block(nn.Sequential(nn.Linear(3, 2)))


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    """Stripes of two directions, in train, validation and test folders."""
    root, draw = tmp_path_factory.mktemp("stripes") / "pictures", np.random.default_rng(0)
    for part, count in (("train", 24), ("val", 8), ("test", 12)):
        for number in range(count):
            wave = 127 + 100 * np.sin(np.arange(32) * draw.uniform(0.8, 1.2) + draw.uniform(0, 6))
            pixels = np.tile(wave, (32, 1)) if number % 2 else np.tile(wave, (32, 1)).T
            pixels = np.clip(pixels + draw.normal(0, 30, (32, 32)), 0, 255).astype(np.uint8)
            path = root / part / ("down", "across")[number % 2] / f"{number:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return root


@pytest.fixture(scope="module")
def encoder(config):
    return EmbedJob(model="tiny-finetune-vit", architecture=config, allow_random_weights=True)


@pytest.fixture(scope="module")
def dataset(album, encoder, tmp_path_factory):
    out = tmp_path_factory.mktemp("made") / "stripes.npz"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKMM_HOME", str(out.parent / "home"))
        patch.setattr(downloads, "_answers", lambda address: False)
        embed(DatasetConfig(source=str(album)), encoder, out, device="cpu")
    return load_dataset(str(out))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "_answers", lambda address: False)
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "home"))


def params(album, encoder, **more):
    return FinetuneParams(layers=2, images=str(album), encoder=encoder, epochs=3, batch=1000, rate=0.05, **more)


def test_two_layers_equal_a_plain_loop_over_the_whole_network(album, dataset, encoder):
    probe = finetune_probe(dataset, params(album, encoder, optimiser="sgd"), device="cpu")
    chosen = torch.arange(0, 24, 2) + torch.arange(12) % 2
    found = probe.score(chosen, seed=1)

    made = load_encoder(encoder, CPU)
    network = copy.deepcopy(made.network).requires_grad_(False)
    rows = {part: getattr(dataset.split, part) for part in ("train", "validation", "test")}
    rows["train"] = rows["train"][chosen]

    def pictures(part):
        names = [dataset.ids[row].removeprefix("test:").removeprefix("validation:") for row in rows[part]]
        return torch.stack([made.preprocess(Image.open(album / name).convert("RGB")) for name in names])

    inputs = {part: pictures(part) for part in rows}
    truths = {part: dataset.targets[rows[part]] for part in rows}
    block, head = network.transformer.resblocks[2].requires_grad_(True), nn.Linear(16, 2)
    with torch.no_grad():
        start = network(inputs["train"])
        mean, spread = start.mean(0), start.std(0, correction=0)
        for parameter in head.parameters():
            parameter.zero_()

    def logits(part):
        return head((network(inputs[part]) - mean) / spread)

    trained = [*block.parameters(), *head.parameters()]
    optimiser, losses, accuracies = torch.optim.SGD(trained, lr=0.05, momentum=0.9), [], []
    for _ in range(3):
        optimiser.zero_grad()
        nn.functional.cross_entropy(logits("train"), truths["train"]).backward()
        optimiser.step()
        with torch.no_grad():
            losses.append(float(nn.functional.cross_entropy(logits("validation"), truths["validation"])))
            accuracies.append(float((logits("test").argmax(1) == truths["test"]).double().mean()))
    assert found.validation == pytest.approx(losses, rel=1e-4)
    assert found.metrics["accuracy"] == pytest.approx(accuracies[int(np.argmin(losses))])


def test_one_layer_of_a_regression_comes_near_the_least_squares_fit_in_its_own_unit():
    dataset = load_dataset("diabetes")
    probe = finetune_probe(dataset, FinetuneParams(rate=0.01, epochs=200, patience=20), device="cpu")
    found = probe.score(torch.arange(dataset.pool_size))
    train, test = dataset.split.train, dataset.split.test
    rows = torch.cat([dataset.features, torch.ones(len(dataset.features), 1)], dim=1).double()
    fit = torch.linalg.lstsq(rows[train], dataset.targets[train].double()[:, None]).solution
    wanted = float((rows[test] @ fit - dataset.targets[test][:, None]).abs().mean())
    assert found.metrics["mae"] == pytest.approx(wanted, rel=0.05)


def test_a_comparison_is_scored_by_finetuning_and_goes_on_after_a_stop(album, dataset, encoder, tmp_path):
    job = CompareJob(methods=("uniform", "herding"), budgets=(6,), seeds=2, finetune=params(album, encoder))
    asked = {"sketch": SketchParams(), "device": "cpu"}
    whole = compare(dataset, job, folder=tmp_path / "whole", **asked)
    assert set(whole.scores["metric"]) == {"accuracy", "macro_f1"}
    (tmp_path / "cut").mkdir()

    def stop(progress):
        if progress.phase.startswith("Scoring herding at 6, seed 1"):
            raise Cancelled

    with pytest.raises(Cancelled):
        compare(dataset, job, folder=tmp_path / "cut", report=stop, **asked)
    resumed = compare(dataset, job, folder=tmp_path / "cut", **asked)
    same = ["method", "budget", "seed", "metric", "value"]
    assert resumed.scores[same].equals(whole.scores[same])
    assert not (tmp_path / "cut" / "finetuning").exists()
    linear = job.model_copy(update={"finetune": None})
    with pytest.raises(InputError, match="another comparison"):
        compare(dataset, linear, folder=tmp_path / "cut", **asked)


def test_what_is_missing_is_one_line(dataset, album, encoder):
    for given, word in (
        (FinetuneParams(layers=2), "needs the pictures"),
        (FinetuneParams(layers=2, images=str(album / "train"), encoder=encoder), "is no path of a picture there"),
        (FinetuneParams(layers=2, images=str(album), encoder=EmbedJob()), "is no network with layers"),
    ):
        with pytest.raises(InputError, match=word) as caught:
            finetune_probe(dataset, given, device="cpu")
        assert "\n" not in str(caught.value)
