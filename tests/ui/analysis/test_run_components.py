import dataclasses
import io

import pytest

from dashboard.components.diagnose.choice import start_with
from dashboard.components.runs.actions import import_bundle
from dashboard.components.runs.table import STATE_WORDS, actions, filter_runs, run_frame, summary_line
from dashboard.components.shared.exports import run_zip
from dashboard.components.shared.finished_selections import labels, runs_by_dataset
from skmm_core.config import DatasetConfig, RunConfig, SelectJob
from skmm_core.errors import InputError
from skmm_core.runs import RunRecord, RunState


@pytest.fixture
def record(tmp_path):
    def make(number, *, state=RunState.DONE, kind="select", fingerprint="sha256:a", name=None, seed=0):
        config = RunConfig(
            dataset=DatasetConfig(source="digits"), job=SelectJob(method="uniform", budget=10, seed=seed)
        )
        return RunRecord(
            id=f"{number:012x}",
            name=name or "digits · uniform · 10 points",
            kind=kind,
            dataset="digits",
            method="uniform",
            budget="10",
            state=state,
            created=1000.0 + number,
            started=1000.0,
            finished=1002.5 if state.ended else None,
            pid=None,
            heartbeat=None,
            error="label.csv has no rows" if state is RunState.FAILED else None,
            config=config,
            fingerprint=fingerprint,
            folder=tmp_path,
        )

    return make


def test_every_state_has_a_word_and_a_sign_of_its_own():
    assert set(STATE_WORDS) == set(RunState)
    assert all(words.split(" ")[1] == state.value for state, words in STATE_WORDS.items())
    assert len({words.split(" ")[0] for words in STATE_WORDS.values()}) == len(RunState)


def test_the_table_says_how_long_and_why_it_failed(record):
    frame = run_frame([record(1), record(2, state=RunState.FAILED), record(3, state=RunState.RUNNING)])
    assert list(frame["seconds"])[:2] == [2.5, 2.5]
    assert frame["seconds"].isna()[2]
    assert list(frame["note"]) == ["", "label.csv has no rows", ""]
    assert frame["created"][0].utcoffset().total_seconds() == 0


def test_filter_by_state(record):
    runs = [record(1), record(2, state=RunState.FAILED)]
    assert filter_runs(runs, []) == runs
    assert filter_runs(runs, [RunState.FAILED]) == runs[1:]


def test_one_finished_run_can_be_opened_diagnosed_renamed_exported_deleted(record):
    can = actions([record(1)])
    assert (can.open, can.diagnose, can.rename, can.export, can.delete) == (None,) * 5
    assert can.cancel is not None


def test_a_running_run_is_cancelled_before_it_is_deleted_or_exported(record):
    can = actions([record(1, state=RunState.RUNNING)])
    assert can.cancel is None
    assert "cancel it first" in can.delete
    assert "cancel it first" in can.export
    assert "only finished" in can.diagnose


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda r: [r(1), r(2, kind="compare")], "only finished selections"),
        (lambda r: [r(1), r(2, fingerprint="sha256:b")], "one dataset"),
        (lambda r: [r(n) for n in range(5)], "one to 4"),
        (lambda r: [], "one to 4"),
    ],
)
def test_what_cannot_be_diagnosed_together(record, make, reason):
    assert reason in actions(make(record)).diagnose


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda r: [r(1), r(2)], None),
        (lambda r: [r(1, kind="compare"), r(2, kind="compare")], None),
        (lambda r: [r(1)], "tick two"),
        (lambda r: [r(1), r(2, kind="compare")], "tick two"),
        (lambda r: [r(n, kind="compare") for n in range(3)], "two comparisons"),
        (lambda r: [r(1), r(2, fingerprint="sha256:b")], "one dataset"),
        (lambda r: [r(1), r(2, state=RunState.RUNNING)], "only finished"),
    ],
)
def test_what_can_be_set_side_by_side(record, make, reason):
    found = actions(make(record)).beside
    assert found is None if reason is None else reason in found


def test_several_runs_are_deleted_together_but_renamed_alone(record):
    can = actions([record(1), record(2)])
    assert can.delete is None
    assert can.rename == can.open == "tick one run"


def test_labels_are_short_and_distinct(record):
    runs = [record(1), record(2, seed=3), record(3, name="my run"), record(4), record(5)]
    names = labels(runs)
    assert names[runs[1].id] == "uniform · 10, seed 3"
    assert names[runs[2].id] == "my run"
    assert len(set(labels(runs[1:4]).values())) == 3
    twins = [record(1), dataclasses.replace(record(2), id="abcd00000000")]
    assert labels(twins)["abcd00000000"].endswith("(abcd)")
    assert labels(runs[:1])[runs[0].id] == "uniform · 10"


def test_runs_are_grouped_by_dataset_the_wanted_one_first(record):
    runs = [record(1), record(2, fingerprint="sha256:b"), record(3, state=RunState.FAILED), record(4, kind="compare")]
    assert list(runs_by_dataset(runs, first="sha256:b")) == ["sha256:b", "sha256:a"]
    assert runs_by_dataset(runs)["sha256:a"] == runs[:1]
    assert "sha256:none" not in runs_by_dataset(runs, first="sha256:none")


def test_which_runs_are_shown_first():
    ids = ["a", "b", "c"]
    assert start_with(ids, None, ()) == ["a"]
    assert start_with(ids, "b", ()) == ["b"]
    assert start_with(ids, "b", ["b", "c"]) == ["b", "c"]
    assert start_with(ids, "a", ["b", "c"]) == ["a"], "another run was opened since"
    assert start_with(ids, "gone", ["gone"]) == ["a"]


def test_summary_line():
    assert summary_line(1, 1) == "1 run"
    assert summary_line(2, 5) == "2 of 5 runs"


def test_a_file_that_is_no_bundle_is_refused_by_the_visitors_name(empty_home):
    with pytest.raises(InputError, match=r"holiday\.zip") as caught:
        import_bundle(io.BytesIO(b"not a zip"), "holiday.zip")
    assert "bundle.zip" not in str(caught.value)
    assert empty_home.records() == []


def test_an_exported_run_comes_back_by_import(home):
    run = home.records(kind="select")[0]
    bundle = run_zip(run.id)
    home.delete(run.id)
    assert import_bundle(io.BytesIO(bundle), "run.zip").id == run.id
    assert home.get(run.id).state is RunState.DONE
    assert (home.folder(run.id) / "selection.csv").exists()
