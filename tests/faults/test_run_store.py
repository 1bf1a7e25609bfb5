"""The run store: states, two writers, dead processes, damaged files."""

import json
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from skmm_core.config import CompareJob, DatasetConfig, RunConfig, SelectJob
from skmm_core.errors import InputError
from skmm_core.runs import RunState, RunStore, read_progress, run_id
from skmm_core.runs.files import CARD, CONFIG, LOG, RESULT
from skmm_core.runs.processes import ProcessKey, process_key
from skmm_core.runs.record import default_name
from skmm_core.storage.writing import write_file, write_json

DATA = "sha256:" + "a" * 64


def _finished(store, config, fingerprint=DATA):
    record = store.create(config, fingerprint)
    assert store.claim(record.id, process_key())
    write_json(record.folder / RESULT, {"kind": "select", "fingerprint": fingerprint})
    store.finish(record.id, RunState.DONE)
    return store.get(record.id)


def test_the_id_depends_on_config_and_data_only(store, config):
    first = store.create(config, DATA)
    assert first.id == run_id(config, DATA) == store.create(config, DATA, name="another name").id
    assert len(first.id) == 12
    assert store.create(config, DATA + "b").id != first.id
    other = config.model_copy(update={"job": SelectJob(method="uniform", budget=10, seed=1)})
    assert store.create(other, DATA).id != first.id


def test_a_finished_run_is_returned_as_it_is_and_a_failed_one_is_queued_again(store, config):
    done = _finished(store, config)
    assert store.create(config, DATA).state is RunState.DONE
    with store._database.connect() as db:
        db.execute("UPDATE runs SET state = 'failed', error = 'broken', finished = 1 WHERE id = ?", (done.id,))
    again = store.create(config, DATA)
    assert (again.state, again.error, again.finished) == (RunState.QUEUED, None, None)


def test_the_log_of_the_attempt_before_is_gone(store, config):
    record = store.create(config, DATA)
    (record.folder / LOG).write_text('{"time": 1, "phase": "Old", "step": 1}\n')
    assert read_progress(record.folder).phase == "Old"
    store.cancel(record.id)
    store.create(config, DATA)
    assert read_progress(record.folder) is None


def test_of_many_claims_at_once_exactly_one_wins(store, config):
    record = store.create(config, DATA)
    won = []
    start = threading.Barrier(8)

    def claim():
        own = RunStore(store.home)
        start.wait()
        won.append(own.claim(record.id, process_key()))

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]


def test_two_processes_create_one_run(store, config):
    script = (
        "import sys; from pathlib import Path\n"
        "from skmm_core.config import RunConfig; from skmm_core.runs import RunStore\n"
        "store = RunStore(Path(sys.argv[1])); config = RunConfig.model_validate_json(sys.argv[2])\n"
        "print([store.create(config, sys.argv[3]).id for _ in range(20)][-1])"
    )
    words = [sys.executable, "-c", script, str(store.home), config.model_dump_json(), DATA]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=60)[0].strip() for process in both] == [run_id(config, DATA)] * 2
    assert [record.state for record in store.records()] == [RunState.QUEUED]


def test_the_limit_counts_what_runs_already(store, config):
    first, second = store.create(config, DATA), store.create(config, DATA + "b")
    assert store.claim(first.id, process_key(), limit=1)
    assert not store.claim(second.id, process_key(), limit=1)
    assert store.claim(second.id, process_key(), limit=2)


def test_a_run_whose_process_was_killed_becomes_failed(store, config):
    record = store.create(config, DATA)
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert store.claim(record.id, process_key(process.pid))
    store.reconcile()
    assert store.get(record.id).state is RunState.RUNNING
    process.send_signal(signal.SIGKILL)
    # A killed process that nobody waited for stays as a zombie; it counts as gone.
    assert _wait(lambda: psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE)
    store.reconcile()
    record = store.get(record.id)
    assert record.state is RunState.FAILED
    assert "ended without finishing" in record.error
    process.wait()


def test_a_process_that_died_after_its_result_was_written_had_finished(store, config):
    record = store.create(config, DATA)
    me = process_key()
    assert store.claim(record.id, ProcessKey(me.host, me.pid, me.began - 3600))
    write_json(record.folder / RESULT, {"kind": "select"})
    store.reconcile()
    assert (store.get(record.id).state, store.get(record.id).error) == (RunState.DONE, None)


