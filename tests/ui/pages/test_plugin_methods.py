"""A method from elsewhere is offered and shown on every page, and its runs open where it is not installed."""

import pytest
import torch
from pydantic import Field

from dashboard.services.sources import remember
from skmm_core.config import CompareJob, DatasetConfig, RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.jobs.runner import run_folder
from skmm_core.methods import registry
from skmm_core.methods.registry import Family, MethodParams, Picks, register

DIGITS = DatasetConfig(source="digits")
TITLE = "Every other row"


class Params(MethodParams):
    step: int = Field(2, ge=1, description="Take every so many rows.")


def every_other_row(pool, budget, params, *, seed, report):
    rows = torch.arange(pool.size)
    return Picks(torch.cat([rows[start :: params.step] for start in range(params.step)])[:budget])


@pytest.fixture
def installed(monkeypatch):
    """The registry with one method more; called, the method is gone again."""
    own = {spec.key: spec for spec in registry.list_own_methods()}
    monkeypatch.setattr(registry, "_REGISTRY", dict(own))
    register(
        key="every_other", title=TITLE, family=Family.GEOMETRIC, summary="Takes rows in file order.",
        paper="Nobody 1999", url="https://example.org/rows", params=Params,
    )(every_other_row)  # fmt: skip
    return lambda: monkeypatch.setattr(registry, "_REGISTRY", own)


def finished(store, job):
    record = store.create(RunConfig(dataset=DIGITS, job=job), load_dataset(DIGITS).fingerprint)
    run_folder(record.folder, home=store.home)
    return store.get(record.id)


def test_select_offers_it_with_its_options_and_queues_it(installed, empty, visit, words):
    app = visit("select", data=remember(DIGITS))
    next(each for each in app.selectbox if each.key.endswith(":method")).set_value("every_other").run()
    next(each for each in app.number_input if each.key.endswith(":step")).set_value(3).run()
    assert "Nobody 1999" in words(app)
    app.button("pick").click().run()
    assert not app.exception
    (queued,) = empty.records()
    assert (queued.config.job.method, queued.config.job.params) == ("every_other", {"step": 3})


def test_compare_offers_it(installed, ready, visit):
    app = visit("compare", run=ready.records(kind="compare")[0].id)
    assert not app.exception
    assert next(box for box in app.checkbox if box.key.endswith(":method:every_other")).label == TITLE


def test_its_runs_are_shown_here_and_also_where_it_is_not_installed(installed, empty, visit):
    selection = finished(empty, SelectJob(method="every_other", budget=30))
    comparison = finished(empty, CompareJob(methods=("every_other", "uniform"), budgets=(20, 40), seeds=2))
    pages = [("select", selection), ("diagnose", selection), ("compare", comparison), ("present", comparison)]
    for uninstall in (lambda: None, installed):
        uninstall()
        for page, run in (*pages, ("runs", selection)):
            app = visit(page, run=run.id)
            assert not app.exception, page
            assert not app.error, page
            if page == "select":
                assert not app.button("pick").disabled
