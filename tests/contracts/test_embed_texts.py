"""A table of texts made features: what the table says of its rows stands in the npz file, and is read back the same."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skmm_core.config import DatasetConfig, EmbedJob, RunConfig, SelectJob
from skmm_core.data import Task, load_dataset, load_texts, source_fingerprint
from skmm_core.encoders import text_features
from skmm_core.encoders.embedding import embed
from skmm_core.errors import Cancelled, InputError
from skmm_core.jobs.runner import run_folder
from skmm_core.progress import ignore
from skmm_core.report.selection import selection_view
from skmm_core.runs import RunState, RunStore, command_line, read_config, read_result
from skmm_core.runs.files import FEATURES, REPORT, SELECTION_CSV
from tests.contracts.text_folders import static_folder

COUNT = 24
CLASSES = ["pets", "money", "sport"]


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return str(static_folder(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def texts_of(count, seed=0):
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(["cat", "dog", "bank", "rate", "the"], 6)) + f" no {row}" for row in range(count)]


def write(path, **columns):
    pq.write_table(pa.table(columns), path)
    return str(path)


def made(tmp_path, model, config):
    """The npz file of a table, and the table, both as they are read."""
    out = tmp_path / "a.npz"
    result = embed(config, EmbedJob(reads="texts", model=model), out, device="cpu")
    return result, load_dataset(str(out)), load_texts(config)


def same(npz, table):
    """What of a dataset must survive."""
    assert npz.task == table.task
    assert npz.class_names == table.class_names
    assert npz.known_labels == table.known_labels
    assert npz.ids == table.ids
    assert npz.texts.values.equals(table.texts.values)
    for part in ("train", "validation", "test"):
        assert getattr(npz.split, part).tolist() == getattr(table.split, part).tolist()
    if table.targets is not None:
        assert npz.targets.dtype == table.targets.dtype
        assert npz.targets.tolist() == table.targets.tolist()
    else:
        assert npz.targets is None


TARGETS = {
    "classes": [CLASSES[row % 3] for row in range(COUNT)],
    "codes": [f"{row % 4:03}" for row in range(COUNT)],
    "numbered classes": [row % 3 + 5 for row in range(COUNT)],
    "booleans": [row % 2 == 0 for row in range(COUNT)],
    "measured": list(np.random.default_rng(1).normal(size=COUNT)),
    "counted": list(range(100, 100 + COUNT)),
    "far numbers": [1.7e9 + row / 3 for row in range(COUNT)],
    "some classes": [None if row % 2 else CLASSES[row % 3] for row in range(COUNT)],
    "some numbers": [None if row % 2 else 0.1 * row + 1e-7 for row in range(COUNT)],
    "some codes": [None if row % 2 else f"{row % 4:03}" for row in range(COUNT)],
    "some numbered classes": [None if row % 2 else row % 3 for row in range(COUNT)],
    "some booleans": [None if row % 3 == 0 else row % 2 == 0 for row in range(COUNT)],
    "nowhere": [None] * COUNT,
}


@pytest.mark.parametrize("kind", TARGETS)
def test_targets_are_those_of_the_table(kind, model, tmp_path):
    source = write(tmp_path / "t.parquet", text=texts_of(COUNT), label=TARGETS[kind])
    result, npz, table = made(tmp_path, model, DatasetConfig(source=source))
    same(npz, table)
    assert (table.known_labels is not None) == kind.startswith("some")
    assert (result["N"], result["d"], result["labelled"]) == (COUNT, 6, table.targets is not None)
    assert result["partly_labelled"] == table.partly_labelled
    assert npz.partly_labelled == table.partly_labelled


def test_labels_of_single_precision_are_kept_as_they_are_written(model, tmp_path):
    values = pa.array([None if row % 2 else 0.1 * row for row in range(COUNT)], pa.float32())
    source = write(tmp_path / "t.parquet", text=texts_of(COUNT), label=values)
    _, npz, table = made(tmp_path, model, DatasetConfig(source=source))
    same(npz, table)
    assert npz.known_labels[:3] == ("0", None, "0.2")


@pytest.mark.parametrize(("step", "task"), [(1, Task.CLASSIFICATION), (1.5, Task.REGRESSION)])
def test_many_numbered_classes_of_some_rows_are_no_values(step, task, model, tmp_path):
    numbers = [None if row % 4 == 3 else row % 30 * step for row in range(240)]
    table = write(tmp_path / "t.parquet", text=texts_of(240), label=numbers)
    made(tmp_path, model, DatasetConfig(source=table))
    npz = load_dataset(DatasetConfig(source=str(tmp_path / "a.npz"), labelled_only=True))
    known = load_texts(DatasetConfig(source=table, labelled_only=True))
    assert (npz.task, known.task) == (task, task)
    if task is Task.CLASSIFICATION:
        words = [[each.class_names[code] for code in each.targets.tolist()] for each in (npz, known)]
    else:
        words = [each.targets.tolist() for each in (npz, known)]
    assert words[0] == words[1]


def test_a_word_that_means_no_label_is_kept_as_none(model, tmp_path):
    labels = ["todo" if row % 2 else CLASSES[row % 3] for row in range(COUNT)]
    source = write(tmp_path / "t.parquet", text=texts_of(COUNT), label=labels)
    _, npz, table = made(tmp_path, model, DatasetConfig(source=source, unlabelled="todo"))
    same(npz, table)
    assert npz.known_labels[1] is None
    result, npz, table = made(tmp_path, model, DatasetConfig(source=source, unlabelled="todo", labelled_only=True))
    same(npz, table)
    assert (result["N"], npz.known_labels, npz.n_classes) == (COUNT // 2, None, 3)
    assert npz.ids == tuple(str(row) for row in range(0, COUNT, 2)), "rows of the table, where it names none"


@pytest.mark.parametrize("kind", ["classes", "measured", "some classes"])
def test_a_test_file_stays_apart(kind, model, tmp_path):
    ids = [f"test:{row}" for row in range(COUNT)]
    source = write(tmp_path / "t.parquet", body=texts_of(COUNT), label=TARGETS[kind], id=ids)
    held = [CLASSES[row % 3] if "classes" in kind else row / 7 for row in range(9)]
    test = write(tmp_path / "h.parquet", id=[f"test:{row}" for row in range(9)], label=held, body=texts_of(9, seed=5))
    result, npz, table = made(tmp_path, model, DatasetConfig(source=source, test=test))
    same(npz, table)
    assert result["parts"] == {"train": COUNT, "validation": 0, "test": 9}
    assert npz.ids[COUNT] == "test:test:0"
    assert npz.texts.text(COUNT) == texts_of(9, seed=5)[0]


def test_several_columns_of_text_are_joined(model, tmp_path):
    source = write(
        tmp_path / "t.parquet", title=["a cat", None, "the dog"], body=["sleeps", "one bank", ""], n=[1, 2, 3]
    )
    result, npz, _ = made(tmp_path, model, DatasetConfig(source=source, text="title,body"))
    assert npz.texts.values.to_pylist() == ["a cat\nsleeps", "one bank", "the dog"]
    lines = {line["part"]: line for line in result["reading"]}
    assert (lines["Texts"]["taken"], lines["Left out"]["change"]) == ("'title', 'body'", "--text")


def test_rows_without_a_text_are_left_out_and_said(model, tmp_path):
    texts = texts_of(COUNT)
    texts[3], texts[7] = "  ", None
    source = write(tmp_path / "t.parquet", text=texts, label=TARGETS["classes"])
    result, npz, table = made(tmp_path, model, DatasetConfig(source=source))
    same(npz, table)
    assert len(npz.features) == result["N"] == COUNT - 2
    assert "3" not in npz.ids
    assert any("2 of 24 rows have no text" in note for note in result["notes"])


def test_a_stopped_run_goes_on_and_gives_the_same_bytes(model, tmp_path, monkeypatch):
    monkeypatch.setattr(text_features, "BLOCK_ROWS", 8)
    monkeypatch.setattr(text_features, "_BATCH_ROWS", 3)
    config = DatasetConfig(source=write(tmp_path / "t.parquet", text=texts_of(COUNT)))
    job, told = EmbedJob(reads="texts", model=model), []

    def stop(progress):
        told.append(progress)
        if progress.phase == "Embedding texts" and progress.step >= 12:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        embed(config, job, tmp_path / "a.npz", device="cpu", report=stop)
    assert not list(tmp_path.glob("*.npz"))
    assert told[-1].total == COUNT
    assert set(told[-1].values) == {"texts/s"}
    assert embed(config, job, tmp_path / "a.npz", device="cpu")["encoded"] == COUNT - 8
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "fresh"))
    assert embed(config, job, tmp_path / "b.npz", device="cpu")["encoded"] == COUNT
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_where_one_text_ends_counts_for_the_cache(model, tmp_path):
    for names, encoded in ((["the cat", "dog"], 2), (["the", " catdog"], 2), (["the cat", "dog"], 0)):
        source = write(tmp_path / "t.parquet", text=names)
        found = embed(
            DatasetConfig(source=source), EmbedJob(reads="texts", model=model), tmp_path / "a.npz", device="cpu"
        )
        assert found["encoded"] == encoded


def test_making_features_of_texts_is_an_ordinary_run(home, model, tmp_path):
    source = write(tmp_path / "t.parquet", text=texts_of(COUNT), label=TARGETS["classes"])
    store = RunStore(home)
    config = RunConfig(
        dataset=DatasetConfig(source=source, text="text"), job=EmbedJob(reads="texts", model=model), device="cpu"
    )
    run = store.create(config, source_fingerprint(source))
    assert (run.kind, run.dataset, run.method, run.budget) == ("embed", "t.parquet", "tiny", "")
    assert run.name == "t.parquet · features by tiny"
    run_folder(run.folder, ignore)
    assert store.get(run.id).state is RunState.DONE
    result = read_result(run.folder)
    cut = sum(len(text) > 8 * 4 for text in texts_of(COUNT))  # model2vec cuts by letters first
    assert (result["reads"], result["N"], result["cut_count"]) == ("texts", COUNT, cut)
    assert [line["part"] for line in result["reading"]] == ["Format", "Texts", "Target", "Id"]
    assert result["texts_per_second"] > 0
    report = (run.folder / REPORT).read_text()
    assert f"{COUNT} texts, 6 features each" in report
    assert "Train texts" in report
    assert load_dataset(str(run.folder / FEATURES)).class_names == ("money", "pets", "sport")
    words = f"embed --texts {source} --text text --model {model} --device cpu --out out.npz"
    assert command_line(read_config(run.folder)) == f"python -m skmm_core {words}"


def test_chosen_rows_are_shown_with_their_texts(home, model, tmp_path):
    texts = texts_of(COUNT)
    texts[0] = '<script>alert(1)</script> the cat\nsaid, "so" ' + "bank " * 200
    source = write(tmp_path / "t.parquet", text=texts, label=TARGETS["classes"])
    embed(DatasetConfig(source=source), EmbedJob(reads="texts", model=model), tmp_path / "a.npz", device="cpu")
    config = RunConfig(dataset=DatasetConfig(source=str(tmp_path / "a.npz")), job=SelectJob(budget=4, include=(0,)))
    dataset = load_dataset(config.dataset)
    run = RunStore(home).create(config, dataset.fingerprint)
    run_folder(run.folder, ignore)
    import pandas as pd

    table = pd.read_csv(run.folder / SELECTION_CSV)
    assert table["text"].tolist() == [texts[row] for row in table["row"]]
    report = (run.folder / REPORT).read_text()
    assert "<script>alert(1)" not in report
    assert "&lt;script&gt;alert(1)&lt;/script&gt; the cat said" in report
    view = selection_view(run.folder, read_result(run.folder))
    place = [column["name"] for column in view["columns"]].index("text")
    assert max(len(row[place]) for row in view["rows"]) <= 300


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"source": "digits"}, "digits is no table"),
        ({"holdout": 0.2}, "leave out --holdout"),
        ({"features": "n"}, "leave out --features"),
        ({"text": "n"}, "'n' holds no text"),
        ({"text": "gone"}, "has no column 'gone' for --text"),
    ],
)
def test_what_cannot_be_is_one_line(asked, line, model, tmp_path):
    source = write(tmp_path / "t.parquet", text=texts_of(5), n=[1, 2, 3, 4, 5])
    with pytest.raises(InputError, match=line):
        embed(
            DatasetConfig(**{"source": source, **asked}),
            EmbedJob(reads="texts", model=model),
            tmp_path / "a.npz",
            device="cpu",
        )
    assert not (tmp_path / "a.npz").exists()
