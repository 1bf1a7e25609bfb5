"""What people do, in a real browser: from the first visit to the exported rows."""

import contextlib
import json
import os
import re
import shlex
import subprocess
import sys

import numpy as np
import psutil
import pytest
from driver import ALERT, CHART
from playwright.sync_api import expect

from dashboard.services import demo
from dashboard.services.figures import digits_splits_file
from skmm_core.comparison import typical_saving
from skmm_core.runs import RunState

pytestmark = pytest.mark.browser


def demo_runs(store):
    """The two demo runs, as far as they are there."""
    return [run for run in store.records() if run.config in (demo.SELECT, demo.COMPARE)]


def test_first_visit_shows_the_sentence_and_the_finished_demo_run_whose_map_fills_the_gallery(visitor, store):
    visitor.open()
    sentence = visitor.page.get_by_role("heading", name=re.compile(r"Over \d+ random splits"))
    visitor.expect_visible(sentence)
    found = typical_saving(json.loads(digits_splits_file().read_text(encoding="utf-8"))["savings"])
    assert f"about {found.needed} random ones" in sentence.inner_text(), "the number is the measured one"
    chart = visitor.page.locator(CHART).first
    visitor.expect_visible(chart)
    expect(visitor.page.locator(".skmm-gallery img")).to_have_count(demo.BUDGET)
    assert {run.state for run in demo_runs(store)} == {RunState.DONE}
    visitor.lasso(chart, share=0.35)
    heading = visitor.page.get_by_text(re.compile(r"[\d,]+ points? marked on the map")).first
    visitor.expect_visible(heading)
    visitor.settle()
    marked = int(re.search(r"([\d,]+) points?", heading.inner_text()).group(1).replace(",", ""))
    assert 0 < marked < 1078
    pictures = visitor.page.locator(".skmm-gallery img")
    assert 0 < pictures.count() <= marked
    visitor.expect_picture(pictures.first)
    assert visitor.trouble() is None


@pytest.fixture
def points_csv(tmp_path):
    rows = np.random.default_rng(7).standard_normal((120, 5)) * [4, 2, 1, 0.5, 0.2]
    path = tmp_path / "points.csv"
    names = [f"p{i}" for i in range(len(rows))]
    lines = [",".join([name, *(f"{v:.6f}" for v in row)]) for name, row in zip(names, rows, strict=True)]
    path.write_text("name,a,b,c,d,e\n" + "\n".join(lines) + "\n")
    return path


def test_upload_select_export_gives_the_rows_of_the_printed_command(visitor, store, points_csv, tmp_path):
    visitor.open("data")
    visitor.page.get_by_text("Upload", exact=True).first.click()
    visitor.settle()
    visitor.upload(points_csv, label="File with one row a point")
    visitor.press("Pick points from it")
    budget = visitor.page.get_by_label("Points to pick", exact=True)
    visitor.expect_visible(budget)
    budget.fill("12")
    budget.press("Enter")
    visitor.press(re.compile("Pick 12"))
    run = visitor.run_id()
    visitor.button(re.compile("Export")).click()
    export = visitor.button("NPY")
    visitor.expect_visible(export)
    with visitor.page.expect_download() as download:
        export.click()
    exported = tmp_path / "exported.npy"
    download.value.save_as(exported)
    command = visitor.page.locator("code").filter(has_text="skmm_core select").first.inner_text()
    words = shlex.split(command)
    assert words[:4] == ["python", "-m", "skmm_core", "select"]
    words[words.index("--out") + 1] = str(tmp_path / "out")
    subprocess.run(
        [sys.executable, *words[1:], "--quiet"],
        check=True,
        timeout=120,
        env=os.environ | {"SKMM_HOME": str(tmp_path / "other-home"), "OMP_NUM_THREADS": "1"},
    )
    rows = np.load(exported, allow_pickle=False)
    np.testing.assert_array_equal(rows, np.load(tmp_path / "out" / "selection.npy", allow_pickle=False))
    assert len(set(rows.tolist())) == 12
    assert store.get(run).state is RunState.DONE
    assert visitor.trouble() is None