def test_another_process_with_the_same_pid_does_not_keep_a_run_alive(store, config):
    record = store.create(config, DATA)
    me = process_key()
    assert store.claim(record.id, ProcessKey(me.host, me.pid, me.began - 3600))
    store.reconcile()
    assert store.get(record.id).state is RunState.FAILED


def test_a_silent_run_of_another_machine_becomes_failed_after_a_minute(store, config):
    record = store.create(config, DATA)
    assert store.claim(record.id, ProcessKey("elsewhere", 1, 0.0))
    store.reconcile()
    assert store.get(record.id).state is RunState.RUNNING
    with store._database.connect() as db:
        db.execute("UPDATE runs SET heartbeat = ?", (time.time() - 61,))
    store.reconcile()
    assert store.get(record.id).state is RunState.FAILED


def test_a_finished_run_without_its_files_becomes_failed(store, config):
    record = _finished(store, config)
    (record.folder / RESULT).unlink()
    store.reconcile()
    assert store.get(record.id).state is RunState.FAILED


def test_cancel_while_queued(store, config):
    record = store.create(config, DATA)
    store.cancel(record.id)
    assert store.get(record.id).state is RunState.CANCELLED
    assert store.queued() == []
    assert not store.claim(record.id, process_key())


def test_cancel_ends_a_process_that_does_not_listen(store, config):
    record = store.create(config, DATA)
    deaf = (
        "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)\n"
        "print(child.pid, flush=True); child.wait()"
    )
    process = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE, text=True, start_new_session=True)
    child = process_key(int(process.stdout.readline()))
    assert store.claim(record.id, process_key(process.pid))
    store.cancel(record.id)
    assert process.wait(timeout=10) == -signal.SIGKILL
    assert _wait(lambda: not child.alive)
    assert store.get(record.id).state is RunState.CANCELLED


def test_a_process_that_just_finished_is_told_not_to_go_on(store, config):
    record = store.create(config, DATA)
    assert store.claim(record.id, process_key())
    assert store.heartbeat(record.id) is False
    with store._database.connect() as db:  # what another process's cancel does first
        db.execute("UPDATE runs SET stop = 1 WHERE id = ?", (record.id,))
    assert store.heartbeat(record.id) is True
    assert store.finish(record.id, RunState.DONE) is True


def test_delete_can_be_undone(store, config):
    record = _finished(store, config)
    store.delete(record.id)
    assert store.records() == []
    assert not record.folder.exists()
    with pytest.raises(InputError, match="not here"):
        store.get(record.id)
    store.undelete(record.id)
    assert (store.get(record.id).folder / RESULT).exists()
    with pytest.raises(InputError, match="not in the trash"):
        store.undelete(record.id)


def test_the_same_question_brings_a_deleted_run_back(store, config):
    record = _finished(store, config)
    store.delete(record.id)
    assert store.create(config, DATA).state is RunState.DONE


def test_names_count_in_the_singular_too():
    one = RunConfig(dataset=DatasetConfig(source="digits"), job=CompareJob(methods=("uniform",), budgets=(1,)))
    assert default_name(one) == "digits · 1 method · 1 point"
    more = RunConfig(
        dataset=DatasetConfig(source="digits"), job=CompareJob(methods=("skmm", "uniform"), budgets=(1, 2))
    )
    assert default_name(more) == "digits · 2 methods · 1, 2 points"


def test_the_trash_is_emptied_after_a_week(store, config):
    record = _finished(store, config)
    store.delete(record.id)
    store.reconcile()
    assert (store.home / "trash" / record.id).exists()
    with store._database.connect() as db:
        db.execute("UPDATE runs SET deleted = ?", (time.time() - 8 * 86_400,))
    store.reconcile()
    assert not (store.home / "trash" / record.id).exists()
    with pytest.raises(InputError, match="not in the trash"):
        store.undelete(record.id)


def test_a_running_run_is_not_deleted_or_exported(store, config, tmp_path):
    record = store.create(config, DATA)
    store.claim(record.id, process_key())
    with pytest.raises(InputError, match="cancel it first"):
        store.delete(record.id)
    with pytest.raises(InputError, match="wait for its end"):
        store.export(record.id, tmp_path / "run.zip")


def test_rename_and_search(store, config):
    first = store.create(config, DATA)
    compare = CompareJob(methods=("skmm", "k_center"), budgets=(5,), seeds=2)
    second = store.create(RunConfig(dataset=DatasetConfig(source="gmm:seed=3"), job=compare), DATA)
    store.rename(first.id, "  100 % my\nrun ")
    assert store.get(first.id).name == "100 % my run"
    assert [record.id for record in store.records("my 100")] == [first.id]
    assert [record.id for record in store.records("k_center")] == [second.id]
    assert store.records("kXcenter") == []
    assert store.records("0%") == []
    assert [record.id for record in store.records(kind="compare")] == [second.id]
    store.rename(first.id, " ")
    assert store.get(first.id).name == "digits · uniform · 10 points"


