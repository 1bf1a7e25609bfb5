"""Pick, label, pick again: labels so far are given, in no budget, and all that methods know."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from skmm_core.config import DatasetConfig, GradientParams, RunConfig, SelectJob
from skmm_core.data import Task, known_targets, load_dataset, one_form
from skmm_core.diagnostics import load_diagnostics
from skmm_core.errors import InputError
from skmm_core.gradients import train_on_known
from skmm_core.jobs import run_folder, with_labels_hash
from skmm_core.labels import LabelsRead, begin_round, read_labels
from skmm_core.methods import Need, list_methods, select
from skmm_core.pool import make_pool
from skmm_core.runs import read_config, read_result, read_table, run_id, write_config
from skmm_core.runs.snippet import python_lines

N = 90
RNG = np.random.default_rng(4)
CLASSES = np.array(["ant", "bee", "cat"])[np.arange(N) % 3]
X = (RNG.normal(size=(N, 6)) + (np.arange(N) % 3)[:, None]).astype(np.float32)
IDS = [f"r{i:03d}" for i in range(N)]
GIVEN, WAITING, OUT = list(range(10, 22)), [30, 31], [40, 41, 42]


@pytest.fixture
def pool_file(tmp_path: Path) -> Path:
    frame = pd.DataFrame(X, columns=[f"f{i}" for i in range(6)])
    frame.insert(0, "id", IDS)
    frame = frame.assign(note=[f"note {i}" for i in range(N)], score=[f"s{i}" for i in range(N)])
    frame.assign(scene=[f"scene {i // 6}" for i in range(N)]).to_csv(tmp_path / "pool.csv", index=False)
    return tmp_path / "pool.csv"


@pytest.fixture
def labels_file(tmp_path: Path) -> Path:
    rows = [(IDS[i], CLASSES[i], 1, "labelled") for i in GIVEN] + [(IDS[i], "", 2, "pending") for i in WAITING]
    rows += [(IDS[40], "", 1, "skipped"), (IDS[41], "", "", "barred"), (IDS[42], "", "", "barred")]
    pd.DataFrame(rows, columns=["id", "label", "batch", "state"]).to_csv(tmp_path / "labels.csv", index=False)
    return tmp_path / "labels.csv"


def run(folder: Path, source: Path, **job: object) -> Path:
    gradient = job.pop("gradient", GradientParams())
    asked = RunConfig(
        dataset=DatasetConfig(source=str(source)), job=SelectJob(**{"method": "uniform", "budget": 8} | job),
        gradient=gradient, device="cpu",
    )  # fmt: skip
    folder.mkdir(exist_ok=True)
    write_config(folder, with_labels_hash(asked))
    run_folder(folder)
    return folder


@pytest.mark.parametrize("key", [spec.key for spec in list_methods()])
def test_every_method_goes_on_from_the_labels_or_says_what_it_needs(key, pool_file, labels_file):
    now = begin_round(load_dataset(str(pool_file)), read_labels(labels_file))
    pool = make_pool(now.dataset, device="cpu")
    spec = next(spec for spec in list_methods() if spec.key == key)
    if spec.needs_every_label:
        with pytest.raises(InputError, match=r"needs a label in every row, .* take a method .* such as badge"):
            select(pool, key, 8, given=now.given, exclude=now.out)
        return
    found = select(pool, key, 8, given=now.given, exclude=now.out)
    assert len(set(found.indices.tolist())) == 8
    assert not set(found.indices.tolist()) & {*GIVEN, *WAITING, *OUT}
    assert float(found.weights.sum()) == pytest.approx(1)
    if Need.SOME_CLASSES in spec.needs:
        assert found.objective["warm_up_rows"] == len(GIVEN)


@pytest.mark.parametrize("key", ["k_center", "facility_location", "skmm_cover"])
def test_given_points_are_as_if_included_and_then_taken_away(key):
    given = [*GIVEN, *WAITING]
    found = select(X, key, 8, given=given, exclude=OUT, device="cpu")
    whole = select(X, key, 8 + len(given), include=given, exclude=OUT, device="cpu")
    assert found.indices.tolist() == whole.indices.tolist()[len(given) :]


def test_k_center_covers_what_the_labels_leave_uncovered():
    found = select(X, "k_center", 8, given=GIVEN, device="cpu").indices.tolist()
    x, picks = torch.tensor(X).double(), list(GIVEN)
    for _ in range(8):
        distance = torch.cdist(x, x[picks]).amin(dim=1)
        distance[picks] = -1
        picks.append(int(distance.argmax()))
    assert found == picks[len(GIVEN) :]


def test_the_head_is_trained_on_exactly_the_labelled_rows(pool_file, labels_file):
    now = begin_round(load_dataset(str(pool_file)), read_labels(labels_file))
    pool = make_pool(now.dataset, device="cpu")
    head = pool.warm_up
    assert head.rows.tolist() == GIVEN
    assert head.labels[GIVEN].tolist() == (np.array(GIVEN) % 3).tolist()
    assert set(head.labels.tolist()) == {-1, 0, 1, 2}
    alone = train_on_known(pool.features, known_targets(now.dataset), pool.scaler)
    assert torch.allclose(alone.logits, head.logits, atol=1e-6)
    with pytest.raises(InputError, match="residuals need a label in every row"):
        _ = head.residuals


def test_a_labelled_dataset_hides_every_label_that_is_not_in_the_file():
    digits = load_dataset("digits")
    ids = [digits.ids[row] for row in digits.split.train.tolist()]
    names = [digits.class_names[int(label)] for label in digits.targets[digits.split.train]]
    now = begin_round(digits, LabelsRead(dict(zip(ids[:40], names[:40], strict=True))))
    pool = make_pool(now.dataset, device="cpu")
    assert pool.targets is None
    assert pool.known.rows.tolist() == list(range(40))
    assert [pool.known.class_names[value] for value in pool.known.values.tolist()] == names[:40]
    assert pool.task is Task.CLASSIFICATION


def test_a_run_holds_new_points_alone_and_says_what_was_known(tmp_path, pool_file, labels_file):
    folder = run(tmp_path / "out", pool_file, labels=str(labels_file), method="badge")
    result, chosen = read_result(folder), pd.read_csv(folder / "selection.csv")
    known = {name: result[name] for name in ("batch", "labelled", "pending", "out", "budget")}
    assert known == {"batch": 3, "labelled": 12, "pending": 2, "out": 3, "budget": 8}
    assert result["measured_on"] == "the new points together with the 12 labelled and 2 waiting for a label"
    assert load_diagnostics(folder / "diagnostics.npz").n == 12 + 2 + 8
    assert not result["label_aware"], "these labels are paid for, so that reading them hides nothing"
    columns = ["order", "id", "row", "weight", "score", "batch", "note", "score (file)", "scene"]
    assert list(chosen) == columns
    assert chosen["order"].tolist() == list(range(1, 9))
    assert (chosen["batch"] == 3).all()
    assert chosen["note"].tolist() == [f"note {row}" for row in chosen["row"]]
    assert chosen["weight"].sum() == pytest.approx(1)
    scores = read_table(folder, "scores")
    assert scores.loc[scores["state"] == "labelled", "row"].tolist() == GIVEN
    assert scores["share"].sum() == pytest.approx(1)
    assert (scores.loc[scores["state"].isin(["labelled", "pending"]), "distance"] == 0).all()
    names: dict[str, object] = {}
    exec(compile(python_lines(read_config(folder)), "snippet", "exec"), names)
    assert names["rows"].tolist() == chosen["row"].tolist()


def test_the_third_batch_goes_on_from_the_csv_of_the_second(tmp_path, pool_file):
    first = run(tmp_path / "a", pool_file)
    sheet = pd.read_csv(first / "selection.csv")
    sheet["label"] = [CLASSES[row] if row % 4 else "" for row in sheet["row"]]
    sheet.to_csv(tmp_path / "sheet.csv", index=False)
    second = run(tmp_path / "b", pool_file, labels=str(tmp_path / "sheet.csv"))
    result, new = read_result(second), pd.read_csv(second / "selection.csv")
    assert result["labelled"] + result["pending"] == 8
    assert result["labelled"] == int((sheet["label"] != "").sum())
    assert not set(new["id"]) & set(sheet["id"])
    both = pd.concat([sheet, new])
    both.to_csv(tmp_path / "both.csv", index=False)
    assert read_result(run(tmp_path / "c", pool_file, labels=str(tmp_path / "both.csv")))["batch"] == 3


def test_labels_are_noticed_kept_and_part_of_the_id(tmp_path, pool_file, labels_file):
    folder = run(tmp_path / "out", pool_file, labels=str(labels_file))
    config = read_config(folder)
    picks = (folder / "selection.npy").read_bytes()
    moved = config.model_copy(update={"job": config.job.model_copy(update={"labels": "elsewhere.csv"})})
    assert run_id(config, "x") == run_id(moved, "x"), "what labels say counts, not where they lie"
    labels_file.write_text(labels_file.read_text().replace("ant", "bee", 1))
    run_folder(folder)
    assert (folder / "selection.npy").read_bytes() == picks, "the copy in the folder is what the run knew"
    (folder / "labels_used.csv").unlink()
    with pytest.raises(InputError, match="has changed since this run was set up"):
        run_folder(folder)
    again = with_labels_hash(config.model_copy(update={"job": config.job.model_copy(update={"labels_hash": None})}))
    assert run_id(again, "x") != run_id(config, "x")


def test_a_partly_labelled_file_gives_its_own_labels(tmp_path, pool_file):
    frame = pd.read_csv(pool_file)
    frame["label"] = [CLASSES[i] if i in GIVEN else "" for i in range(N)]
    frame.to_csv(tmp_path / "partly.csv", index=False)
    folder = run(tmp_path / "out", tmp_path / "partly.csv", method="entropy")
    assert read_result(folder)["labelled"] == 12
    assert not set(pd.read_csv(folder / "selection.csv")["row"]) & set(GIVEN)
    frame.assign(label=frame["label"].where(frame.index != 10, "")).to_csv(tmp_path / "fewer.csv", index=False)
    prints = {load_dataset(str(tmp_path / name)).fingerprint for name in ("partly.csv", "fewer.csv")}
    assert len(prints) == 2, "other labels are other data to a run"
    with pytest.raises(InputError, match="stratify needs a label in every row"):
        run(tmp_path / "s", tmp_path / "partly.csv", params={"stratify": True})
    with pytest.raises(InputError, match="--gradient-targets random"):
        run(tmp_path / "g", tmp_path / "partly.csv", method="skmm", gradient=GradientParams(kind="head"))
    drawn = GradientParams(kind="head", targets="random")
    assert read_result(run(tmp_path / "d", tmp_path / "partly.csv", method="skmm", gradient=drawn))["budget"] == 8


def test_ids_match_exactly_then_in_one_form_and_all_else_is_counted(tmp_path):
    names = ["caf\u00e9.png", "cafe\u0301 2.png", "07", "7", *IDS[4:]]
    np.savez(tmp_path / "x.npz", X=X, ids=np.array(names))
    said = {"cafe\u0301.png": "a", "caf\u00e9 2.png": "b", "07": "a", "007": "b", " 7": "b", "r999": "a"}
    now = begin_round(load_dataset(str(tmp_path / "x.npz")), LabelsRead(said))
    assert now.labelled == (0, 1, 2)
    assert [now.dataset.known_labels[place] for place in now.labelled] == ["a", "b", "a"]
    assert now.notes == ("labels: 3 ids are not in this pool and left out.",)
    assert one_form(names[0]) != names[1]
    with pytest.raises(InputError, match="none of its 1 id is in this pool"):
        begin_round(now.dataset, LabelsRead({"nobody": "a"}))


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "jsonl"])
def test_a_table_of_labels_in_every_format(tmp_path, suffix):
    frame = pd.DataFrame(
        {"ID": ["007", "8", "9", "9", "10", "10", "11"], "Label": ["x", None, "y", "y", "x", "y", None]}
    ).assign(batch=[1, 2, 1, 1, 1, 1, None])
    path = tmp_path / f"labels.{suffix}"
    if suffix == "parquet":
        frame.to_parquet(path)
    elif suffix == "jsonl":
        path.write_text(
            "".join(
                json.dumps(row) + "\n" for row in frame.astype(object).where(frame.notna(), None).to_dict("records")
            )
        )
    else:
        frame.astype({"batch": "Int64"}).to_csv(path, index=False, sep="\t" if suffix == "tsv" else ",")
    read = read_labels(path)
    assert read.labels == {"007": "x", "9": "y"}
    assert read.pending == ("8", "10"), "10 has two labels, and waits for a decision"
    assert read.batches == {"007": 1, "8": 2, "9": 1, "10": 1}
    assert any("2 ids stand in several rows" in note for note in read.notes)
    assert any("1 ids have different labels" in note for note in read.notes)
    (tmp_path / "copy.csv").write_text(read.text)
    assert read_labels(tmp_path / "copy.csv").digest == read.digest


def test_a_column_called_state_about_something_else_is_none_of_ours(tmp_path):
    (tmp_path / "a.csv").write_text("id,state,label\na,TX,x\nb,CA,\n")
    read = read_labels(tmp_path / "a.csv")
    assert read.labels == {"a": "x"}
    assert read.pending == ()
    (tmp_path / "b.csv").write_text("name,label\na,x\n")
    with pytest.raises(InputError, match="has no column id; labels need a column id and a column label"):
        read_labels(tmp_path / "b.csv")


def test_what_few_labels_ask_for(tmp_path):
    np.savez(tmp_path / "x.npz", X=X, ids=np.array(IDS))
    plain = load_dataset(str(tmp_path / "x.npz"))

    def task(*labels: str) -> Task:
        read = LabelsRead(dict(zip(IDS, labels, strict=False)))
        return known_targets(begin_round(plain, read).dataset).task

    assert task("0", "3", "7", "9") is Task.CLASSIFICATION, "single digits are classes however few"
    assert task("23.5", "41.25", "37") is Task.REGRESSION
    assert task("cat", "7") is Task.CLASSIFICATION
    one = make_pool(begin_round(plain, LabelsRead(dict.fromkeys(IDS[:5], "cat"))).dataset, device="cpu")
    with pytest.raises(InputError, match="needs labels of two classes, and all 5 so far are cat"):
        select(one, "entropy", 3)
