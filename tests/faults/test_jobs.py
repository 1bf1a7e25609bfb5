"""The dashboard's queue: warm workers, limits, cancel, and servers that come and go."""

import itertools
import os
import signal
import threading
import time

import pytest

from dashboard.services.jobs import Jobs
from skmm_core.config import DatasetConfig, RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.errors import InputError
from skmm_core.runs import RunState, RunStore, read_progress, read_result

SLOW = DatasetConfig(source="gmm:N=20000,r=200")


@pytest.fixture(scope="module")
def fingerprints():
    return {source: load_dataset(source).fingerprint for source in ("diabetes", SLOW.source)}


@pytest.fixture
def quick(fingerprints):
    def make(seed):
        job = SelectJob(method="uniform", budget=10, seed=seed)
        return RunConfig(dataset=DatasetConfig(source="diabetes"), job=job), fingerprints["diabetes"]

    return make


@pytest.fixture
def long(fingerprints):
    def make(seed):
        job = SelectJob(method="k_center", budget=15_000, seed=seed)
        return RunConfig(dataset=SLOW, job=job, device="cpu"), fingerprints[SLOW.source]

    return make


@pytest.fixture
def jobs(store, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    opened = []

    def make(**options):
        opened.append(Jobs(store, **options))
        return opened[-1]

    yield make
    for each in opened:
        each.close()
    for record in store.records():
        store.cancel(record.id)


def _wait(condition, seconds=120.0):
    event, deadline = threading.Event(), time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        event.wait(0.02)


def _ended(store, id_):
    _wait(lambda: store.get(id_).state.ended)
    return store.get(id_)


def _picking(store, id_):
    def look():
        progress = read_progress(store.folder(id_))
        return progress is not None and progress.phase == "Picking points"

    _wait(look)


def test_one_warm_worker_runs_one_run_after_another(store, jobs, quick):
    queue = jobs()
    ids = [queue.submit(*quick(seed)) for seed in range(3)]
    assert len(set(ids)) == 3
    records = [_ended(store, id_) for id_ in ids]
    assert [record.state for record in records] == [RunState.DONE] * 3
    assert len({record.pid for record in records}) == 1
    assert records[0].pid != os.getpid()
    assert os.getpgid(records[0].pid) == records[0].pid
    for earlier, later in itertools.pairwise(records):
        assert later.started >= earlier.finished
    assert queue.submit(*quick(0)) == ids[0]
    assert store.get(ids[0]).finished == records[0].finished


def test_a_failed_run_does_not_end_the_queue(store, jobs, quick):
    queue = jobs()
    config, fingerprint = quick(0)
    bad = queue.submit(config, "sha256:another")
    good = queue.submit(config, fingerprint)
    failed, done = _ended(store, bad), _ended(store, good)
    assert (failed.state, done.state) == (RunState.FAILED, RunState.DONE)
    assert "has changed since" in failed.error
    assert failed.pid == done.pid


def test_cancel_ends_the_process_and_the_next_run_still_starts(store, jobs, long, quick):
    queue = jobs()
    id_ = queue.submit(*long(0))
    _picking(store, id_)
    pid = store.get(id_).pid
    waiting = queue.submit(*quick(0))
    assert store.get(waiting).state is RunState.QUEUED
    queue.cancel(id_)
    assert store.get(id_).state is RunState.CANCELLED
    with pytest.raises(ProcessLookupError):
        _reaped(pid)
    record = _ended(store, waiting)
    assert record.state is RunState.DONE
    assert record.pid != pid


def _reaped(pid):
    """Signal 0 to a process until its parent has waited for it."""
    for _ in range(500):
        os.kill(pid, 0)
        threading.Event().wait(0.02)


def test_cancel_of_a_waiting_run_leaves_the_running_one_alone(store, jobs, long, quick):
    queue = jobs()
    running = queue.submit(*long(0))
    _picking(store, running)
    waiting = queue.submit(*quick(0))
    queue.cancel(waiting)
    assert store.get(waiting).state is RunState.CANCELLED
    assert store.get(running).state is RunState.RUNNING
    queue.cancel(running)


def test_a_killed_worker_fails_its_run_and_is_replaced(store, jobs, long, quick):
    queue = jobs()
    id_ = queue.submit(*long(0))
    _picking(store, id_)
    os.kill(store.get(id_).pid, signal.SIGKILL)
    record = _ended(store, id_)
    assert record.state is RunState.FAILED
    assert "ended without finishing" in record.error
    assert not (record.folder / "result.json").exists()
    assert _ended(store, queue.submit(*quick(0))).state is RunState.DONE


def test_a_run_outlives_its_server_and_the_next_one_does_not_start_it_again(store, jobs, long, quick):
    first = jobs()
    id_ = first.submit(*long(0))
    _picking(store, id_)
    pid = store.get(id_).pid
    first.close()  # the worker's input ends, as when the server is gone
    second = jobs()
    waiting = second.submit(*quick(0))
    second.poll()
    threading.Event().wait(1.0)  # several looks of the new queue
    record = store.get(id_)
    assert (record.state, record.pid) == (RunState.RUNNING, pid)
    assert store.get(waiting).state is RunState.QUEUED
    assert RunStore(store.home).get(id_).heartbeat > record.started
    second.cancel(id_)
    assert store.get(id_).state is RunState.CANCELLED
    assert _ended(store, waiting).state is RunState.DONE


def test_a_worker_finishes_its_run_after_the_server_left_then_exits(store, jobs, quick):
    queue = jobs()
    first = _ended(store, queue.submit(*quick(0)))
    last = queue.submit(*quick(1))
    _wait(lambda: store.get(last).state is not RunState.QUEUED)
    queue.close()
    record = _ended(store, last)
    assert record.state is RunState.DONE
    assert record.pid == first.pid
    assert read_result(record.folder)["budget"] == 10
    _wait(lambda: not _alive(record.pid))


def _alive(pid):
    try:
        done, _ = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return False
    return done == 0


def test_two_at_once_when_asked(store, jobs, long):
    queue = jobs(limit=2)
    ids = [queue.submit(*long(seed)) for seed in range(3)]
    for id_ in ids[:2]:
        _picking(store, id_)
    assert store.get(ids[2]).state is RunState.QUEUED
    assert store.get(ids[0]).pid != store.get(ids[1]).pid
    for id_ in reversed(ids):
        queue.cancel(id_)


@pytest.mark.parametrize("text", ["0", "-1", "many", ""])
def test_a_wrong_limit_is_named(store, monkeypatch, text):
    monkeypatch.setenv("SKMM_JOBS", text)
    with pytest.raises(InputError, match="SKMM_JOBS is"):
        Jobs(store)
