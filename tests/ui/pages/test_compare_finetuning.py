"""Finetuning on the Compare page: what is offered for which dataset, what is submitted, and what the result says."""

import json

import numpy as np
import pytest
from PIL import Image

from dashboard.components.compare.finetune_form import BLOCK, HEAD, NONE
from skmm_core.config import CompareJob, DatasetConfig, EmbedJob, FinetuneParams, RunConfig
from skmm_core.data.load import load_dataset
from skmm_core.data.picture_source import source_fingerprint
from skmm_core.encoders import downloads
from skmm_core.jobs.runner import run_folder
from skmm_core.runs import RunState

TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "patch_size": 8, "head_width": 16},
    "text_cfg": {"context_length": 8, "vocab_size": 64, "width": 16, "heads": 2, "layers": 1},
}


@pytest.fixture
def album(tmp_path, empty, monkeypatch):
    monkeypatch.setenv("SKMM_DATA_ROOTS", str(tmp_path))
    monkeypatch.setattr(downloads, "_answers", lambda address: False)
    draw = np.random.default_rng(0)
    for part, count in (("train", 6), ("test", 3)):
        for name, low in (("dark", 0), ("light", 90)):
            folder = tmp_path / "album" / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = draw.integers(low, low + 160, (32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path / "album"


@pytest.fixture
def embedded(album, empty):
    """Make features of the pictures in a run; gives its record."""

    def make(job):
        config = RunConfig(dataset=DatasetConfig(source=str(album)), job=job)
        record = empty.create(config, source_fingerprint(str(album)))
        run_folder(record.folder, home=empty.home)
        assert empty.get(record.id).state is RunState.DONE, empty.get(record.id).error
        return empty.get(record.id)

    return make


@pytest.fixture
def network(tmp_path):
    """A transformer without trained weights, a few thousand of them."""
    path = tmp_path / "tiny-page-vit.json"
    path.write_text(json.dumps(TINY), "utf-8")
    return EmbedJob(model="tiny-page-vit", architecture=str(path), allow_random_weights=True)


def plain(text):
    """Text without the marks that keep names from being read as Markdown."""
    return text.replace("\\", "")


def way(app):
    return next(box for box in app.selectbox if box.key.endswith(":finetune:way"))


def comparison(store):
    (run,) = store.records(kind="compare")
    return run


def test_the_last_block_is_offered_for_features_of_a_network_and_the_run_is_scored_by_it(
    embedded, network, album, empty, visit, words
):
    made = embedded(network)
    app = visit("data", run=made.id).switch_page("app_pages/compare.py").run()
    assert not app.exception
    assert way(app).options == [NONE, HEAD, BLOCK]
    assert way(app).value == NONE
    way(app).set_value(BLOCK).run()
    assert "the last block of tiny-page-vit is trained anew for every selection" in plain(words(app))
    next(box for box in app.number_input if box.key.endswith(":finetune:epochs")).set_value(3).run()
    for box in app.checkbox:
        if ":method:" in box.key:
            box.set_value(box.key.endswith(":uniform"))
    next(box for box in app.text_input if box.key.endswith(":budgets")).set_value("4")
    next(box for box in app.number_input if box.key.endswith(":seeds")).set_value(2)
    app.button(key="compare-start").click().run()
    assert not app.exception
    assert not app.error
    run = comparison(empty)
    assert run.config.job.finetune == FinetuneParams(layers=2, images=str(album), encoder=network, epochs=3)
    run_folder(run.folder, home=empty.home)
    assert empty.get(run.id).state is RunState.DONE, empty.get(run.id).error
    app = visit("compare", run=run.id)
    assert not app.exception
    assert "Finetuning (FT) trains, on every selection, a linear head and the last block of tiny-page-vit." in plain(
        words(app)
    )
    assert way(app).value == BLOCK, "the form starts at what was run"


def test_pictures_outside_the_allowed_folders_are_not_read(embedded, network, empty, visit, monkeypatch):
    made = embedded(network)
    monkeypatch.delenv("SKMM_DATA_ROOTS")
    app = visit("data", run=made.id).switch_page("app_pages/compare.py").run()
    way(app).set_value(BLOCK).run()
    app.button(key="compare-start").click().run()
    assert "album cannot be read from here" in plain(app.error[0].value)
    assert not list(empty.records(kind="compare"))


@pytest.mark.parametrize("source", ["digits", "offline"])
def test_without_a_network_a_head_can_be_finetuned_and_a_line_says_what_the_block_needs(
    source, embedded, empty, visit, words
):
    if source == "digits":
        config = RunConfig(
            dataset=DatasetConfig(source="digits"), job=CompareJob(methods=("uniform",), budgets=(20,), seeds=2)
        )
        record = empty.create(config, load_dataset("digits").fingerprint)
        app = visit("compare", run=record.id)
    else:
        app = visit("data", run=embedded(EmbedJob()).id).switch_page("app_pages/compare.py").run()
    assert not app.exception
    assert way(app).options == [NONE, HEAD]
    assert "To train the last block of a network too, make the features in Data" in plain(words(app))
    way(app).set_value(HEAD).run()
    assert "A linear head on the features is trained anew" in plain(words(app))
    next(box for box in app.text_input if box.key.endswith(":budgets")).set_value("4").run()
    app.button(key="compare-start").click().run()
    assert FinetuneParams() in [run.config.job.finetune for run in empty.records(kind="compare")]
