"""What is wrong is said in one line, with exit code 2 and nothing on stdout."""

import re

import numpy as np
import pytest

SELECT = ("select", "--dataset", "digits", "--method", "uniform", "--budget", "5")


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (("nothing",), r"No such command 'nothing'"),
        (("select", "--nothing"), r"No such option"),
        (("select",), r"Missing option '--dataset'"),
        ((*SELECT, "--out"), r"'--out' requires an argument"),
        (("select", "--dataset", "digits", "--out", "{out}", "--budget", "few"), r"'--budget'.*integer\. See --help\."),
        ((*SELECT[:-1], "0", "--out", "{out}"), r"budget 0 is outside 1\.\.1,?078"),
        ((*SELECT[:-1], "1079", "--out", "{out}"), r"budget 1079 is outside 1\.\.1,?078"),
        ((*SELECT, "--method", "best", "--out", "{out}"), r"'best' is unknown; choose one of: skmm"),
        (("select", "--dataset", "nowhere.csv", "--budget", "5", "--out", "{out}"), r"nowhere\.csv was not found"),
        ((*SELECT, "--out", "{out}", "--holdout", "1.5"), r"--holdout: Input should be less than 1"),
        ((*SELECT, "--out", "{out}", "--task", "guess"), r"--task: Input should be 'auto'"),
        ((*SELECT, "--out", "{out}", "--sketch", "magic"), r"--sketch: Input should be 'gaussian'"),
        ((*SELECT, "--out", "{out}", "--sketch-dim", "0"), r"--sketch-dim: Input should be greater"),
        ((*SELECT, "--out", "{out}", "--device", "abacus"), r"device 'abacus' is unknown; choose auto"),
        ((*SELECT, "--out", "{out}", "--param", "c_s"), r"--param 'c_s' is not key=value"),
        ((*SELECT, "--out", "{out}", "--param", "c_s=1"), r"uniform param 'c_s': unknown; its params are: stratify"),
        ((*SELECT, "--out", "{file}"), r"--out .*cannot be written"),
        (("compare", "--dataset", "digits", "--methods", ",", "--budgets", "5", "--out", "x"), r"--methods is empty"),
        (
            ("compare", "--dataset", "digits", "--methods", "skmm", "--budgets", "5,many", "--out", "{out}"),
            r"--budgets: 'many' is not a whole number",
        ),
        (
            ("compare", "--dataset", "digits", "--methods", "skmm", "--budgets", "5", "--seeds", "0", "--out", "{out}"),
            r"--seeds: Input should be greater",
        ),
        (
            ("compare", "--dataset", "digits", "--methods", "skmm", "--budgets", "5", "--out", "{out}", "--seed", "3"),
            r"choose how many with --seeds",
        ),
        (
            ("compare", "--dataset", "digits", "--methods", "skmm,best", "--budgets", "5", "--out", "{out}"),
            r"'best' is unknown",
        ),
        (
            (
                "compare", "--dataset", "digits", "--methods", "skmm", "--budgets", "5", "--out", "{out}",
                "--param", "c_s=1",
            ),
            r"say which method it is for",
        ),
        (
            (
                "compare", "--dataset", "digits", "--methods", "uniform", "--budgets", "5", "--out", "{out}",
                "--param", "skmm.c_s=1",
            ),
            r"'skmm', which is not among the methods compared",
        ),
        (("run", "{out}"), r"is not a folder"),
        (("run", "{empty}"), r"is not a run folder: it has no config\.json"),
        (("runs", "show", "abc"), r"run id 'abc' is not 12 hex digits"),
        (("runs", "cancel", "0123456789ab"), r"run 0123456789ab is not here"),
        (("runs", "delete", "0123456789ab"), r"run 0123456789ab is not here"),
        (("runs", "export", "0123456789ab", "{out}.zip"), r"run 0123456789ab is not here"),
        (("runs", "import", "{out}.zip"), r"does not exist"),
        (("runs", "list", "--kind", "dream"), r"--kind 'dream' is unknown"),
        (("embed", "--images", "x", "--out", "y.npz"), r"x was not found; give a folder"),
        (("paper", "mnist", "--out", "{out}"), r"paper 'mnist' is unknown; choose one of: gmm, utkface"),
        (("paper", "gmm", "--images", "x", "--out", "{out}"), r"--images: gmm makes its own data; leave it out"),
        (("paper", "gmm", "--sketch-dim", "64", "--out", "{out}"), r"--sketch: gmm sketches as the paper's table does"),
        (("paper", "gmm", "--methods", "best", "--out", "{out}"), r"--methods best: gmm has no such row; its rows"),
        (("paper", "utkface", "--out", "{out}"), r"utkface needs --images FOLDER or --features FILE.*UTKFace, aligned"),
        (("paper", "cifar10", "--finetune", "3", "--images", "x", "--out", "{out}"), r"--finetune 3: the last"),
        (("bench", "gpu", "--out", "y.json"), r"bench gpu is not part of this version"),
        (("bench", "speed", "--out", "y.json"), r"bench 'speed' is unknown; choose one of: solver, methods"),
        (("bench", "solver", "--out", "{out}/none/y.json"), r"--out .* cannot be written: give a file in a folder"),
        (("bench", "solver", "--out", "{out}.json", "--datasets", "digits", "--budget", 9999), r"--budget 9999"),
        (("bench", "methods", "--out", "{out}.json", "--methods", "nothing"), r"method 'nothing' is unknown"),
        (("bench", "methods", "--out", "{out}.json", "--sizes", "10"), r"--budget 1000 exceeds the smallest size 10"),
    ],
)  # fmt: skip
def test_one_line_says_what_is_wrong(here, tmp_path, words, match):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    places = {"out": tmp_path / "out", "empty": tmp_path / "empty", "file": tmp_path / "file"}
    said = here(*(str(word).format(**places) for word in words))
    assert said.code == 2
    assert said.out == ""
    line = said.err.splitlines()[-1]
    assert line.startswith("error: ")
    assert re.search(match, line), line
    assert said.err.count("error:") == 1
    assert "Traceback" not in said.err
    assert not (tmp_path / "out").exists()


