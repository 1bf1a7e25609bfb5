"""Labelling by keys and by mouse in a real browser: whatever stops, nothing is lost and nothing is doubled."""

import os
import re
import signal

import numpy as np
import pytest
from driver import Visitor, serve
from playwright.sync_api import expect

from skmm_core.config import DatasetConfig, RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.jobs.runner import run_folder
from skmm_core.projects import ProjectStore
from skmm_core.runs import RunStore

pytestmark = pytest.mark.browser
PAGE = "pick"
COUNT, PICKED = 40, 9


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Finished selections of texts and of pictures, none of which is a batch yet."""
    home = tmp_path_factory.mktemp("label") / "home"
    path, texts = (
        home / "uploads" / "reviews.npz",
        [f"Review {i} of a film <b>about</b> cats. " * 3 for i in range(COUNT)],
    )
    path.parent.mkdir(parents=True)
    data = [text.encode() for text in texts]
    np.savez(
        path, X=np.random.default_rng(0).normal(size=(COUNT, 5)).astype(np.float32),
        ids=np.array([f"r{i}" for i in range(COUNT)]),
        texts=np.frombuffer(b"".join(data), np.uint8), text_ends=np.cumsum([len(each) for each in data]),
    )  # fmt: skip
    return home


@pytest.fixture(scope="module")
def served(chromium, home):
    with serve(home) as running:
        yield running


@pytest.fixture
def open_tab(chromium, served):
    contexts = []

    def make(server=served, *, width=1440):
        contexts.append(chromium.new_context(viewport={"width": width, "height": 900}))
        return Visitor(contexts[-1].new_page(), server)

    yield make
    for context in contexts:
        context.close()


def pick(home, source, *, seed=0):
    """Id and fingerprint of a finished selection."""
    store, config = RunStore(home), DatasetConfig(source=source)
    fingerprint = load_dataset(config).fingerprint
    job = SelectJob(method="uniform", budget=PICKED, seed=seed)
    record = store.create(RunConfig(dataset=config, job=job), fingerprint)
    run_folder(record.folder, home=home)
    return record.id, fingerprint


def project_of(home, fingerprint):
    store = ProjectStore(home)
    return store.open(store.of_pool(fingerprint).id)


def count(tab, text):
    expect(tab.page.locator(".station .count")).to_contain_text(text)


def press(tab, key, then):
    tab.page.keyboard.press(key)
    count(tab, then)


def type_class(tab, name, then):
    tab.page.keyboard.press("n")
    tab.page.keyboard.type(name)
    tab.page.keyboard.press("Enter")
    count(tab, then)


def shown_id(tab):
    return tab.page.locator(".station figcaption").inner_text().split(" · number")[0].split(" · ")[-1]


def test_keys_label_texts_and_nothing_is_lost_by_a_refresh_or_doubled_by_a_second_tab(home, open_tab):
    run, fingerprint = pick(home, str(home / "uploads" / "reviews.npz"))
    tab = open_tab()
    tab.open(f"{PAGE}?view=Label&run={run}")
    tab.press(f"Label these {PICKED} points")
    count(tab, f"0 of {PICKED}")
    project = project_of(home, fingerprint)
    order = project.state().pending
    expect(tab.page.locator(".station .text")).to_contain_text("<b>about</b>")
    type_class(tab, "dull, sad", "1 of")  # its letters are no keys while it is typed
    press(tab, "1", "2 of")
    type_class(tab, "good", "3 of")
    press(tab, "2", "4 of")
    press(tab, "s", "1 skipped")
    state = project.state()
    assert [state.labels.get(item) for item in order[:5]] == ["dull, sad", "dull, sad", "good", "good", None]
    assert state.skipped == {order[4]}
    press(tab, "z", "4 of")
    assert not project.state().skipped
    assert tab.barriers() == []
    assert tab.trouble() is None
    done = project.version()
    tab.page.reload()
    count(tab, "4 of")
    assert shown_id(tab) == order[4]
    assert project.version() == done
    other = open_tab()
    other.open(f"{PAGE}?view=Label&run={run}")
    count(other, "4 of")
    assert shown_id(other) == order[4]
    press(tab, "1", "5 of")
    press(other, "2", "5 of")
    expect(other.page.locator(".station .note")).to_contain_text("had become “dull, sad” in another tab; now “good”")
    assert project.state().labels[order[4]] == "good"
    assert project.version()[0] == done[0] + 2
    tab.page.keyboard.press("ArrowLeft")
    expect(tab.page.locator(".station figcaption")).to_contain_text("good")
    for number in range(6, PICKED + 1):
        press(other, "1", f"{number} of")
    tab.expect_visible(other.page.get_by_text(re.compile("All done")))
    other.button(re.compile("Pick the next")).click()
    count(other, f"0 of {PICKED} · batch 2")
    assert set(project.state().pending).isdisjoint(order)
    press(other, "2", "1 of")


def test_the_mouse_alone_labels_pictures_one_by_one_and_in_a_grid(home, open_tab):
    run, fingerprint = pick(home, "digits")
    tab = open_tab(width=800)
    tab.open(f"{PAGE}?view=Label&run={run}")
    tab.press(f"Label these {PICKED} points")
    desk = tab.page.locator(".station")
    tab.expect_picture(desk.locator(".view img"))
    desk.locator(".classes button", has_text="3").first.click()
    count(tab, "1 of")
    project = project_of(home, fingerprint)
    order = project.state().batches[0].items
    assert project.state().labels == {order[0]: "3"}
    desk.get_by_role("button", name="Skip").click()
    count(tab, "1 skipped")
    desk.get_by_role("button", name=re.compile("Undo: skip")).click()
    count(tab, "1 of")
    desk.get_by_role("button", name="Back").click()
    expect(desk.locator(".classes button[aria-pressed=true]")).to_contain_text("3")
    tab.page.get_by_text("Grid", exact=True).click()
    cells = desk.locator(".cell")
    expect(cells).to_have_count(PICKED)
    for place in (2, 4):
        cells.nth(place).click()
    expect(desk.locator(".cell[aria-pressed=true]")).to_have_count(2)
    desk.locator(".classes button", has_text="7").first.click()
    count(tab, "3 of")
    assert project.state().labels == {order[0]: "3", order[2]: "7", order[4]: "7"}
    desk.get_by_role("button", name="Mark all without an answer").click()
    expect(desk.locator(".cell[aria-pressed=true]")).to_have_count(PICKED - 3)
    assert tab.barriers() == []
    assert tab.trouble() is None
    tab.page.reload()
    count(tab, "3 of")
    tab.settle()
    assert tab.shift() <= 0.05, "what is seen first stays where it is"
    desk.get_by_role("button", name=re.compile("Undo: label 2 points as 7")).click()
    count(tab, "1 of")


def test_numbers_are_typed_and_a_server_that_is_killed_loses_none(home, open_tab):
    run, fingerprint = pick(home, "diabetes")
    with serve(home) as first:
        tab = open_tab(first)
        tab.open(f"{PAGE}?view=Label&run={run}")
        tab.press(f"Label these {PICKED} points")
        field = tab.page.locator(".station .type input")
        for number, text in enumerate(("3.5", "-2", "1e3"), start=1):
            expect(field).to_be_focused()
            tab.page.keyboard.type(text)
            press(tab, "Enter", f"{number} of")
        tab.page.keyboard.type("many")
        tab.page.keyboard.press("Enter")
        expect(tab.page.locator(".station .note")).to_contain_text("“many” is no number")
        field.fill("")
        project = project_of(home, fingerprint)
        order, done = project.state().batches[0].items, project.version()
        os.kill(first.pid, signal.SIGKILL)
        tab.page.keyboard.type("8")
        tab.page.keyboard.press("Enter")
        with serve(home, int(first.url.rsplit(":", 1)[1])):
            tab.settle()
            expect(tab.page.locator(".station")).not_to_have_attribute("aria-busy", "true")
            count(tab, "3 of")
            assert shown_id(tab) == order[3]
            assert project.version() == done, "what the server did not get is no answer"
            field.fill("9")
            press(tab, "Enter", "4 of")
            labels = project.state().labels
            assert [labels.get(item) for item in order[:5]] == ["3.5", "-2", "1e3", "9", None]
            assert project.version()[0] == done[0] + 1
