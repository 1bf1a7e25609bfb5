"""Reproduce: a table of the paper runs while the visitor watches, and stands there when it is done."""

import pytest

from skmm_core.config import DatasetConfig, PaperJob, RunConfig

pytestmark = pytest.mark.browser
SMALL = RunConfig(
    dataset=DatasetConfig(source="gmm"),
    job=PaperJob(experiment="gmm", methods=("skmm_variance",), budgets=(48, 64), seeds=1, data_seeds=1),
)


def test_a_table_appears_when_its_run_ends_and_experiments_can_be_switched(visitor, store):
    run = store.create(SMALL, "paper:gmm")
    visitor.open(f"reproduce?run={run.id}")
    visitor.expect_visible(visitor.page.get_by_text("Best SkMM variant over all n").first)
    visitor.expect_visible(visitor.page.get_by_text(f"run {run.id}").first)
    visitor.expect_visible(visitor.page.get_by_role("rowheader", name="SkMM variance").first)
    visitor.page.get_by_role("radio", name="UTKFace").or_(visitor.button("UTKFace")).first.click()
    visitor.settle()
    visitor.expect_visible(visitor.page.get_by_text("Where the images come from").first)
    assert visitor.trouble() is None
