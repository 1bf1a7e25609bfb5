"""Labelling in the dashboard, without a browser: the queue, keys of classes, the pace, and what presses do."""

import numpy as np
import pytest
import torch

from dashboard.components.label.answers import Place, act, read_press
from dashboard.components.label.classes import class_keys, class_names, read_answer, read_list
from dashboard.components.label.desk import Answers, desk_data
from dashboard.components.label.guess import guesses
from dashboard.components.label.pace import pace, pace_words
from dashboard.components.label.pictures import make_ready
from dashboard.components.label.queue import Queue
from skmm_core.config import DatasetConfig
from skmm_core.data.load import load_dataset
from skmm_core.errors import InputError
from skmm_core.projects import ME, ProjectStore, Scheme

DIGITS = DatasetConfig(source="digits")
FIRST, SECOND = ("p3", "p1", "p2"), ("p7", "p5")


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path))


@pytest.fixture
def project(tmp_path):
    """A project with two batches of three and two points."""
    store = ProjectStore(tmp_path)
    project = store.open(store.begin(DatasetConfig(source="points.csv"), "sha256:ab", name="points").id)
    project.add_batch("one", FIRST)
    project.add_batch("two", SECOND)
    return project


def press(does, *items, text="", seen=None):
    return read_press({"does": does, "items": list(items), "text": text, "seen": seen, "have": []})


def queue_of(project):
    return Queue.of(project.state())


def test_points_come_in_the_order_of_batches_and_picks(project):
    queue = queue_of(project)
    assert (queue.first(), queue.items) == ("p3", FIRST + SECOND)
    project.label({"p3": "cat", "p2": None})
    queue = queue_of(project)
    assert queue.first() == "p1"
    assert queue.after("p1") == "p7", "the skipped one is passed over"
    assert queue.after("p5") == "p1", "round to what was left for later"
    assert queue.ahead("p3", 2) == ("p1", "p7")
    assert [queue.step("p1", by) for by in (-1, 1, -9, 9)] == ["p3", "p2", "p3", "p5"], "answered ones are steps too"
    assert queue.current_batch().number == 1
    assert queue.left(FIRST) == 1
    project.label(dict.fromkeys(["p1", *SECOND], "dog"))
    assert queue_of(project).first() is queue_of(project).after("p3") is None
    assert queue_of(project).current_batch().number == 2


def test_a_page_of_a_grid_is_of_one_batch_and_is_finished_before_the_next(project):
    queue = queue_of(project)
    assert [queue.sheet(item, 2) for item in ("p3", "p1", "p2", "p5")] == [("p3", "p1"), ("p3", "p1"), ("p2",), SECOND]
    project.label({"p1": "cat"})
    assert queue_of(project).after_sheet("p1", 2) == "p3", "the one before is on the same page"
    project.label({"p3": "cat"})
    assert queue_of(project).after_sheet("p3", 2) == "p2"


def test_an_answer_is_kept_and_the_next_point_is_shown(project):
    place = act(project, press("answer", "p3", text="cat"), Place(), names=("cat",))
    assert (place.item, place.note) == ("p1", "")
    place = act(project, press("skip", "p1"), place)
    assert place.item == "p2"
    state = project.state()
    assert (state.labels, state.skipped) == ({"p3": "cat"}, {"p1"})
    place = act(project, press("back"), place)
    assert place.item == "p1"
    place = act(project, press("answer", "p1", text=" a  new   class "), place)
    assert project.state().labels["p1"] == "a new class"
    assert act(project, press("answer", "p2", text="two  blanks"), place, names=("two  blanks",)).item == "p7"
    assert project.state().labels["p2"] == "two  blanks", "a class of the file is taken as it is written"


def test_what_was_never_picked_or_makes_no_sense_changes_nothing(project):
    before = project.version()
    for told in (None, 5, {}, {"does": "drop"}, {"does": ["answer"]}):
        assert read_press(told) is None
    place = Place("p3")
    assert act(project, press("answer", "p99", text="cat"), place) == place
    assert act(project, press("look"), place) == place
    assert act(project, read_press({"does": "answer", "items": "p3", "text": "cat"}), place) == place
    for text in ("", "   ", "x" * 201):
        with pytest.raises(InputError):
            act(project, press("answer", "p3", text=text), place)
    with pytest.raises(InputError, match="no number"):
        act(project, press("answer", "p3", text="cat"), place, numbers=True, names=("cat",))
    assert project.version() == before


