"""Folders of text models that are broken, too much, or made to run something: one line, and nothing is run."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from skmm_core.config import EmbedJob
from skmm_core.encoders.text_models import load_text_encoder
from skmm_core.errors import InputError
from tests.contracts.text_folders import sentence_folder, static_folder

MARK = "ran"


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("models")
    sentence_folder(path / "whole")
    sentence_folder(path / "pickled", safe=False)
    static_folder(path / "static")
    return path


@pytest.fixture
def folder(whole, tmp_path):
    return Path(shutil.copytree(whole / "whole", tmp_path / "m"))


def load(path):
    return load_text_encoder(EmbedJob(reads="texts", model=str(path)), torch.device("cpu"))


def change(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def modules(folder, place, **values):
    listed = json.loads((folder / "modules.json").read_text())
    listed[place] |= values
    (folder / "modules.json").write_text(json.dumps(listed))


@pytest.mark.parametrize(
    "kind",
    [
        "own.Module",
        "os.system",
        "sentence_transformers_own.models.Pooling",
        "sentence_transformers.util.import_from_string",
        "sentence_transformers.base.modules.router.Router",
        "sentence_transformers.sentence_transformer.modules.word_embeddings.WordEmbeddings",
        "",
        None,
        7,
    ],
)
def test_modules_of_other_classes_are_refused(folder, kind):
    (folder / "own.py").write_text(f"open({str(folder / MARK)!r}, 'w')\nclass Module: pass")
    modules(folder, 1, type=kind)
    with pytest.raises(InputError, match="is none of those that are read"):
        load(folder)
    assert not (folder / MARK).exists()


@pytest.mark.parametrize("place", ["../whole", "/etc", "..", "a/../../b", "..\\b", None, ["x"]])
def test_modules_outside_of_the_folder_are_refused(folder, place):
    modules(folder, 2, path=place)
    with pytest.raises(InputError, match="outside of it"):
        load(folder)


def test_code_in_the_folder_is_refused_and_not_run(folder):
    (folder / "modeling_own.py").write_text(f"open({str(folder / MARK)!r}, 'w')\nclass Own: pass")
    change(folder / "config.json", auto_map={"AutoModel": "modeling_own.Own"})
    with pytest.raises(InputError, match=r"brings code of its own \(modeling_own.py\)"):
        load(folder)
    assert not (folder / MARK).exists()


def test_a_class_that_only_code_elsewhere_could_give_is_one_line(folder):
    change(folder / "config.json", model_type="own", auto_map={"AutoModel": "somewhere/else--modeling_own.Own"})
    change(folder / "sentence_bert_config.json", model_args={"trust_remote_code": True})
    with pytest.raises(InputError, match="cannot be loaded as a text model"):
        load(folder)


def test_pickled_weights_are_refused_with_the_way_out(whole, folder):
    with pytest.raises(InputError, match=r"pytorch_model\.bin holds pickled weights.*safe_serialization=True"):
        load(whole / "pickled")
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    load(folder)  # beside safetensors they are not read
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match="pickled weights"):
        load(folder)
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(InputError, match="lacks the weights of its Transformer"):
        load(folder)


@pytest.mark.parametrize("name", ["encoder.layer.0.output.dense.weight", "embeddings.word_embeddings.weight"])
def test_weights_under_other_names_are_never_filled_in_at_random(folder, name):
    weights = load_file(folder / "model.safetensors")
    weights[f"renamed.{name}.x"] = weights.pop(name)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=f"lacks the weights {name} of its network, which would be random"):
        load(folder)


def test_a_network_larger_than_its_weights_takes_no_memory(folder):
    change(folder / "config.json", vocab_size=3_900_000, hidden_size=4096, num_attention_heads=2)
    with pytest.raises(InputError, match=r"describes a network of [\d,]+ weights, and [\d,]+ are there"):
        load(folder)
    change(folder / "config.json", num_hidden_layers=1_000_000)
    with pytest.raises(InputError, match="num_hidden_layers = 1,000,000"):
        load(folder)


def test_more_weights_than_the_limit_are_not_read(folder, monkeypatch):
    monkeypatch.setenv("SKMM_MAX_FILE_MB", "1")
    with (folder / "model-2.safetensors").open("wb") as file:
        file.truncate(2 << 20)
    with pytest.raises(InputError, match="more than 1 MB of weights"):
        load(folder)


@pytest.mark.parametrize("kind", ["whole", "static"])
@pytest.mark.parametrize("cut", [0, 6, 40])
def test_damaged_weights_are_one_line(whole, tmp_path, kind, cut):
    folder = Path(shutil.copytree(whole / kind, tmp_path / "m"))
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InputError) as told:
        load(folder)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", ["modules.json", "config.json", "tokenizer.json", "1_Pooling/config.json"])
@pytest.mark.parametrize("content", ["", "{", "[]", "[" * 100_000, '{"a": 1}'])
def test_damaged_settings_are_one_line(folder, name, content):
    (folder / name).write_text(content)
    with pytest.raises(InputError) as told:
        load(folder)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_damaged_settings_of_model2vec_are_one_line(whole, tmp_path, content):
    folder = Path(shutil.copytree(whole / "static", tmp_path / "m"))
    (folder / "tokenizer.json").write_text(content)
    with pytest.raises(InputError, match="cannot be loaded as a text model"):
        load(folder)


def test_other_folders_and_adapters_are_one_line(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"has no modules\.json, so it is no model"):
        load(tmp_path / "empty")
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "/somewhere"}')
    with pytest.raises(InputError, match="is an adapter to another model"):
        load(folder)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("Dense", {"in_features": 60_000, "out_features": 60_000}),
        ("LayerNorm", {"dimension": 3_000_000_000}),
        ("WeightedLayerPooling", {"word_embedding_dimension": 8, "num_hidden_layers": 3_000_000_000}),
    ],
)
def test_parts_larger_than_their_weights_take_no_memory(folder, kind, settings):
    modules(folder, 2, type=f"sentence_transformers.models.{kind}")
    (folder / "2_Dense" / "config.json").write_text(json.dumps(settings))
    with pytest.raises(InputError, match=rf"its {kind} describes [\d,]+ weights, and [\d,]+ are there"):
        load(folder)


@pytest.mark.parametrize(
    "settings",
    [
        {"model_type": "gpt2", "n_layer": 3_000_000, "n_embd": 8, "n_head": 2},
        {"model_type": "albert", "num_hidden_groups": 3_000_000, "hidden_size": 8},
        {"model_type": "distilbert", "n_layers": 3_000_000},
    ],
)
def test_a_network_of_very_many_parts_is_not_built(folder, settings):
    (folder / "config.json").write_text(json.dumps(settings))
    with pytest.raises(InputError, match=r"asks for \w+ = 3,000,000; no such network"):
        load(folder)


def test_an_activation_that_the_library_would_replace_without_a_word_is_refused(folder):
    change(folder / "2_Dense" / "config.json", activation_function="own.Activation")
    with pytest.raises(InputError, match=r"has the activation 'own\.Activation', none of torch"):
        load(folder)


@pytest.mark.parametrize("name", ["tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("kind", ["device", "pipe", "nothing"])
def test_what_is_no_file_is_not_opened(folder, name, kind):
    (folder / name).unlink()
    if kind == "pipe":
        os.mkfifo(folder / name)
    else:
        (folder / name).symlink_to("/dev/zero" if kind == "device" else folder / "not-there")
    with pytest.raises(InputError, match=f"{name} in it is no ordinary file"):
        load(folder)


def test_settings_of_many_megabytes_are_not_read(folder):
    change(folder / "config_sentence_transformers.json", prompts={"q": "a " * 600_000}, default_prompt_name="q")
    with pytest.raises(InputError, match="larger than 1 MB"):
        load(folder)
    (folder / "modules.json").write_text(" " * (65 << 20) + "[]")
    with pytest.raises(InputError, match="larger than 64 MB"):
        load(folder)


def test_signs_that_control_a_terminal_are_not_shown(folder):
    change(folder / "config.json", model_type="\x1b[31mred")
    with pytest.raises(InputError) as told:
        load(folder)
    assert str(told.value).isprintable()
