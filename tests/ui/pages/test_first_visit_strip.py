"""The first visitor's way: the strip of steps, the one-press sample, and links from knobs and charts to Learn."""

import pytest

from dashboard.components.learn.steps import STEPS
from dashboard.components.shared import tour
from dashboard.components.shared.learn_link import EXPLAINS
from dashboard.services import demo


def links(app):
    """Labels of the links of a page."""
    return [link.proto.label for link in app.get("page_link")]


def stops(app):
    """Icons of the strip's steps; empty when the strip is hidden."""
    labels = [stop.label for stop in tour.STOPS]
    found = [link.proto for link in app.get("page_link") if link.proto.label in labels]
    assert [proto.label for proto in found] in ([], labels)
    return [proto.icon.removeprefix(":material/").removesuffix(":") for proto in found]


def demo_run(store, kind="select"):
    return next(run for run in store.records(kind=kind) if run.config in (demo.SELECT, demo.COMPARE))


def test_the_strip_shows_the_way_and_can_be_hidden(empty, visit):
    app = visit("select")
    assert stops(app) == ["counter_1", "counter_2", "counter_3", "counter_4"]
    app.button(key=tour.HIDE).click().run()
    assert not app.exception
    assert stops(app) == []
    app.switch_page("app_pages/data.py").run()
    assert stops(app) == []


def test_the_strip_marks_what_is_done(ready, visit, turn):
    run = demo_run(ready)
    app = visit("select", run=run.id)
    assert stops(app) == ["check_circle", "check_circle", "counter_3", "counter_4"]
    turn(app, "diagnose")
    turn(app, "select")
    assert stops(app) == ["check_circle", "check_circle", "check_circle", "counter_4"]
    compared = visit("compare", run=demo_run(ready, "compare").id)
    assert stops(compared) == ["check_circle"] * 4


@pytest.mark.parametrize("page", ["learn", "runs", "selections"])
def test_the_strip_keeps_out_of_other_pages(empty, visit, page):
    app = visit(page)
    assert not app.exception
    assert stops(app) == []


@pytest.mark.parametrize("page", ["select", "compare"])
def test_one_press_opens_the_sample(empty, visit, words, page):
    app = visit(page)
    assert "No dataset is open" in words(app)
    app.button(key="empty-state-fill").click().run()
    assert not app.exception
    assert "No dataset is open" not in words(app)
    assert {"select": "digits · 1,078 points", "compare": "pool of 1,078 points"}[page] in words(app)
    assert app.query_params["data"]


def test_every_step_of_learn_can_be_linked():
    assert set(EXPLAINS) == {step.name for step in STEPS}


def test_knobs_and_charts_link_to_the_step_that_explains_them(ready, visit):
    run = demo_run(ready)
    wanted = {f"Learn {EXPLAINS[step]}" for step in ("Why", "Sketch", "SkMM")}
    assert wanted <= set(links(visit("select", run=run.id)))
    wanted = {f"Learn {EXPLAINS[step]}" for step in ("Why", "Variance", "Bias", "SkMM")}
    app = visit("diagnose", run=run.id)
    assert wanted <= set(links(app))
    bias = next(link.proto for link in app.get("page_link") if link.proto.label == f"Learn {EXPLAINS['Bias']}")
    assert "step=Bias" in str(bias)
