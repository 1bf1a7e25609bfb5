"""Gradients and sketches in the Select form: a line of help for each, and only what fits."""

import pytest

from dashboard.components.workbench.gradient_form import GRADIENTS, SKETCHES
from dashboard.components.workbench.pick_line import TRAINING
from dashboard.services.sources import remember
from skmm_core.config import DatasetConfig, GradientParams, RunConfig, SelectJob, SketchParams
from skmm_core.jobs.runner import run_folder
from skmm_core.runs import RunState

DIABETES = DatasetConfig(source="diabetes")


@pytest.fixture
def form(empty, visit):
    return visit("select", data=remember(DIABETES))


def boxes(app, end):
    return [box for box in app.selectbox if str(box.key).endswith(end)]


def league(app, name):
    return next(each for each in app.segmented_control if each.key.endswith(":league")).set_value(name).run()


def test_every_kind_of_the_engine_has_a_line():
    for model, lines in ((GradientParams, GRADIENTS), (SketchParams, SKETCHES)):
        assert set(model.model_json_schema()["properties"]["kind"]["enum"]) == set(lines)


def test_who_saves_labels_is_offered_gradients_that_read_none(form, words):
    assert not boxes(form, "gradient:kind")
    assert "the tightest bound" in words(form).lower()
    assert "Kronecker" not in boxes(form, "sketch:kind")[0].options


def test_head_gradients_are_sketched_by_factors_and_run(form, empty, words):
    league(form, TRAINING)
    boxes(form, "gradient:kind")[0].set_value("head").run()
    assert not form.exception
    assert "Sees which points are hard" in words(form)
    assert boxes(form, "sketch:head:kind")[0].value == "kronecker"
    boxes(form, "gradient:targets")[0].set_value("random").run()
    form.button(key="pick").click().run()
    (run,) = empty.records()
    assert run.config == RunConfig(
        dataset=DIABETES,
        job=SelectJob(method="skmm_fit", budget=26),
        gradient=GradientParams(kind="head", targets="random"),
        sketch=SketchParams(kind="kronecker"),
    )
    run_folder(run.folder, home=empty.home)
    assert empty.get(run.id).state is RunState.DONE


def test_a_run_with_head_gradients_opens_as_it_was_asked_for(form, empty, visit):
    config = RunConfig(
        dataset=DIABETES,
        job=SelectJob(method="skmm", budget=9),
        gradient=GradientParams(kind="head"),
        sketch=SketchParams(kind="sparse", nonzeros=4),
    )
    app = visit("select", run=empty.create(config, "sha256:0").id)
    assert not app.exception
    assert boxes(app, "gradient:kind")[0].value == "head"
    assert boxes(app, "sketch:head:kind")[0].value == "sparse"
    assert next(each for each in app.number_input if each.key.endswith("sketch:head:nonzeros")).value == 4


def test_methods_that_look_at_no_gradient_are_offered_none(form):
    league(form, TRAINING)
    next(each for each in form.pills if ":family" in each.key).set_value("Geometric").run()
    assert not boxes(form, "gradient:kind")
