"""Gradients and sketches on the command line, and which league a run then plays in."""

import json
import shlex

import pytest

from skmm_core.config import DatasetConfig, GradientParams, RunConfig, SelectJob, SketchParams
from skmm_core.diagnostics.record import load_diagnostics
from skmm_core.diagnostics.wording import read_distortion
from skmm_core.runs.command import command_line
from skmm_core.runs.record import run_id


def select(here, out, *words, method="skmm"):
    said = here("select", "--dataset", "digits", "--method", method, "--budget", 20, "--out", out, "--quiet", *words)
    assert said.code == 0, said.err
    return json.loads((out / "result.json").read_text())


@pytest.mark.parametrize(
    ("words", "method", "read", "aware"),
    [
        ((), "skmm", 0, False),
        (("--gradient", "head"), "skmm", 1078, True),
        (("--gradient", "head"), "uniform", 1078, False),
        (("--gradient", "head", "--gradient-targets", "random"), "skmm", 100, True),
        (("--gradient", "head", "--gradient-targets", "random", "--gradient-warm-up", 60), "skmm_direct", 60, True),
        (("--gradient", "head", "--gradient-targets", "random", "--gradient-warm-up", 0), "skmm", 0, False),
    ],
)
def test_the_result_says_how_many_labels_went_into_the_gradients(here, tmp_path, words, method, read, aware):
    found = select(here, tmp_path / "out", *words, method=method)
    assert (found["gradient"]["labels_read"], found["label_aware"]) == (read, aware)


def test_head_gradients_take_the_kronecker_sketch_and_repeat_by_the_command_shown(here, tmp_path):
    words = ("--gradient", "head", "--gradient-bias", "--gradient-warm-up", 200)
    first = select(here, tmp_path / "one", *words)
    assert first["sketch"]["kind"] == "kronecker"
    shown = shlex.split(first["command"])
    assert not {"--sketch", "--seed"} & set(shown)
    shown[shown.index("--out") + 1] = str(tmp_path / "two")
    assert here(*shown[3:], "--quiet").code == 0
    assert (tmp_path / "one/selection.csv").read_bytes() == (tmp_path / "two/selection.csv").read_bytes()
    other = select(here, tmp_path / "three", "--gradient", "head", "--sketch", "srht", "--sketch-dim", 40)
    assert other["sketch"] == {"kind": "srht", "dim": 40}


@pytest.mark.parametrize("kind", ["gaussian", "rademacher", "srht", "sparse", "countsketch"])
def test_distortion_is_kept_with_its_bounds(here, tmp_path, kind):
    found = select(here, tmp_path, "--sketch", kind, "--sketch-dim", 24)["diagnostics"]
    kept = load_diagnostics(tmp_path / "diagnostics.npz")
    reading = read_distortion(kept)
    assert kept.distortion is not None
    assert found["distortion_rms"] == pytest.approx(kept.distortion.rms)
    assert len(kept.distortion.ratios) == 1000
    assert reading.shares.sum() == pytest.approx(1)
    assert len(reading.edges) == len(reading.shares) + 1
    inside = (kept.distortion.ratios >= reading.pair[0]) & (kept.distortion.ratios <= reading.pair[1])
    assert reading.within_pair == pytest.approx(inside.mean())
    assert reading.edges[0] <= kept.distortion.ratios[0] <= kept.distortion.ratios[-1] <= reading.edges[-1]
    assert "1,000 random pairs" in reading.text


def test_no_distortion_without_a_sketch(here, tmp_path):
    found = select(here, tmp_path, "--sketch", "none")["diagnostics"]
    assert found["distortion_rms"] is None
    assert read_distortion(load_diagnostics(tmp_path / "diagnostics.npz")) is None


def test_comparison_marks_methods_that_match_gradients_of_labels(here, tmp_path):
    words = ("--methods", "skmm,k_center", "--budgets", "20", "--seeds", 2, "--gradient", "head")
    said = here("compare", "--dataset", "digits", *words, "--out", tmp_path, "--quiet")
    assert said.code == 0, said.err
    assert json.loads((tmp_path / "result.json").read_text())["label_aware"] == ["skmm"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--sketch", "kronecker"), "--gradient head"),
        (("--sketch", "fourier"), "--sketch: "),
        (("--gradient", "tail"), "--gradient: "),
        (("--gradient-targets", "random"), "--gradient-targets is for head gradients"),
        (("--gradient", "head", "--gradient-warm-up", -1), "--gradient-warm-up: "),
        (("--sketch", "sparse", "--sketch-dim", 4, "--sketch-nonzeros", 5), "exceeds the sketch dim 4"),
    ],
)
def test_one_line_says_what_is_wrong(here, tmp_path, words, message):
    said = here("select", "--dataset", "digits", "--budget", 20, "--out", tmp_path, "--quiet", *words)
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert message in said.err


def test_options_that_came_later_leave_the_ids_of_earlier_runs():
    plain = RunConfig(dataset=DatasetConfig(source="digits"), job=SelectJob(budget=20))
    ids = {run_id(plain, "sha256:0")}
    assert ids == {"adba972736a2"}
    for changed in ({"gradient": GradientParams(kind="head")}, {"sketch": SketchParams(kind="sparse", nonzeros=4)}):
        other = plain.model_copy(update=changed)
        ids.add(run_id(other, "sha256:0"))
        assert "--gradient head" in command_line(other) or "--sketch-nonzeros 4" in command_line(other)
    assert len(ids) == 3
