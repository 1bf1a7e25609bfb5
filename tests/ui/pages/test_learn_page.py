"""Learn in every step: its scene is there, links restore its control, questions are answered, steps follow."""

import json

import pytest

STEPS = {
    "Why": ("1. Why pick at all?", "picks", "24"),
    "Variance": ("2. Variance", "side", "5"),
    "Bias": ("3. Bias", "seen", "1"),
    "Sketch": ("4. Sketching", "m", "64"),
    "SkMM": ("5. SkMM", "picker", "Variance reduction"),
}


@pytest.fixture
def learn(empty, visit):
    def open_step(**query):
        return visit("learn", **query)

    return open_step


def button(app, label):
    return next(each for each in app.button if each.label == label)


def sent(app):
    """What the browser gets of the scene."""
    (stage,) = app.get("bidi_component")
    return json.loads(stage.proto.json or stage.proto.mixed.json)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_draws_its_scene_and_a_question(learn, words, step):
    app = learn(step=step)
    assert not app.exception
    assert not app.error
    assert STEPS[step][0] in words(app)
    data = sent(app)
    assert data["at"] == data["scene"]["control"]["start"]
    assert data["scene"]["control"]["param"] == STEPS[step][1]
    assert "Check yourself." in words(app)


@pytest.mark.parametrize("step", STEPS)
def test_a_link_restores_the_control(learn, step):
    _, key, value = STEPS[step]
    app = learn(step=step, **{key: value})
    assert not app.exception
    data = sent(app)
    assert data["at"] != data["scene"]["control"]["start"]
    assert data["scene"]["control"]["values"][data["at"]] == value


@pytest.mark.parametrize("value", ["", "999", "nonsense", "<b>"])
def test_a_link_to_nowhere_opens_the_start(learn, words, value):
    app = learn(step=value, picks=value, clusters="1,1,5")
    assert not app.exception
    assert "1. Why pick at all?" in words(app)
    assert sent(app)["scene"]["control"]["values"][sent(app)["at"]] == "12"


def test_an_emptied_switch_stands_at_its_start(learn):
    app = learn(step="")
    button(app, "Next").click().run()
    assert app.session_state["step"] == "Variance"


@pytest.mark.parametrize(("answer", "verdict"), [(1, "Right."), (0, "Not quite.")])
def test_an_answer_is_explained(learn, words, answer, verdict):
    app = learn(step="Sketch")
    radio = app.radio(key="learn:answer:Sketch")
    assert radio.value is None
    assert "40 maps" not in words(app)
    radio.set_value(radio.options[answer]).run()
    assert verdict in words(app)
    assert "It falls as 1/√m" in words(app)


def test_buttons_walk_through_all_steps(learn, words):
    app = learn()
    seen = []
    for _ in range(6):
        seen.append(app.session_state["step"])
        assert not app.exception
        if not button(app, "Next").disabled:
            button(app, "Next").click().run()
    assert seen == [*STEPS, "Playground"]
    assert button(app, "Next").disabled
    button(app, "Back").click().run()
    assert app.session_state["step"] == "SkMM"
    assert button(learn(), "Back").disabled


def test_presenter_mode_hides_the_chrome_and_ends(learn):
    def hides(app):
        return any('[data-testid="stHeader"]' in str(each.proto.body) for each in app.get("html"))

    app = learn(step="Bias", present="true")
    assert not app.exception
    assert hides(app)
    button(app, "End").click().run()
    assert not hides(app)
    assert not app.toggle(key="present").value


def test_the_playground_adds_and_removes_clusters(learn, words):
    app = learn(step="Playground")
    assert not app.exception
    assert len(app.get("plotly_chart")) == 3
    app.number_input(key="learn:x").set_value(-1.5).run()
    button(app, "Add cluster").click().run()
    assert app.query_params["clusters"] == "1,0,55;0,1.5,5;-1.5,1,20"
    button(app, "Remove the last").click().run()
    assert app.query_params["clusters"] == "1,0,55;0,1.5,5"
    assert button(app, "Start over").disabled


def test_a_playground_link_restores_clusters_and_knobs(learn, words):
    app = learn(step="Playground", clusters="1,1,3", first="k-center", second="Uniform", budget="20", noise="1.0")
    assert not app.exception
    assert "With 3 labels: k-center" in words(app), "a budget above the pool takes all of it"
    assert app.slider(key="noise").value == 1.0
    full = learn(step="Playground", clusters=";".join(["1,1,3"] * 6))
    assert button(full, "Add cluster").disabled


def test_a_broken_playground_link_is_told_in_one_line(learn, words):
    app = learn(step="Playground", clusters="<b>,1,2")
    assert not app.exception
    assert len(app.error) == 1
    assert "cannot be read" in app.error[0].value
    assert "<b>" not in words(app)
