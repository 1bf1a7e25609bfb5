"""The bench command writes machine, versions, every measurement and the ratios."""

import json

import numpy as np
import pytest
import torch

from skmm_core.bench.clustered import clustered_features, write_clustered
from skmm_core.bench.machine_facts import measured
from skmm_core.bench.methods import MethodsOptions, bench_methods
from skmm_core.bench.sketch import HELD, KINDS
from skmm_core.bench.solver import adam_reference, geometric_mean, objective
from skmm_core.errors import Cancelled
from skmm_core.progress import Progress

VERSIONS = {"skmm_core", "python", "torch", "numpy"}


def test_solver_measures_every_problem(here, tmp_path):
    file = tmp_path / "solver.json"
    words = ("--datasets", "digits", "--steps", 30, "--rates", "1e-5", "--rows", 400, "--out", file)
    said = here("bench", "solver", *words, "--quiet", "--json")
    assert said.code == 0
    found = json.loads(file.read_text())
    iteration = found["iteration"]
    assert (iteration["N"], iteration["m"]) == (400, 128)
    assert iteration["evaluation_ratio"] == pytest.approx(iteration["evaluation_seconds"] / iteration["pair_seconds"])
    assert found == said.json
    assert set(found["machine"]["versions"]) == VERSIONS
    assert found["options"]["adam_steps"] == 30
    cells = {(row["weights"], row["c_s"]) for row in found["problems"]}
    assert cells == {(kind, c_s) for kind in ("absolute", "relative") for c_s in (1.0, 0.8, 0.6, 0.4)}
    assert {row["m"] for row in found["problems"]} == {32}
    compared = [row for row in found["problems"] if not row["start_is_optimal"]]
    assert {row["c_s"] for row in compared} == {0.8, 0.6, 0.4}
    for row in compared:
        assert row["ratio"] == pytest.approx(row["adam_seconds"] / row["seconds"])
        assert row["reached"] == (row["objective"] <= row["adam_objective"])
        assert row["smallest_objective"] - row["smallest_gap"] <= row["adam_objective"]
    assert found["geometric_mean_ratio"] == pytest.approx(geometric_mean([row["ratio"] for row in compared]))
    assert found["compared"] == len(compared) == 6


def test_methods_measures_what_was_asked(here, tmp_path):
    file = tmp_path / "methods.json"
    words = ("--sizes", "60,90", "--dims", 8, "--budget", 5, "--methods", "uniform,skmm_joint", "--device", "cpu")
    said = here("bench", "methods", *words, "--out", file, "--quiet")
    assert said.code == 0
    found = json.loads(file.read_text())
    assert {(row["method"], row["N"]) for row in found["methods"]} == {
        (key, size) for key in ("uniform", "skmm_joint") for size in (60, 90)
    }
    assert [(row["what"], row["N"]) for row in found["shared"]] == [("moments", 60), ("moments", 90)]
    for row in found["methods"]:
        assert row["passes"] == pytest.approx(row["seconds"] / row["pass_seconds"])
        assert not row["stopped"]


def test_sketch_measures_every_kind(here, tmp_path):
    file = tmp_path / "sketch.json"
    words = ("--rows", 20, "--dims", 6, "--classes", 5, "--sketch-dim", 8, "--device", "cpu")
    said = here("bench", "sketch", *words, "--out", file, "--quiet")
    assert said.code == 0
    assert "kronecker is" in said.out
    found = json.loads(file.read_text())
    assert (found["options"]["r"], found["options"]["m"]) == (30, 8)
    assert set(found["machine"]["versions"]) == VERSIONS
    assert {row["kind"] for row in found["sketches"]} == {*KINDS, HELD}
    best = {row["kind"]: row["seconds"] for row in found["sketches"]}
    for row in found["sketches"]:
        assert row["seconds"] == min(row["all_seconds"])
        assert row["ratio"] == pytest.approx(min(best["gaussian"], best[HELD]) / row["seconds"])
        if row["kind"] == "kronecker":
            assert found["kronecker_speedup"] == row["ratio"]
    too_large = here("bench", "sketch", *words[:-4], "--sketch-dim", 31, "--device", "cpu", "--out", file, "--quiet")
    assert too_large.code == 2
    assert "exceeds the 30 dimensions" in too_large.err


