"""Encoders through the loading code that a person uses: real model files, written here."""

import json
import pickle

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from skmm_core.config import EmbedJob
from skmm_core.encoders import downloads
from skmm_core.encoders.registry import load_encoder
from skmm_core.encoders.untrained import RANDOM_WARNING
from skmm_core.errors import InputError

CPU = torch.device("cpu")
TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "patch_size": 8, "head_width": 16},
    "text_cfg": {"context_length": 8, "vocab_size": 64, "width": 16, "heads": 2, "layers": 1},
}


@pytest.fixture(autouse=True)
def _no_network(monkeypatch, tmp_path):
    monkeypatch.setattr(downloads, "_answers", lambda address: False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


@pytest.fixture(scope="module")
def pictures():
    random = np.random.default_rng(0)
    sizes = [(28, 28), (50, 70), (300, 500), (33, 20), (1, 9)]
    return [Image.fromarray(random.integers(0, 256, (*size, 3), dtype=np.uint8)) for size in sizes]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A folder with a model config, and a model of it that was built without this project."""
    import open_clip

    folder = tmp_path_factory.mktemp("models")
    config = folder / "tiny-test-vit.json"
    config.write_text(json.dumps(TINY), "utf-8")
    open_clip.add_model_config(config)
    model, _, preprocess = open_clip.create_model_and_transforms("tiny-test-vit")
    model.eval()
    torch.save(model.state_dict(), folder / "plain.pt")
    torch.save(
        {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in model.state_dict().items()}}, folder / "run.ckpt"
    )
    save_file(model.state_dict(), folder / "safe.safetensors")
    return folder, model, preprocess


def job(folder, weights, **more):
    return EmbedJob(
        model="tiny-test-vit", pretrained=str(folder / weights), architecture=str(folder / "tiny-test-vit.json"), **more
    )


def encoded(encoder, pictures):
    return encoder(torch.stack([encoder.preprocess(picture) for picture in pictures]))


@pytest.mark.parametrize("weights", ["plain.pt", "run.ckpt", "safe.safetensors"])
def test_open_clip_features_are_those_of_the_model_itself(tiny, pictures, weights):
    folder, model, preprocess = tiny
    encoder = load_encoder(job(folder, weights), CPU)
    with torch.no_grad():
        wanted = torch.cat([model.encode_image(preprocess(picture)[None]) for picture in pictures])
    found = encoded(encoder, pictures)
    assert (encoder.name, encoder.dim, found.dtype) == ("openclip:tiny-test-vit", 16, torch.float32)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-5)
    assert not torch.allclose(found.norm(dim=1), torch.ones(len(found)))
    assert encoder.provenance["pretrained"] == weights
    assert encoder.provenance["warnings"] == []
    assert len(encoder.provenance["weights_sha256"]) == 64


def test_the_key_of_an_encoder_changes_with_its_weights(tiny):
    folder, model, _ = tiny
    first = load_encoder(job(folder, "plain.pt"), CPU)
    changed = {name: value + 0.001 for name, value in model.state_dict().items()}
    torch.save(changed, folder / "other.pt")
    torch.save(model.state_dict(), folder / "copy.pt")
    assert load_encoder(job(folder, "other.pt"), CPU).key != first.key
    assert load_encoder(job(folder, "plain.pt"), CPU).key == first.key


class Evil:
    def __reduce__(self):
        return (print, ("code ran",))


def test_files_that_could_run_code_are_refused(tiny, tmp_path, capsys):
    folder, model, _ = tiny
    torch.save({"state_dict": Evil()}, folder / "evil.pt")
    (folder / "bare.pt").write_bytes(pickle.dumps(Evil()))
    torch.save(model, folder / "whole.pt")
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(folder / "program.pt"))
    for name in ("evil.pt", "bare.pt", "whole.pt", "program.pt"):
        with pytest.raises(InputError, match=f"{name} is refused.*safetensors") as caught:
            load_encoder(job(folder, name), CPU)
        assert "\n" not in str(caught.value)
    assert "code ran" not in capsys.readouterr().out


def test_weights_that_cannot_be_read_or_do_not_fit_are_refused_in_one_line(tiny):
    folder, model, _ = tiny
    (folder / "short.pt").write_bytes((folder / "plain.pt").read_bytes()[:3000])
    (folder / "short.safetensors").write_bytes((folder / "safe.safetensors").read_bytes()[:3000])
    (folder / "junk.pth").write_bytes(b"no weights" * 9)
    torch.save({"a": torch.ones(2)}, folder / "foreign.pt")
    torch.save([1, 2], folder / "list.pt")
    torch.save({**model.state_dict(), "visual.proj": torch.ones(32, 7)}, folder / "misfit.pt")
    (folder / "weights.npz").write_bytes(b"x")
    for name, reason in {
        "short.pt": "truncated or no weight file",
        "short.safetensors": "truncated or no weight file",
        "junk.pth": "is refused: it is no plain state dict",
        "foreign.pt": "does not fit the model",
        "list.pt": "no state dict",
        "misfit.pt": "does not fit the model.*visual.proj",
        "weights.npz": "only files of kind",
        "absent.pt": "neither a file that is there nor a tag",
    }.items():
        with pytest.raises(InputError, match=reason) as caught:
            load_encoder(job(folder, name), CPU)
        assert "\n" not in str(caught.value)


def test_a_tag_without_network_names_the_two_ways_out(capfd):
    for model, tag in (
        ("ViT-B-32", "laion2b_s34b_b79k"),
        ("torchvision:resnet18", "IMAGENET1K_V1"),
        ("timm:vit_tiny_patch16_224", "augreg_in21k_ft_in1k"),
    ):
        with pytest.raises(InputError, match=r"could not be downloaded.*--pretrained FILE.*--model offline"):
            load_encoder(EmbedJob(model=model, pretrained=tag), CPU)
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")


@pytest.mark.parametrize("model", ["ViT-B-32", "resnet18", "timm:resnet18"])
def test_no_weights_are_never_taken_for_granted(model):
    with pytest.raises(InputError, match=r"has no weights: give --pretrained TAG.*--allow-random-weights"):
        load_encoder(EmbedJob(model=model), CPU)


@pytest.mark.parametrize("model", ["tiny-test-vit", "torchvision:shufflenet_v2_x0_5", "timm:convnext_atto"])
def test_random_weights_are_said_and_the_same_each_time(tiny, pictures, model):
    asked = EmbedJob(model=model, allow_random_weights=True)
    state = torch.random.get_rng_state()
    first, again = load_encoder(asked, CPU), load_encoder(asked, CPU)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert RANDOM_WARNING in first.provenance["warnings"]
    assert first.key == again.key
    rows = encoded(first, pictures[:2])
    assert torch.equal(rows, encoded(again, pictures[:2]))
    assert torch.isfinite(rows).all()
    assert not torch.equal(rows[0], rows[1])


@pytest.mark.parametrize("classes", [1000, 7])
def test_torchvision_features_are_the_input_of_the_last_layer(tmp_path, pictures, classes):
    from torchvision import models

    model = models.shufflenet_v2_x0_5(num_classes=classes).eval()
    torch.save(model.state_dict(), tmp_path / "own.pth")
    encoder = load_encoder(EmbedJob(model="shufflenet_v2_x0_5", pretrained=str(tmp_path / "own.pth")), CPU)
    assert encoder.name == "torchvision:shufflenet_v2_x0_5"
    batch = torch.stack([encoder.preprocess(picture) for picture in pictures[:2]])
    seen = []
    model.fc.register_forward_hook(lambda layer, inputs, output: seen.append(inputs[0]))
    with torch.no_grad():
        model(batch)
    torch.testing.assert_close(encoder(batch), seen[0], rtol=0, atol=1e-5)


def test_timm_features_are_the_pooled_ones(tmp_path, pictures):
    import timm

    model = timm.create_model("convnext_atto", num_classes=5).eval()
    save_file(model.state_dict(), tmp_path / "own.safetensors")
    encoder = load_encoder(EmbedJob(model="convnext_atto", pretrained=str(tmp_path / "own.safetensors")), CPU)
    assert encoder.name == "timm:convnext_atto"
    batch = torch.stack([encoder.preprocess(picture) for picture in pictures[:2]])
    with torch.no_grad():
        wanted = model.forward_head(model.forward_features(batch), pre_logits=True)
    torch.testing.assert_close(encoder(batch), wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"model": "ViT-B-33"}, "close names: ViT-B-32"),
        ({"model": "vit-b-32"}, "close names: ViT-B-32"),
        ({"model": "resnet19"}, "close names: .*resnet18"),
        ({"model": "timm:ViT-B-32"}, "not known to timm"),
        ({"model": "ofline"}, "close names: offline"),
        ({"model": "offline", "pretrained": "openai"}, "no weights to choose"),
        ({"model": "ViT-B-32", "pretrained": "opnai"}, "neither a file that is there nor a tag.*openai"),
        ({"model": "timm:resnet18", "architecture": "x.json"}, "--model-config belongs to models of open_clip"),
    ],
)
def test_names_that_are_not_known_get_close_ones(asked, reason):
    with pytest.raises(InputError, match=reason) as caught:
        load_encoder(EmbedJob(**asked), CPU)
    assert "\n" not in str(caught.value)


def test_a_model_config_is_checked_before_it_is_registered(tmp_path):
    for name, text, reason in (
        ("ViT-B-32.json", json.dumps(TINY), "has the name of a model of open_clip"),
        ("broken.json", "{", "not readable JSON"),
        ("deep.json", "[" * 100_000, "not readable JSON"),
        ("empty.json", "{}", "lacks embed_dim"),
        ("config.txt", "{}", "no JSON file"),
        ("wrong.json", json.dumps({**TINY, "vision_cfg": {"nonsense": 1}}), "cannot build wrong here"),
    ):
        (tmp_path / name).write_text(text, "utf-8")
        stem = name.partition(".")[0]
        asked = EmbedJob(model=stem, architecture=str(tmp_path / name), allow_random_weights=True)
        with pytest.raises(InputError, match=reason):
            load_encoder(asked, CPU)
    with pytest.raises(InputError, match="no JSON file"):
        load_encoder(EmbedJob(model="gone", architecture=str(tmp_path / "gone.json")), CPU)


def test_the_offline_map_sees_each_picture_alone(pictures):
    encoder, other = load_encoder(EmbedJob(), CPU), load_encoder(EmbedJob(), CPU)
    together = encoded(encoder, pictures)
    assert together.shape == (len(pictures), encoder.dim)
    assert 500 <= encoder.dim <= 1500
    assert torch.equal(together, encoded(other, pictures))
    for row, picture in zip(together, pictures, strict=True):
        filled = torch.zeros(len(pictures), 3, 32, 32, dtype=torch.uint8)
        filled[0] = encoder.preprocess(picture)
        torch.testing.assert_close(encoder(filled)[0], row, rtol=0, atol=1e-6)
    assert "pretrained encoder does better" in encoder.provenance["warnings"][0]


def test_the_offline_map_tells_colour_direction_and_place():
    encoder = load_encoder(EmbedJob(), CPU)
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::8] = stripes[:, 1::8] = stripes[:, 2::8] = 255
    corner = np.zeros((64, 64, 3), np.uint8)
    corner[:20, :20] = 255
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 200
    arrays = [stripes, stripes.transpose(1, 0, 2), corner, corner[::-1], red, red[..., ::-1], np.zeros_like(red)]
    rows = encoded(encoder, [Image.fromarray(np.ascontiguousarray(array)) for array in arrays])
    apart = torch.cdist(rows, rows) + 1e9 * torch.eye(len(rows))
    assert apart.min() > 0.3, "a picture and its turned, moved or recoloured copy are far apart"
    assert torch.isfinite(rows).all()
