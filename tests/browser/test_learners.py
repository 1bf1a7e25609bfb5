"""Learners in a real browser: one choice for every number on a page, kept on the next, at any width, in any theme."""

import pytest
from driver import CHART
from playwright.sync_api import expect

from dashboard.services import demo
from skmm_core.config import CompareJob, RunConfig
from skmm_core.data.load import load_dataset
from skmm_core.jobs.runner import run_folder

pytestmark = pytest.mark.browser
JOB = CompareJob(methods=("leverage", "uniform"), budgets=(12, 24), seeds=2)
COMPARE = RunConfig(dataset=demo.SELECT.dataset, job=JOB)


@pytest.fixture
def run(store):
    """A comparison under every learner that fits, small and finished."""
    record = store.create(COMPARE, load_dataset(COMPARE.dataset).fingerprint)
    run_folder(record.folder, home=store.home)
    return record


def choose(tab, title):
    tab.page.get_by_test_id("stButtonGroup").get_by_text(title, exact=True).first.click()
    tab.settle()


def test_the_learner_chosen_on_compare_is_that_of_present(visitor, run):
    visitor.open(f"compare?run={run.id}")
    visitor.expect_visible(visitor.page.get_by_text("What do picks and the automatic learner save together?"))
    choose(visitor, "Propagation")
    visitor.expect_visible(visitor.page.get_by_text("What do picks and propagation save together?"))
    visitor.view("Present")
    visitor.expect_visible(visitor.page.get_by_text("Scored with propagation.").first)
    choose(visitor, "Linear probe")
    visitor.expect_visible(visitor.page.get_by_text("Scored with a linear probe.").first)
    expect(visitor.page.get_by_text("uniform with a linear probe needs")).to_have_count(0)
    assert visitor.trouble() is None


@pytest.mark.parametrize(
    ("page", "width", "scheme"),
    [("compare", 1280, "dark"), ("compare", 800, "light"), ("present", 1280, "dark"), ("present", 390, "light")],
)
def test_the_choice_fits_and_can_be_read(new_tab, run, page, width, scheme):
    tab = new_tab(width=width, scheme=scheme)
    tab.open(f"{page}?run={run.id}")
    tab.expect_visible(tab.page.locator(CHART).first)
    tab.expect_visible(tab.page.get_by_text("Learner", exact=True).first)
    assert tab.trouble() is None
    assert tab.barriers() == []
