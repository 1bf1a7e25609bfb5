"""Runs that are killed, cancelled, out of disk or out of order: what is left is true and can be gone on with."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from skmm_core.config import CompareJob, DatasetConfig, RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.errors import Cancelled
from skmm_core.jobs.cancel import Stop
from skmm_core.jobs.runner import error_line, run_folder
from skmm_core.runs import RunState, read_progress
from skmm_core.runs.files import write_config

SLOW = RunConfig(
    dataset=DatasetConfig(source="gmm:N=20000,r=200"), job=SelectJob(method="k_center", budget=15_000), device="cpu"
)
GRID = CompareJob(methods=("uniform", "herding"), budgets=(10, 20, 40), seeds=12)
COMPARE = RunConfig(dataset=DatasetConfig(source="diabetes"), job=GRID, device="cpu")


def _start(folder):
    words = [sys.executable, "-m", "skmm_core", "run", str(folder)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def _wait(condition, process=None, seconds=120.0):
    event, deadline = threading.Event(), time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        assert process is None or process.poll() is None, process.communicate()
        event.wait(0.02)


def _picking(folder):
    progress = read_progress(folder)
    return progress is not None and progress.phase == "Picking points"


@pytest.fixture
def slow(store):
    return store.create(SLOW, load_dataset(SLOW.dataset).fingerprint)


def test_a_killed_run_never_looks_done(store, slow):
    process = _start(slow.folder)
    _wait(lambda: _picking(slow.folder), process)
    assert store.get(slow.id).state is RunState.RUNNING
    assert store.get(slow.id).pid == process.pid
    process.kill()
    process.communicate()
    store.reconcile()
    record = store.get(slow.id)
    assert record.state is RunState.FAILED
    assert "ended without finishing" in record.error
    assert not (slow.folder / "result.json").exists()
    assert store.create(SLOW, slow.fingerprint).state is RunState.QUEUED


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_a_run(store, slow, number):
    process = _start(slow.folder)
    _wait(lambda: _picking(slow.folder), process)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert out == ""
    assert re.search(r"cancelled while picking points; what was finished is kept$", err.strip())
    assert "Traceback" not in err
    assert store.get(slow.id).state is RunState.CANCELLED
    assert not (slow.folder / "result.json").exists()


def test_cancel_from_another_process(store, slow):
    process = _start(slow.folder)
    _wait(lambda: _picking(slow.folder), process)
    said = subprocess.run(
        [sys.executable, "-m", "skmm_core", "runs", "cancel", slow.id], capture_output=True, text=True, timeout=60
    )
    assert said.returncode == 0, said.stderr
    process.communicate(timeout=60)
    assert process.returncode in (3, -signal.SIGKILL)
    assert store.get(slow.id).state is RunState.CANCELLED


def test_a_second_process_does_not_run_what_runs(store, slow):
    process = _start(slow.folder)
    _wait(lambda: _picking(slow.folder), process)
    second = _start(slow.folder)
    _, err = second.communicate(timeout=60)
    assert second.returncode == 2
    assert "is running in another process" in err
    assert store.claimed_by(slow.id).pid == process.pid
    process.kill()
    process.communicate()


def test_work_that_never_reports_is_ended_all_the_same(tmp_path):
    """A computation inside a library cannot be asked; the process ends itself a moment after the signal."""
    write_config(tmp_path, SLOW)
    script = (
        "import sys, time, threading, skmm_core.jobs.execute\n"
        "def deaf(folder, report):\n"
        "    sys.stdout.write('here\\n'); sys.stdout.flush()\n"
        "    while True: threading.Event().wait(0.05)\n"
        "skmm_core.jobs.execute.execute = deaf\n"
        "from skmm_core.cli.program import main\n"
        "sys.exit(main(['run', sys.argv[1]]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "here\n"
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "cancelled" in err


def test_a_full_disk_fails_the_run_with_one_clear_line(store, config, monkeypatch):
    record = store.create(config, load_dataset("digits").fingerprint)
    write = os.fsync

    def full(descriptor):
        if Path(f"/proc/self/fd/{descriptor}").readlink().name.endswith("scores.parquet"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        run_folder(record.folder)
    record = store.get(record.id)
    assert (record.state, record.error) == (
        RunState.FAILED,
        "the disk is full; free some space and start the run again",
    )
    assert not (record.folder / "result.json").exists()
    assert not list(record.folder.glob(".*"))
    monkeypatch.undo()
    monkeypatch.setenv("SKMM_HOME", str(store.home))
    run_folder(record.folder)
    assert store.get(record.id).state is RunState.DONE


def test_a_damaged_config_fails_the_run(store, config):
    record = store.create(config, "sha256:0")
    (record.folder / "config.json").write_text("{")
    with pytest.raises(Exception, match="cannot be used"):
        run_folder(record.folder)
    record = store.get(record.id)
    assert record.state is RunState.FAILED
    assert "config.json cannot be used" in record.error


def test_data_that_changed_since_the_run_was_queued_fail_it(store, config):
    record = store.create(config, "sha256:0")
    with pytest.raises(Exception, match="has changed since"):
        run_folder(record.folder)
    assert "has changed since" in store.get(record.id).error


def test_a_request_to_stop_through_the_index_alone(store, slow):
    """How a run on another machine, or in a container, is cancelled: by its heartbeat."""
    asked = []

    def ask(progress):
        if progress.phase == "Picking points" and not asked:
            asked.append(store.cancel(slow.id))  # the run is in this process, so nobody is signalled

    with pytest.raises(Cancelled, match="while picking points"):
        run_folder(slow.folder, ask, stop=Stop())
    assert asked
    assert store.get(slow.id).state is RunState.CANCELLED


def test_an_old_result_is_gone_when_a_new_attempt_begins(tmp_path):
    write_config(tmp_path, SLOW)
    (tmp_path / "result.json").write_text("{}")

    def stop(progress):
        raise Cancelled

    with pytest.raises(Cancelled):
        run_folder(tmp_path, stop)
    assert not (tmp_path / "result.json").exists()


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (MemoryError(), "memory ran out; take a smaller pool or sketch, or another device"),
        (ValueError("two\nlines"), "ValueError: two lines"),
        (Cancelled("stopped"), "stopped"),
    ],
)
def test_error_lines(error, line):
    assert error_line(error) == line


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare")
    write_config(folder, COMPARE)
    run_folder(folder)
    return folder


def test_a_killed_comparison_goes_on_where_it_stopped(uninterrupted, tmp_path):
    write_config(tmp_path, COMPARE)
    process = _start(tmp_path)
    scores = tmp_path / "scores.csv"
    _wait(lambda: scores.exists() and scores.read_bytes().count(b"\n") > 20, process)
    process.kill()
    process.communicate()
    assert not (tmp_path / "result.json").exists()
    kept = scores.read_text().splitlines()[1:-1]
    assert 10 < len(kept) < 2 * 3 * 12 * 3
    scores.write_text(scores.read_text() + "diabetes,unifo")  # as if the kill had come in the middle of a line
    run_folder(tmp_path)
    after = scores.read_text().splitlines()
    assert set(kept) <= set(after)
    assert (tmp_path / "summary.csv").read_bytes() == (uninterrupted / "summary.csv").read_bytes()
    columns = ["method", "budget", "seed", "metric", "value"]
    once = pd.read_csv(uninterrupted / "scores.csv")[columns].sort_values(columns[:4], ignore_index=True)
    pd.testing.assert_frame_equal(pd.read_csv(scores)[columns].sort_values(columns[:4], ignore_index=True), once)


def test_a_cancelled_comparison_keeps_its_scores(store):
    record = store.create(COMPARE, load_dataset("diabetes").fingerprint)
    stop = Stop()

    def after_some(progress):
        if (record.folder / "scores.csv").exists() and (record.folder / "scores.csv").read_bytes().count(b"\n") > 8:
            stop.request()

    with pytest.raises(Cancelled):
        run_folder(record.folder, after_some, stop=stop)
    assert store.get(record.id).state is RunState.CANCELLED
    assert len(pd.read_csv(record.folder / "scores.csv")) >= 8
    kept = (record.folder / "scores.csv").read_text().splitlines()
    store.create(COMPARE, record.fingerprint)
    run_folder(record.folder)
    assert store.get(record.id).state is RunState.DONE
    assert set(kept) <= set((record.folder / "scores.csv").read_text().splitlines())


def test_compare_files_are_as_documented(uninterrupted):
    scores, summary = pd.read_csv(uninterrupted / "scores.csv"), pd.read_csv(uninterrupted / "summary.csv")
    assert list(scores.columns) == [
        "dataset",
        "method",
        "budget",
        "seed",
        "metric",
        "value",
        "seconds",
        "split",
        "pool",
        "left_out",
        "learner",
        "settled",
    ]
    assert list(summary.columns) == [
        *(
            "learner",
            "method",
            "budget",
            "metric",
            "mean",
            "sd",
            "lo",
            "hi",
            "vs_uniform",
            "vs_lo",
            "vs_hi",
            "wins",
            "p_holm",
        )
    ]
    assert set(scores["learner"]) == {"linear", "kernel", "propagate", "auto"}
    assert len(scores) == 2 * 3 * 12 * scores["metric"].nunique() * scores["learner"].nunique()
    result = json.loads((uninterrupted / "result.json").read_text(), parse_constant=pytest.fail)
    assert set(result["full"]) == set(scores["metric"])
    assert result["config"] == COMPARE.model_dump(mode="json")
    assert result["metric"]["key"] in result["full"]
    means = scores.groupby(["learner", "method", "budget", "metric"])["value"].mean()
    for row in summary.itertuples():
        assert row.mean == pytest.approx(means[row.learner, row.method, row.budget, row.metric])
    page = (uninterrupted / "report.html").read_text()
    assert "2 methods compared" in page