def test_a_method_over_its_limit_is_stopped_and_said_to_be():
    options = MethodsOptions(sizes=(50,), dims=4, budget=5, methods=("herding",), limit=0.0)
    found = bench_methods(options, device=torch.device("cpu"))
    assert [row["stopped"] for row in found["methods"]] == [True]


def test_a_person_who_cancels_ends_the_bench():
    def cancel(progress: Progress) -> None:
        if progress.phase == "Picking points":
            raise Cancelled

    options = MethodsOptions(sizes=(50,), dims=4, budget=5, methods=("herding",))
    with pytest.raises(Cancelled):
        bench_methods(options, device=torch.device("cpu"), report=cancel)


def test_peak_memory_sees_what_was_held_only_for_a_while():
    with measured(torch.device("cpu")) as cost:
        held = torch.ones(60_000_000)
        held += 1
        del held
    # 240 MB were held; the allocator may give back other memory meanwhile.
    assert 200 <= cost.peak_mb <= 400
    assert cost.seconds > 0


def test_made_up_features_do_not_depend_on_anything_but_their_size():
    one, two = clustered_features(40, 6), clustered_features(40, 6)
    assert torch.equal(one[0], two[0])
    assert torch.equal(one[1], two[1])
    assert one[0].shape == (40, 6)


def test_made_up_features_are_clustered_uneven_heavy_tailed_and_off_centre():
    features, labels = clustered_features(20_000, 16)
    counts = torch.bincount(labels, minlength=50)
    assert len(counts) == 50
    assert int(counts.max()) > 10 * int(counts.min())
    centres = torch.stack([features[labels == each].mean(dim=0) for each in range(50)])
    noise = features - centres[labels]
    assert float(noise.square().sum()) < 0.5 * float((features - features.mean(dim=0)).square().sum())
    assert float(features.mean(dim=0).norm()) > 1
    # of normal noise the fourth moment is three times the squared variance; of this one it does not exist
    assert float(((noise**4).mean(dim=0) / noise.square().mean(dim=0).square()).min()) > 5
    variances = noise.var(dim=0)
    assert float(variances[0]) > 8 * float(variances[15])


def test_the_adam_reference_lowers_the_objective_and_is_feasible_at_the_end():
    draw = torch.Generator().manual_seed(0)
    squares = torch.rand(30, 3, generator=draw, dtype=torch.float64)
    targets, ones = squares.mean(dim=0) * 1.1, torch.ones(3, dtype=torch.float64)
    found = adam_reference(squares, targets, 10, column_weights=ones, steps=300, rate=1e-3)
    assert float(found.weights.sum()) == pytest.approx(1)
    assert 0 <= float(found.weights.min()) <= float(found.weights.max()) <= 0.1 + 1e-12
    uniform = torch.full((30,), 1 / 30, dtype=torch.float64)
    assert found.objective == objective(squares, targets, ones, found.weights)
    assert found.objective < 0.5 * objective(squares, targets, ones, uniform)


def test_a_file_of_made_up_rows_holds_the_same_ones(tmp_path):
    clusters = write_clustered(tmp_path / "rows.npy", 20_000, 16)
    features, labels = clustered_features(20_000, 16)
    np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), features.half())
    np.testing.assert_array_equal(clusters, labels)


def test_bench_scale_runs_whole_commands_and_leaves_no_file(here, tmp_path):
    out = tmp_path / "scale.json"
    words = ("--sizes", "300,600", "--dims", 8, "--budget", 5, "--out", out, "--quiet", "--methods")
    assert here("bench", "scale", *words, "uniform,skmm").code == 0
    found = json.loads(out.read_text())
    asked = [(method, size) for size in (300, 600) for method in ("skmm", "uniform")]
    assert [(row["method"], row["N"]) for row in found["rows"]] == asked
    assert all(row["peak_mb"] > 50 and row["cpu_seconds"] > 0.1 and row["stages"] for row in found["rows"])
    assert set(found["exponents"]) == {"skmm", "uniform"}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".scale")] == []
    assert here("bench", "scale", *words, "typiclust").code == 2