def test_a_wrong_file_is_answered_in_one_clear_line(visitor, tmp_path):
    path = tmp_path / "holes.csv"
    path.write_text("a,b\n1,2\nnan,3\n4,5\n")
    visitor.open("data")
    visitor.page.get_by_text("Upload", exact=True).first.click()
    visitor.settle()
    visitor.upload(path, label="File with one row a point")
    alert = visitor.page.locator(ALERT)
    # until the file has been read, the line that asks for a dataset still stands there
    visitor.expect_visible(alert.filter(has_text="NaN"))
    visitor.settle()
    expect(alert).to_have_count(1)
    assert "Traceback" not in alert.inner_text()
    assert visitor.button("Pick points from it").count() == 0
    assert visitor.trouble() is None


def start_long_comparison(visitor):
    """Start a comparison of 1,200 selections, which takes a minute or more; returns its id."""
    visitor.open("data")
    visitor.page.get_by_text("Handwritten digits", exact=True).first.click()
    visitor.settle()
    visitor.press("Pick points from it")
    visitor.expect_visible(visitor.button(re.compile("Pick 100")))
    visitor.page.get_by_role("link", name="Compare").click()
    seeds = visitor.page.get_by_label("Seeds", exact=True)
    visitor.expect_visible(seeds)
    seeds.fill("100")
    seeds.press("Enter")
    visitor.expect_visible(visitor.page.get_by_text("100 seeds =").first)
    visitor.press(re.compile("^play_arrow Compare$|^Compare$"))
    run = visitor.run_id()
    visitor.expect_visible(visitor.button("Cancel"))
    return run


def test_refresh_reattaches_a_second_tab_follows_and_cancel_ends_the_process(new_tab, store):
    first, second = new_tab(), new_tab()
    run = start_long_comparison(first)
    expect(first.page.get_by_text("scored so far").first).to_be_visible()
    before = store.get(run)
    assert before.state is RunState.RUNNING
    assert psutil.pid_exists(before.pid)

    first.page.reload()
    first.expect_visible(first.button("Cancel"))
    expect(first.page.get_by_text("scored so far").first).to_be_visible()
    assert store.get(run).pid == before.pid, "the refresh did not start it again"

    second.open(f"compare?run={run}")
    second.expect_visible(second.button("Cancel"))

    first.button("Cancel").click()
    for tab in (first, second):
        expect(tab.page.get_by_text(re.compile("^Cancelled")).first).to_be_visible()
        expect(tab.button("Cancel")).to_have_count(0)
        assert tab.trouble() is None
    after = store.get(run)
    assert after.state is RunState.CANCELLED
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(before.pid).wait(timeout=10)
    assert not psutil.pid_exists(before.pid)
    expect(first.page.get_by_text("start the run again to score the rest").first).to_be_visible()


def test_two_tabs_keep_their_own_run(new_tab, store):
    runs = {run.kind: run for run in demo_runs(store)}
    first, second = new_tab(), new_tab()
    first.open(f"select?run={runs['select'].id}")
    second.open(f"compare?run={runs['compare'].id}")
    first.menu("Runs")
    first.page.wait_for_url(re.compile("/runs"))
    first.settle()
    assert first.run_id() == runs["select"].id
    assert second.run_id() == runs["compare"].id
    first.expect_visible(first.page.get_by_text(runs["select"].id).first)


def test_deleted_run_comes_back_with_undo(visitor, store):
    run = next(run for run in store.records(kind="select"))
    visitor.open(f"runs?run={run.id}")
    visitor.press("Delete")
    visitor.expect_visible(visitor.page.get_by_text("1 run deleted").first)
    assert run.id not in [record.id for record in store.records()]
    visitor.press("Undo")
    expect(visitor.page.get_by_text("1 run deleted")).to_have_count(0)
    assert store.get(run.id).state is RunState.DONE
    assert visitor.trouble() is None