def test_the_same_answer_twice_is_one_action_and_undo_takes_one_back(project):
    for _ in range(2):
        place = act(project, press("answer", "p3", text="cat"), Place())
    assert place.item == "p1"
    place = act(project, press("undo", text="label p3 as cat"), place)
    assert (place.item, place.note) == ("p3", "Undone: label p3 as cat")
    assert not project.state().labels
    kept = act(project, press("undo", text="label p3 as cat"), place)
    assert "Something else" in kept.note
    assert len(project.state().batches) == 2, "no key takes a batch away"


def test_a_second_tab_overwrites_as_an_action_of_its_own_and_says_so(project):
    act(project, press("answer", "p3", text="cat", seen={"p3": None}), Place())
    place = act(project, press("answer", "p3", text="dog", seen={"p3": None}), Place())
    assert "p3 had become “cat” in another tab; now “dog”" in place.note
    assert project.state().labels == {"p3": "dog"}
    again = act(project, press("answer", "p3", text="cow", seen={"p3": "dog"}), Place())
    assert again.note == "", "who saw the label changes it knowingly"
    assert project.undo() == "label p3 as cow"
    act(project, press("undo", text=project.last_action()), place)
    assert project.state().labels == {"p3": "cat"}


def test_an_answer_settles_what_others_disagree_on(project):
    project.label_by({"ann": {"p3": "cat", "p1": "cat"}, "bob": {"p3": "dog", "p1": "dog"}})
    act(project, press("answer", "p3", text="dog"), Place())
    act(project, press("skip", "p1"), Place())
    state = project.state()
    assert (state.labels, state.skipped, state.disputed) == ({"p3": "dog"}, {"p1"}, {})
    assert state.answers["p3"] == {"ann": "cat", "bob": "dog", "decision": "dog"}


def test_several_points_of_a_grid_are_one_action(project):
    place = act(project, press("answer", "p3", "p2", text="cat"), Place(sheet=3))
    assert place.item == "p1"
    assert project.last_action() == "label 2 points as cat"
    assert act(project, press("undo", text=project.last_action()), place).item == "p3"
    assert not project.state().answers


def test_classes_have_keys_and_one_called_like_a_key_has_that():
    keys = {each.name: each.key for each in class_keys(("cat", "1", "dog"), ["dog", "dog"])}
    assert keys == {"cat": "2", "1": "1", "dog": "3"}
    assert {each.name: each.key for each in class_keys(tuple("0123456789"), [])} == {d: d for d in "0123456789"}
    many = class_keys(tuple("abcdefghijkl"), "aab")
    assert "".join(each.key for each in many) == "1234567890"
    assert [each.count for each in many[:3]] == [2, 1, 0]
    assert class_names(("dog", "cat"), ["cat", "cow"], ["emu", "cow"]) == ("dog", "cat", "cow", "emu")
    assert read_list(" cat\n\n dog  house \ncat\n") == ("cat", "dog house")


@pytest.mark.parametrize("text", ["3.5", "-0.25", "+7", "1e3", ".5", "5.", " 42 "])
def test_numbers_are_read(text):
    assert read_answer(text, numbers=True) == text.strip()


