"""Home: the example that comes with the dashboard, and the person's projects."""

import pytest

from dashboard.components.overview.sentence import caption, sentence
from dashboard.services import demo, figures
from skmm_core.config import RunConfig
from skmm_core.data import load
from skmm_core.projects import ProjectStore
from skmm_core.runs import RunState


def test_a_first_visit_shows_the_finished_example_and_starts_nothing(empty, visit, words):
    app = visit("overview")
    assert not app.exception
    assert "SkMM Dashboard" in words(app)
    assert "worth labelling" in words(app)
    assert len(app.get("plotly_chart")) == 1
    assert {run.kind: run.state for run in empty.records()} == {"select": RunState.DONE, "compare": RunState.DONE}


def test_a_deleted_example_comes_back(empty, visit):
    visit("overview")
    for run in empty.records():
        empty.delete(run.id)
    app = visit("overview")
    assert not app.exception
    assert not app.error
    assert len(empty.records()) == 2


def test_an_example_that_cannot_be_opened_is_told_in_one_line(empty, visit, monkeypatch, tmp_path):
    monkeypatch.setattr(demo, "_FOLDER", tmp_path)
    app = visit("overview")
    assert not app.exception
    assert "The example could not be opened" in app.error[0].value.replace("\\", "")


def test_projects_say_how_far_their_labels_are_and_lead_back(empty, visit, words):
    digits = load.load_dataset(demo.SELECT.dataset)
    store = ProjectStore(empty.home)
    card = store.begin(demo.SELECT.dataset, digits.fingerprint, name="Handwriting")
    project, items = store.open(card.id), [str(id_) for id_ in digits.ids[:4]]
    project.add_batch("0" * 12, items)
    project.label({items[0]: "3"}, by="me")
    app = visit("overview")
    assert "Handwriting · 1 of 4 labelled · 3 waiting for a label" in words(app)
    app.button(key=f"project:{card.id}").click().run()
    assert not app.exception
    assert "digits · batch 1 · 1 labelled · 3 waiting · 1,074 left" in words(app)
    project.label(dict.fromkeys(items[1:], "4"), by="me")
    assert "4 of 4 labelled · next 4" in words(visit("overview"))


def test_the_sentence_is_the_one_of_the_splits(ready, visit, words):
    app = visit("overview")
    assert not app.exception
    assert not app.error
    made = figures.digits_splits()
    assert sentence(made, title="SkMM").replace("**", "").replace("\u00a0", " ") in words(app)
    assert caption(made).replace("\u00a0", " ") in words(app)
    assert "60 chosen points" in words(app)
    assert len(app.get("plotly_chart")) == 1
    assert {button.label for button in app.button} >= {"Use my data", "Learn why it works"}


def test_learn_why_opens_the_first_step_of_learn(ready, visit, words):
    app = visit("overview")
    next(button for button in app.button if button.label == "Learn why it works").click().run()
    assert not app.exception
    assert "Why pick at all?" in words(app)


def test_use_my_data_goes_to_data(ready, visit):
    app = visit("overview")
    next(button for button in app.button if button.label == "Use my data").click().run()
    assert not app.exception
    assert app.file_uploader(key="data:file"), "the upload, not the list of built-in sets"


@pytest.mark.parametrize("config", [demo.SELECT, demo.COMPARE])
def test_demo_configs_survive_their_own_json(config):
    assert RunConfig.model_validate_json(config.model_dump_json()) == config
