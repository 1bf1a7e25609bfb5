"""Someone with 3,000 messy rows and no labels reaches a second, larger batch; the run repeats on another machine."""

import csv
import json

import numpy as np
import pandas as pd
import pytest

from skmm_core.cli.program import main

N = 3000


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    """Ids with zeros in front, text, dates, 5 % duplicates, a constant column and an embedding written as a list."""
    folder = tmp_path_factory.mktemp("rounds")
    rng = np.random.default_rng(3)
    vectors = (rng.normal(size=(N, 12)) + 2 * rng.integers(0, 3, N)[:, None]).round(4)
    vectors[rng.choice(N, N // 20, replace=False)] = vectors[: N // 20]
    frame = pd.DataFrame({"id": [f"{row:06d}" for row in range(N)]})
    frame["text"] = [f"row {row}: some words, “quoted” and; more" for row in range(N)]
    frame["made"] = pd.date_range("2024-01-01", periods=N, freq="h").astype(str)
    frame["source"] = "web"
    frame["embedding"] = [json.dumps(vector.tolist()) for vector in vectors]
    frame.to_csv(folder / "pool.csv", index=False)
    return folder


def read(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_second_larger_batch_and_the_same_elsewhere(pool, monkeypatch, capsys):
    monkeypatch.setenv("SKMM_HOME", str(pool / "home"))
    words = ["select", "--dataset", str(pool / "pool.csv"), "--quiet"]
    assert main([*words, "--budget", "100", "--out", str(pool / "one")]) == 0
    first = read(pool / "one/selection.csv")
    assert {row["batch"] for row in first} == {"1"}
    assert all(row["text"].startswith(f"row {int(row['id'])}:") for row in first)
    assert {row["source"] for row in first} == {"web"}
    with (pool / "labels.csv").open("w", encoding="utf-8-sig", newline="") as file:  # as a spreadsheet program saves it
        writer = csv.DictWriter(file, [*first[0], "label"], delimiter=";")
        writer.writeheader()
        for place, row in enumerate(first):
            writer.writerow({**row, "label": "" if place % 10 == 9 else ("spam", "ham")[int(row["id"]) % 2]})
    capsys.readouterr()
    again = [*words, "--labels", str(pool / "labels.csv"), "--budget", "150"]
    assert main([*again, "--out", str(pool / "two")]) == 0
    assert "Batch 2: 90 points have a label, 10 wait for one." in capsys.readouterr().out
    second = read(pool / "two/selection.csv")
    assert len(second) == 150
    assert {row["batch"] for row in second} == {"2"}
    assert not {row["id"] for row in second} & {row["id"] for row in first}
    assert [row["order"] for row in second] == [str(place) for place in range(1, 151)]
    assert main([*again, "--method", "badge", "--out", str(pool / "badge")]) == 0
    assert json.loads((pool / "badge/result.json").read_text())["objective"]["warm_up_rows"] == 90
    assert main([*again, "--method", "el2n", "--out", str(pool / "el2n")]) == 2
    assert "EL2N needs a label in every row, and only some have one; take a method" in capsys.readouterr().err
    assert not (pool / "el2n").exists()
    (pool / "labels.csv").unlink()  # on another machine there is only the run's folder
    before = (pool / "two/selection.csv").read_bytes()
    assert main(["run", str(pool / "two"), "--quiet"]) == 0
    assert (pool / "two/selection.csv").read_bytes() == before


def test_more_than_is_left_is_refused_with_what_there_is(pool, tmp_path, capsys):
    rows = "".join(f"{row:06d},{'x' if row < 2900 else ''},1\n" for row in range(2950))
    (tmp_path / "labels.csv").write_text(f"id,label,batch\n{rows}")
    words = ["select", "--dataset", str(pool / "pool.csv"), "--labels", str(tmp_path / "labels.csv"), "--quiet"]
    assert main([*words, "--budget", "100", "--method", "uniform", "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert "budget 100 is outside 1..50; of 3,000 points 2,900 have a label, 50 wait for one" in told


def test_a_comparison_in_rounds_replays_the_loop(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "home"))
    words = ["compare", "--dataset", "digits", "--methods", "margin,skmm_cover", "--seeds", "2", "--learner", "linear"]
    assert main([*words, "--budgets", "24", "--rounds", "3", "--out", str(tmp_path / "a"), "--quiet"]) == 0
    told = capsys.readouterr().out
    assert "In 3 rounds, to 8, 16 and 24 points: each round sees the labels of the rounds before, and no others" in told
    assert "Until two classes are labelled, Margin picks at random" in told
    result = json.loads((tmp_path / "a/result.json").read_text())
    assert (result["rounds"], result["budgets"]) == (3, [8, 16, 24])
    assert (result["random_start"], result["label_aware"], result["warm_up_rows"]) == (["margin"], [], None)
    assert "in 3 rounds" in (tmp_path / "a/report.html").read_text()
    scores = pd.read_csv(tmp_path / "a/scores.csv").query("metric == 'accuracy'")
    first = scores[scores["budget"] == 8].pivot_table(index="seed", columns="method", values="value")
    assert first["margin"].equals(first["uniform"].rename("margin"))
    assert set(scores["method"]) == {"margin", "skmm_cover", "uniform"}
    for wrong, said in (
        (["--budgets", "8,16", "--rounds", "3"], "3 rounds go with one budget, which is split into 3 batches, or with"),
        (["--budgets", "24", "--rounds", "0"], "--rounds"),
        (["--budgets", "24", "--rounds", "3", "--methods", "el2n"], "needs a label in every row"),
        (["--budgets", "24", "--rounds", "3", "--warm-up-rows", "30"], "--warm-up-rows: in rounds"),
    ):
        assert main([*words, *wrong, "--out", str(tmp_path / "b"), "--quiet"]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert len(error.strip().splitlines()) == 1
        assert not (tmp_path / "b").exists()
