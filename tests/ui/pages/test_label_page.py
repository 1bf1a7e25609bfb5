"""The Label view in every state: no dataset, nothing picked, a selection to label, a desk, files out and in, done."""

import json

import pytest

from dashboard.services import demo
from dashboard.services.sources import remember
from skmm_core.config import DatasetConfig, RunConfig, SelectJob
from skmm_core.jobs.runner import run_folder
from skmm_core.projects import ProjectStore
from skmm_core.runs import RunState, RunStore, read_table

DIGITS = DatasetConfig(source="digits")


def demo_run(store):
    return next(run for run in store.records(kind="select") if run.config == demo.SELECT)


def picked(run):
    return [str(id_) for id_ in read_table(run.folder, "selection").sort_values("order")["id"]]


@pytest.fixture
def begun(ready):
    """The project of the demo's pool, with its selection as batch 1."""
    run, store = demo_run(ready), ProjectStore(ready.home)
    project = store.open(store.begin(run.config.dataset, run.fingerprint, name="digits").id)
    project.add_batch(run.id, picked(run))
    return project


@pytest.fixture
def desk(begun, ready, visit):
    return visit("pick", view="Label", run=demo_run(ready).id)


def upload(app, name, content):
    app.file_uploader(key="label:upload").upload(name, content, "text/csv").run()


def test_without_a_dataset_or_a_selection_the_page_says_what_to_do(empty, visit, words):
    assert "No dataset is open" in words(visit("pick", view="Label"))
    app = visit("pick", view="Label", data=remember(DIGITS))
    assert not app.exception
    assert "Nothing to label yet" in words(app)


def test_a_finished_selection_becomes_the_first_batch(ready, visit, words):
    run = demo_run(ready)
    app = visit("pick", view="Label", run=run.id)
    app.button(key="label:begin").click().run()
    assert not app.exception
    card = ProjectStore(ready.home).of_pool(run.fingerprint)
    assert card.dataset == run.config.dataset
    state = ProjectStore(ready.home).open(card.id).state()
    assert [(batch.number, batch.run) for batch in state.batches] == [(1, run.id)]
    assert list(state.pending) == picked(run), "in the order picked"
    assert "label:begin" not in [button.key for button in app.button]


def test_a_selection_with_points_of_an_earlier_batch_is_no_batch(begun, ready, visit, words):
    job = SelectJob(method="uniform", budget=400)
    record = RunStore(ready.home).create(RunConfig(dataset=DIGITS, job=job), demo_run(ready).fingerprint)
    run_folder(record.folder, home=ready.home)
    app = visit("pick", view="Label", run=record.id)
    assert "of earlier batches" in words(app)
    assert "label:begin" not in [button.key for button in app.button]


def test_classes_are_kept_with_the_project(desk, begun):
    desk.text_area[0].set_value("seven\nfour\n")
    next(button for button in desk.button if button.label == "Keep").click().run()
    assert not desk.exception
    assert begun.state().scheme.classes == ("seven", "four")


def test_points_go_out_to_a_tool_and_labels_come_back_by_id(desk, begun, words):
    order = begun.state().pending
    desk.selectbox(key="label:tool").set_value("Label Studio").run()
    desk.button(key="label:make").click().run()
    assert not desk.exception
    made = desk.session_state["label:made"]
    tasks = json.loads(made.content)
    assert [task["data"]["skmm_id"] for task in tasks] == list(order)
    upload(desk, "labels.csv", f"id,label\n{order[1]},seven\n{order[0]},four\nnobody,four\n".encode())
    assert begun.state().labels == {order[0]: "four", order[1]: "seven"}
    said = "\n".join(each.value for each in desk.success)
    assert "2 labels are new" in said.replace("\\", "")
    done = begun.version()
    desk.run()
    assert begun.version() == done, "an upload is read once"
    upload(desk, "bad.csv", b"id,label\nnobody,four\n")
    assert "none of its" in desk.error[0].value.replace("\\", "")
    assert begun.version() == done


def test_what_the_labels_are_worth_is_a_run_of_its_own(begun, ready, visit, words):
    begun.label({item: str(place % 2) for place, item in enumerate(begun.state().pending[:12])})
    app = visit("pick", view="Label", run=demo_run(ready).id)
    app.button(key="label:worth").click().run()
    assert not app.exception
    run = ready.records()[0]
    assert run.kind == "estimate"
    run_folder(run.folder, home=ready.home)
    app.run()
    assert not app.exception
    assert "A model of the 12 labels so far" in words(app).replace("\\", "")
    opened = visit("pick", view="Label", run=run.id)
    assert "A model of the 12 labels so far" in words(opened).replace("\\", "")
    assert "Labels came since" not in words(opened)
    begun.label({begun.state().pending[0]: "1"})
    assert "Labels came since" in words(app.run())


def test_after_the_last_point_it_is_said_what_comes_next(begun, ready, visit, words):
    begun.label(dict.fromkeys(begun.state().pending[:-1], "3"))
    begun.label({begun.state().pending[-1]: None})
    app = visit("pick", view="Label", run=demo_run(ready).id)
    assert not app.exception
    assert "All done" in words(app)
    assert "1 point skipped" in words(app)
    app.button(key="label:pick-next").click().run()
    assert not app.exception
    assert "being picked" in words(app)
    record = ready.records()[0]
    job, first = record.config.job, demo_run(ready).config.job
    assert (job.method, job.budget, record.state) == (first.method, first.budget, RunState.QUEUED)
    run_folder(record.folder, home=ready.home)
    app.run()
    assert not app.exception
    state = begun.state()
    assert [batch.run for batch in state.batches] == [demo_run(ready).id, record.id]
    assert set(state.batches[1].items).isdisjoint(state.batches[0].items)
    assert state.pending == state.batches[1].items
    assert "All done" not in words(app)
