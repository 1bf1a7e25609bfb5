"""Projects: what was answered stays, whoever answers, whatever stops; undo, batches, and labels as one file."""

import csv
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skmm_core.config import DatasetConfig
from skmm_core.errors import InputError
from skmm_core.projects import DECISION, Project, ProjectStore, Scheme

_DATA = DatasetConfig(source="points.csv")
_LABELLER = """
import sys
from pathlib import Path
from skmm_core.projects import Project
project = Project(Path(sys.argv[1]))
for number in range(100_000):
    project.label({f"p{number}": "cat"})
    print(number, flush=True)
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    store = ProjectStore(tmp_path)
    return store.open(store.begin(_DATA, "sha256:ab", name="points").id)


def test_the_same_pool_has_one_project(tmp_path: Path) -> None:
    store = ProjectStore(tmp_path)
    first = store.begin(_DATA, "sha256:ab", name="points")
    assert store.begin(_DATA, "sha256:ab", name="again") == first
    other = store.begin(_DATA, "sha256:cd", name="others")
    assert {card.id for card in ProjectStore(tmp_path).cards()} == {first.id, other.id}
    assert store.of_pool("sha256:cd") == other
    assert store.of_pool("sha256:ef") is None
    assert store.rename(first.id, "mine").name == store.card(first.id).name == "mine"
    with pytest.raises(InputError, match="there is no project"):
        store.open("0" * 12)


def test_the_last_answer_of_each_annotator_counts(project: Project) -> None:
    project.label({"a": "cat", "b": "dog"})
    project.label({"a": "dog"})
    project.label_by({"ann": {"a": "dog", "b": "cat", "c": None}, "bob": {"d": "cat"}})
    state = project.state()
    assert state.labels == {"a": "dog", "d": "cat"}
    assert state.disputed == {"b": {"me": "dog", "ann": "cat"}}
    assert state.skipped == {"c"}
    project.label({"b": "cat"}, by="bob")
    assert project.state().labels["b"] == "cat", "two of three"
    assert "b" in project.state().disputed, "still listed until somebody decides"
    project.label({"b": "dog"}, by="decision")
    assert project.state().labels["b"] == "dog"
    assert not project.state().disputed
    project.clear(["b"])
    assert "b" not in project.state().answers


def test_undo_and_redo_go_through_whole_actions(project: Project) -> None:
    project.label({"a": "cat", "b": "dog"}, what="import 2 labels")
    project.tag(["a", "b"], "odd")
    project.untag(["b"], "odd")
    project.decide(["a"], "pin")
    project.decide(["b"], "bar")
    assert (project.state().pinned, project.state().barred) == ({"a"}, {"b"})
    before = project.version()
    assert project.undo() == "bar 1 point"
    assert project.version() != before
    assert project.undo() == "pin 1 point"
    assert project.undo() is not None
    assert project.state().tags == {"a": {"odd"}, "b": {"odd"}}
    assert project.redo() == "take the tag odd from 1 point"
    assert project.state().tags == {"a": {"odd"}}
    project.undo(), project.undo()
    assert project.last_action() == "import 2 labels"
    project.label({"c": "cat"})
    assert project.redo() is None, "something else was done since"
    assert project.undo() == "label c as cat"
    assert project.undo() == "import 2 labels"
    assert project.undo() is None
    assert project.state().answers == {}


def test_batches_keep_the_order_of_picks(project: Project) -> None:
    assert project.add_batch("0" * 12, ["c", "a"]) == 1
    assert project.add_batch("0" * 12, ["c", "a"]) == 1, "the same run is the same batch"
    assert project.add_batch("1" * 12, ["b", "d"]) == 2
    with pytest.raises(InputError, match="a is in batch 1 already"):
        project.add_batch("2" * 12, ["e", "a"])
    project.label({"a": "cat", "b": None})
    state = project.state()
    assert [(batch.number, batch.run, batch.items) for batch in state.batches] == [
        (1, "0" * 12, ("c", "a")),
        (2, "1" * 12, ("b", "d")),
    ]
    assert state.pending == ("c", "d")
    project.decide(["c"], "bar")
    assert project.state().pending == ("d",), "what is barred waits for nothing"
    project.undo()
    assert project.undo() == "label 2 points"
    assert project.undo() == "pick batch 2"
    assert project.add_batch("3" * 12, ["d"]) == 2


def test_a_snapshot_is_named_by_what_it_holds(project: Project) -> None:
    project.add_batch("0" * 12, ["c", "a", "=b"])
    project.label({"a": 'a "cat", or\nnot', "=b": None, "0012": "dog"})
    project.decide(["z"], "bar")
    first = project.snapshot()
    with first.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["id", "label", "batch", "state"],
        ["0012", "dog", "", "labelled"],
        ["=b", "", "1", "skipped"],
        ["a", 'a "cat", or\nnot', "1", "labelled"],
        ["c", "", "1", "pending"],
        ["z", "", "", "barred"],
    ]
    assert project.snapshot() == first
    project.label({"c": "cat"})
    assert project.snapshot() != first
    project.undo()
    assert project.snapshot() == first


def test_a_point_in_dispute_waits_and_is_not_picked_again(project: Project) -> None:
    project.label_by({"ann": {"a": "cat", "b": "cat"}, "bob": {"a": "dog", "b": "cat"}})
    rows = project.snapshot().read_text().splitlines()
    assert rows == ["id,label,batch,state", "a,,,pending", "b,cat,,labelled"]
    project.label_by({"eve": {"a": "dog"}})
    assert "a,dog,,labelled" in project.snapshot().read_text()


def test_every_answer_that_was_said_to_be_kept_outlives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "project.sqlite"
    told = -1
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", _LABELLER, str(path)], stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert process.stdout is not None
        for line in process.stdout:
            told = int(line)
            if told >= 20:
                process.send_signal(signal.SIGKILL)
                break
        told = max([told, *map(int, process.stdout.read().split())])
        process.wait()
        process.stdout.close()
        kept = Project(path).state().labels
        assert {f"p{number}" for number in range(told + 1)} <= set(kept)


def test_two_tabs_lose_and_double_nothing(project: Project) -> None:
    def answer(tab: int) -> None:
        for number in range(25):
            project.label({f"{tab}-{number}": "cat"})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(answer, range(4)))
    assert len(project.state().labels) == 100
    assert project.version()[0] == 100


def test_a_damaged_file_is_one_plain_line(tmp_path: Path) -> None:
    path = tmp_path / "project.sqlite"
    path.write_bytes(b"no database " * 400)
    with pytest.raises(InputError, match="cannot be used"):
        Project(path)


def test_a_decision_to_skip_ends_a_dispute(project: Project) -> None:
    project.add_batch("run", ["a", "b"])
    project.label_by({"ann": {"a": "cat"}, "bob": {"a": "dog"}})
    assert project.state().pending == ("a", "b"), "disputed points wait for a label"
    project.label({"a": None}, by=DECISION)
    state = project.state()
    assert (state.pending, state.skipped, state.disputed, state.labels) == (("b",), {"a"}, {}, {})


def test_what_an_answer_is_is_kept_and_undone(project: Project) -> None:
    assert project.state().scheme == Scheme()
    project.keep_scheme(Scheme(("cat", "dog")))
    project.keep_scheme(Scheme(("cat", "dog")))
    project.keep_scheme(Scheme(("dog",), numbers=False))
    assert project.state().scheme == Scheme(("dog",), numbers=False)
    project.undo()
    assert project.state().scheme == Scheme(("cat", "dog"))
    project.undo()
    assert project.state().scheme == Scheme(), "the same once more was no action"


def test_the_last_answers_are_known_with_their_times(project: Project) -> None:
    assert project.last_answered() == project.answer_times() == ()
    project.label({"a": "cat"})
    project.label({"b": "cat", "c": None})
    project.label_by({"ann": {"d": "cat"}})
    times = project.answer_times()
    assert [count for _, count in times] == [1, 2], "those of others say nothing of the pace here"
    assert times[0][0] <= times[1][0]
    assert project.last_answered() == ("d",)
    project.undo()
    assert project.last_answered() == ("b", "c")
    project.tag(["a"], "odd")
    assert project.last_answered() == ()
