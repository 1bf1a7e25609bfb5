"""Overview in every state: demo missing, queued, half done, done, failed, deleted."""

import time

import pytest

from dashboard.components.overview.sentence import caption, sentence
from dashboard.services import demo, figures
from dashboard.services.jobs import Jobs
from skmm_core.config import RunConfig
from skmm_core.data import load
from skmm_core.errors import InputError
from skmm_core.runs import RunState


def wait_for(what, seconds=30):
    """Wait for a background thread, up to a bound."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_the_first_visit_prepares_the_demo_and_submits_its_selection_once(empty, visit, words):
    app = visit("overview")
    assert not app.exception
    assert "Preparing" in words(app) or "Waiting" in words(app)
    wait_for(empty.records)
    assert [run.config for run in empty.records()] == [demo.SELECT]
    app.run()
    assert not app.exception
    assert "Waiting" in words(app)
    assert "Cancel" in [button.label for button in app.button]
    assert len(empty.records()) == 1


def test_the_comparison_is_submitted_when_the_selection_has_ended(empty, visit, monkeypatch):
    monkeypatch.setattr(demo, "_HEAD_START", 0.0)
    visit("overview")
    empty.cancel(wait_for(empty.records)[0].id)
    wait_for(lambda: len(empty.records()) == 2)
    assert [run.config for run in reversed(empty.records())] == [demo.SELECT, demo.COMPARE]


def test_other_digits_than_expected_are_run_as_they_are(empty, visit, monkeypatch, fail):
    true = demo.DIGITS
    monkeypatch.setattr(demo, "DIGITS", "sha256:other")
    visit("overview")
    fail(empty, wait_for(empty.records)[0].id, "the data changed")
    wait_for(lambda: [run.fingerprint for run in empty.records()] == [true])


def test_the_sentence_is_the_one_of_the_splits_and_needs_no_comparison(ready, visit, words):
    for run in ready.records(kind="compare"):
        ready.delete(run.id)
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
    assert "File with one row a point" in [each.label for each in app.file_uploader] or app.radio(key="data:builtin")


def test_a_demo_that_failed_while_watched_says_why_and_can_be_started_again(empty, visit, fail):
    fingerprint = load.load_dataset(demo.SELECT.dataset).fingerprint
    run, other = (empty.create(config, fingerprint) for config in (demo.SELECT, demo.COMPARE))
    app = visit("overview")
    fail(empty, run.id, "the disk is full; free some space")
    app.run()
    assert not app.exception
    assert app.error[0].value.replace("\\", "") == "the disk is full; free some space"
    app.button(key=f"again-{run.id}").click().run()
    assert empty.get(run.id).state is RunState.QUEUED
    assert empty.get(other.id).state is RunState.QUEUED


def test_a_demo_that_an_earlier_server_left_failed_is_made_again(empty, visit, fail):
    fingerprint = load.load_dataset(demo.SELECT.dataset).fingerprint
    run = empty.create(demo.SELECT, fingerprint)
    fail(empty, run.id, "the process ended")
    app = visit("overview")
    assert not app.error
    assert empty.get(run.id).state is RunState.QUEUED


def test_a_demo_that_cannot_be_made_is_told_in_one_line(empty, visit, monkeypatch):
    def refuse(jobs, config, fingerprint):
        raise InputError("the disk cannot be read")

    monkeypatch.setattr(Jobs, "submit", refuse)
    app = visit("overview")
    assert not app.exception
    wait_for(lambda: app.run().error)
    assert app.error[0].value == "The demo could not be made\\: the disk cannot be read"


@pytest.mark.parametrize("config", [demo.SELECT, demo.COMPARE])
def test_demo_configs_survive_their_own_json(config):
    assert RunConfig.model_validate_json(config.model_dump_json()) == config


def test_the_demo_knows_the_fingerprint_of_the_digits():
    assert load.load_dataset(demo.SELECT.dataset).fingerprint == demo.DIGITS