@pytest.mark.parametrize("text", ["", "cat", "nan", "inf", "1e999", "3,5", "1_000", "٣", "0x1F", "1 2", "--1"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(InputError):
        read_answer(text, numbers=True)


def test_the_pace_leaves_out_breaks_and_files():
    steady = [(10.0 * step, 1) for step in range(5)]
    assert pace(steady) == pytest.approx(6)
    assert pace(steady[:3]) is None
    assert pace([*steady, (5000.0, 1), (5010.0, 1)]) == pytest.approx(6), "a break is no labelling"
    assert pace([(0.0, 1000), *steady[1:], (50.0, 1)]) == pytest.approx(6), "nor are labels from a file"
    assert pace([(at, 2) for at, _ in steady]) == pytest.approx(12)
    assert pace_words(steady, 30) == "6 a minute · about 5 min left"
    assert pace_words(steady, 0) == pace_words([], 9) == ""


@pytest.fixture
def digits():
    return load_dataset(DIGITS)


def test_the_desk_shows_one_point_and_sends_pictures_once(tmp_path, digits):
    store = ProjectStore(tmp_path)
    project = store.open(store.begin(DIGITS, digits.fingerprint, name="digits").id)
    ids = [digits.ids[row] for row in digits.split.train[:20].tolist()]
    project.add_batch("one", ids)
    shown = desk_data(digits, DIGITS, project, Place(), guessing=False)
    assert (shown["item"], shown["done"], shown["total"], shown["undo"]) == (ids[0], 0, 20, None)
    assert [each["key"] for each in shown["classes"]] == list("0123456789")
    assert set(shown["pictures"]) == {ids[0]}
    assert shown["ahead"] == ids[1:5]
    make_ready(digits, DIGITS, shown["ahead"])
    assert set(desk_data(digits, DIGITS, project, Place(), guessing=False)["pictures"]) == set(ids[:5])
    assert shown["tiny"]
    assert [each["id"] for each in shown["points"]] == ids[:1]
    assert shown["points"][0]["guess"] is None
    again = desk_data(digits, DIGITS, project, Place(ids[1], 12), guessing=False, have=frozenset(ids[:10]))
    assert [each["id"] for each in again["points"]] == ids[:12]
    assert set(again["pictures"]) == {ids[10], ids[11]}
    project.label(dict.fromkeys(ids, "3"))
    done = desk_data(digits, DIGITS, project, Place(), guessing=False)
    assert (done["item"], done["points"], done["done"]) == (None, [], 20)
    assert done["undo"] == "label 20 points"


def test_answers_are_numbers_where_the_data_or_the_project_say_so(tmp_path, digits):
    store, diabetes = ProjectStore(tmp_path), load_dataset(DatasetConfig(source="diabetes"))
    project = store.open(store.begin(DatasetConfig(source="diabetes"), diabetes.fingerprint, name="d").id)
    assert Answers.of(diabetes, project.state()).numbers
    assert not Answers.of(digits, project.state()).numbers
    project.keep_scheme(Scheme(("low", "high"), numbers=False))
    assert Answers.of(diabetes, project.state()).names == ("low", "high")
    project.keep_scheme(Scheme(numbers=None))
    project.label({f"p{n}": str(n) for n in range(30)}, by=ME)
    assert not Answers.of(digits, project.state()).names


def test_a_guess_is_that_of_the_nearest_class_or_numbers_and_never_of_the_own_label(digits):
    rows = digits.split.train[:200].tolist()
    labels = {digits.ids[row]: digits.class_names[int(digits.targets[row])] for row in rows}
    asked = [digits.ids[row] for row in digits.split.train[200:300].tolist()]
    found = guesses(digits, labels, asked, numbers=False)
    truth = [digits.class_names[int(digits.targets[row])] for row in digits.split.train[200:300].tolist()]
    assert np.mean([found[item] == label for item, label in zip(asked, truth, strict=True)]) > 0.6, (
        "by chance it is 0.1"
    )
    assert guesses(digits, dict.fromkeys(labels, "3"), asked, numbers=False) == {}, "one class is no model"
    wrong = labels | {asked[0]: "odd"}
    assert guesses(digits, wrong, asked[:1], numbers=False)[asked[0]] == found[asked[0]]
    near = digits.features[rows].double()
    scaled, own = digits.scaler(near), digits.scaler(digits.features[[digits.ids.index(asked[0])]])
    nearest = torch.cdist(own, scaled)[0].argsort()[:5]
    mean = np.mean([float(labels[digits.ids[rows[int(place)]]]) for place in nearest])
    assert float(guesses(digits, labels, asked[:1], numbers=True)[asked[0]]) == pytest.approx(mean, abs=0.01)