@pytest.mark.parametrize("id_", ["", "../../etc", "ABCDEF012345", "a" * 13, "abc"])
def test_what_is_no_id_never_becomes_a_path(store, id_):
    with pytest.raises(InputError, match="not 12 hex digits"):
        store.get(id_)
    with pytest.raises(InputError, match="not 12 hex digits"):
        store.folder(id_)


def test_a_damaged_index_is_rebuilt_from_the_folders(store, config):
    record = _finished(store, config)
    store.rename(record.id, "keep me")
    unfinished = store.create(config, DATA + "b")
    for suffix in ("-wal", "-shm"):
        (store.home / f"index.sqlite{suffix}").unlink(missing_ok=True)
    (store.home / "index.sqlite").write_bytes(b"this is no database, but it is longer than a header" * 100)
    rebuilt = RunStore(store.home)
    assert {(each.id, each.state) for each in rebuilt.records()} == {
        (record.id, RunState.DONE),
        (unfinished.id, RunState.FAILED),
    }
    assert rebuilt.get(record.id).name == "keep me"
    assert (store.home / "damaged-index.sqlite").exists()


def test_a_lost_index_is_rebuilt_and_skips_what_makes_no_sense(store, config):
    record = _finished(store, config)
    stranger = store.home / "runs" / "0123456789ab"
    stranger.mkdir()
    (stranger / CONFIG).write_text("{")
    copied = store.home / "runs" / "ba9876543210"
    copied.mkdir()
    for name in (CONFIG, CARD):
        (copied / name).write_bytes((record.folder / name).read_bytes())
    for file in store.home.glob("index.sqlite*"):
        file.unlink()
    assert [each.id for each in RunStore(store.home).records()] == [record.id]


def test_a_row_that_this_version_cannot_read_does_not_hide_the_others(store, config):
    record = store.create(config, DATA)
    other = store.create(config, DATA + "b")
    with store._database.connect() as db:
        db.execute("UPDATE runs SET config = ? WHERE id = ?", (json.dumps({"future": 1}), record.id))
    assert [each.id for each in store.records()] == [other.id]


def test_an_index_that_cannot_be_opened_says_what_to_do(tmp_path):
    (tmp_path / "index.sqlite").mkdir()
    with pytest.raises(InputError, match="SKMM_HOME"):
        RunStore(tmp_path)
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(InputError, match="SKMM_HOME"):
        RunStore(file)


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def half(temporary):
        temporary.write_text("ne")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_file(path, half)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_never_holds_nan(tmp_path):
    write_json(tmp_path / "x.json", {"a": float("nan"), "b": [float("inf"), 1.5], "c": {"d": -float("inf")}})
    text = (tmp_path / "x.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail) == {"a": None, "b": [None, 1.5], "c": {"d": None}}


def test_a_sqlite_error_leaves_no_half_of_a_change(store, config):
    record = store.create(config, DATA)

    def change():
        with store._database.connect() as db:
            db.execute("UPDATE runs SET name = 'changed'")
            db.execute("UPDATE missing SET name = 1")

    with pytest.raises(InputError, match=r"index\.sqlite cannot be used: no such table"):
        change()
    assert store.get(record.id).name != "changed"


def test_a_home_that_cannot_be_written_says_so(store, config, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("skmm_core.runs.index.write_config", full)
    with pytest.raises(InputError, match="cannot be written: No space left on device; free some space"):
        store.create(config, DATA)
    assert store.records() == []
    monkeypatch.undo()
    assert store.create(config, DATA).state is RunState.QUEUED


def test_an_index_that_is_damaged_while_open_says_what_to_do(store, config):
    store.create(config, DATA)
    for suffix in ("-wal", "-shm"):
        (store.home / f"index.sqlite{suffix}").unlink(missing_ok=True)
    (store.home / "index.sqlite").write_bytes(b"rubbish" * 1000)
    with pytest.raises(InputError, match=r"index\.sqlite cannot be used: .*; free some disk space, or move"):
        store.records()


def _wait(condition, seconds=10.0):
    event, deadline = threading.Event(), time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        event.wait(0.02)
    return True