def test_what_was_there_stays_when_input_is_refused(here, tmp_path):
    (tmp_path / "mine.txt").write_text("kept")
    said = here("select", "--dataset", "nowhere.csv", "--budget", "5", "--out", tmp_path)
    assert said.code == 2
    assert (tmp_path / "mine.txt").read_text() == "kept"
    said = here("select", "--dataset", "nowhere.csv", "--budget", "5", "--out", tmp_path / "a" / "b")
    assert said.code == 2
    assert not (tmp_path / "a").exists()


def test_results_of_before_stay_where_a_slip_is_made(here, tmp_path):
    words = ("select", "--dataset", "digits", "--method", "uniform", "--out", tmp_path / "out", "--quiet")
    assert here(*words, "--budget", 3).code == 0
    before = (tmp_path / "out" / "selection.npy").read_bytes()
    assert here(*words, "--budget", 0).code == 2
    assert (tmp_path / "out" / "selection.npy").read_bytes() == before


def test_a_damaged_config_is_named(here, tmp_path):
    (tmp_path / "config.json").write_text('{"dataset": {"source": "digits"}, "job": {"kind": "select"}}')
    said = here("run", tmp_path)
    assert said.code == 2
    assert re.search(r"config\.json cannot be used: job\.select\.budget: Field required", said.err)


def test_changed_data_are_noticed(here, tmp_path):
    rows = np.random.default_rng(0).normal(size=(30, 3))
    data, out = tmp_path / "x.npy", tmp_path / "out"
    np.save(data, rows)
    words = ("select", "--dataset", data, "--method", "uniform", "--budget", 3, "--out", out, "--quiet")
    assert here(*words).code == 0
    np.save(data, rows + 1)
    said = here("run", out)
    assert said.code == 2
    assert "has changed since this run was set up" in said.err
    assert not (out / "result.json").exists()
    assert here(*words).code == 0


def test_a_folder_with_a_comparison_is_not_overwritten(here, tmp_path):
    compare = ("compare", "--dataset", "diabetes", "--methods", "uniform", "--seeds", 2, "--out", tmp_path, "--quiet")
    assert here(*compare, "--budgets", 8).code == 0
    before = (tmp_path / "scores.csv").read_bytes()
    for words in ((*compare, "--budgets", 9), (*SELECT, "--out", tmp_path)):
        said = here(*words)
        assert said.code == 2
        assert "holds another comparison; choose another folder" in said.err
    assert (tmp_path / "scores.csv").read_bytes() == before
    assert (tmp_path / "result.json").exists()


def test_something_unforeseen_is_one_line_too(here, tmp_path, monkeypatch):
    def broken(*args, **options):
        raise ZeroDivisionError("made\nup")

    monkeypatch.setattr("skmm_core.jobs.execute.load_dataset", broken)
    said = here(*SELECT, "--out", tmp_path)
    assert said.code == 1
    assert said.err.splitlines()[-1] == "error: ZeroDivisionError: made up (SKMM_DEBUG=1 shows where)"
    assert "Traceback" not in said.err
    assert "Traceback" in (tmp_path / "log.jsonl").read_text()
