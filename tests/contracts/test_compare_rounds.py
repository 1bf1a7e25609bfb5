"""A comparison in rounds is the loop itself: every round is the selection that the labels so far would give."""

import dataclasses
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError

from skmm_core import probes
from skmm_core.comparison import compare, read_scores, round_budgets, rounds_sentence
from skmm_core.comparison.pool_parts import part_of
from skmm_core.config import CompareJob, GradientParams, SketchParams
from skmm_core.data import Dataset, Split, Task
from skmm_core.errors import Cancelled, InputError
from skmm_core.labels import LabelsRead, begin_round
from skmm_core.methods import select
from skmm_core.pool import make_pool
from skmm_core.progress import Progress, ignore

SKETCH = SketchParams(dim=4)
ENDS = (6, 11, 18)
METHODS = ("margin", "entropy", "badge", "u_herding", "dropquery", "skmm_cover", "typiclust", "uniform")


def _dataset(task: Task = Task.CLASSIFICATION) -> Dataset:
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 3, 130)
    features = rng.normal(size=(130, 6)) + 1.5 * np.eye(6)[codes]
    rows = torch.arange(130)
    classes = task is Task.CLASSIFICATION
    return Dataset(
        name="three",
        task=task,
        features=torch.tensor(features, dtype=torch.float32),
        targets=torch.tensor(codes if classes else features[:, 0].astype(np.float32)),
        ids=tuple(f"id{row}" for row in range(130)),
        rows=rows,
        split=Split(rows[:80], rows[:0], rows[80:]),
        fingerprint=f"sha256:rounds{task}",
        source="made",
        class_names=("ash", "beech", "cedar") if classes else (),
    )


def _job(methods: tuple[str, ...] = METHODS, ends: tuple[int, ...] = ENDS, **options: object) -> CompareJob:
    asked = {"seeds": 2, "learners": ("linear",), "rounds": len(ends)} | options
    return CompareJob.model_validate({"methods": methods, "budgets": ends, **asked})


def _compare(dataset: Dataset, job: CompareJob, **options: object):
    return compare(dataset, job, sketch=SKETCH, device="cpu", **options)


def _by_hand(dataset: Dataset, method: str, seed: int) -> list[list[int]]:
    """Rows of the part of a seed after each round, by a table of labels that is laid over the pool each time."""
    part = dataset.split.train[torch.from_numpy(part_of(80, 2, seed))]
    split = dataclasses.replace(dataset.split, train=part)
    mine = dataclasses.replace(dataset, split=split, task=Task.UNLABELLED, targets=None, class_names=())
    place = {dataset.ids[row]: at for at, row in enumerate(part.tolist())}
    labels: dict[str, str] = {}
    found: list[list[int]] = []
    for end in ENDS:
        now = begin_round(mine, LabelsRead(labels) if labels else None, task="classification")
        key = method if len(set(labels.values())) > 1 or method in ("skmm_cover", "typiclust", "uniform") else "uniform"
        pool = make_pool(now.dataset, sketch=SKETCH, seed=seed, device="cpu")
        assert sorted(now.given) == sorted(place[id_] for id_ in labels)
        new = select(pool, key, end - len(labels), seed=seed, given=now.given).indices.tolist()
        for at in new:
            row = int(part[at])
            labels[dataset.ids[row]] = dataset.class_names[int(dataset.targets[row])]  # type: ignore[index]
        found.append([*(found[-1] if found else []), *new])
    return found


def test_every_round_picks_what_select_picks_with_the_labels_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    trained: dict[int, list[list[int]]] = defaultdict(list)
    original = probes.score_learner

    def watched(part: Dataset, chosen: torch.Tensor, *words: object, **options: object):
        trained[part.pool_size].append(chosen.tolist())
        return original(part, chosen, *words, **options)

    monkeypatch.setattr(probes, "score_learner", watched)
    dataset = _dataset()
    found = _compare(dataset, _job())
    cells = found.scores[found.scores["metric"] == "accuracy"]
    assert set(cells["pool"]) == {"40/80/2"}  # one part for all rounds of a seed
    seen = {
        (row.method, row.seed, row.budget): picks for row, picks in zip(cells.itertuples(), trained[40], strict=True)
    }
    for method in METHODS:
        for seed in range(2):
            for end, expected in zip(ENDS, _by_hand(dataset, method, seed), strict=True):
                picked = seen[method, seed, end]
                assert len(set(picked)) == end
                assert set(picked) == set(expected), f"{method}, seed {seed}, round to {end}"
                assert picked[: len(expected)] == expected
    first = {method: seen[method, 0, ENDS[0]] for method in METHODS}
    assert first["margin"] == first["badge"] == first["uniform"] != first["skmm_cover"]
    assert len({tuple(sorted(seen[method, 0, ENDS[-1]])) for method in METHODS}) == len(METHODS)
    assert sorted(found.summary["budget"].unique()) == list(ENDS)


def test_labels_that_were_not_asked_for_change_nothing() -> None:
    dataset = _dataset()
    for method in METHODS:
        picked = _watch(dataset, method)
        hidden = torch.tensor([row for row in range(80) if row not in picked])
        targets = dataset.targets.clone()  # type: ignore[union-attr]
        targets[hidden] = (targets[hidden] + 1) % 3
        assert _watch(dataclasses.replace(dataset, targets=targets), method) == picked, method


def _watch(dataset: Dataset, method: str) -> list[int]:
    """Points of all rounds on the whole pool."""
    from skmm_core.comparison.replay import Replay, without_labels
    from skmm_core.methods import get_method

    pool = make_pool(without_labels(dataset), sketch=SKETCH, seed=0, device="cpu")
    return Replay(dataset, pool, ENDS, {}, seed=0).picks(get_method(method), ENDS[-1], ignore).indices.tolist()


def test_while_all_labels_are_of_one_class_picks_stay_random() -> None:
    dataset = _dataset()
    drawn = _watch(dataset, "uniform")
    targets = torch.ones(130, dtype=torch.int64)
    targets[drawn[: ENDS[1]]] = 0  # the first two rounds meet one class alone
    picked = _watch(dataclasses.replace(dataset, targets=targets), "margin")
    assert picked == drawn
    targets[drawn[0]] = 1
    assert _watch(dataclasses.replace(dataset, targets=targets), "margin")[: ENDS[0]] == drawn[: ENDS[0]]
    assert _watch(dataclasses.replace(dataset, targets=targets), "margin") != drawn


def test_an_interrupted_comparison_goes_on_within_its_rounds(tmp_path: Path) -> None:
    dataset, job = _dataset(), _job(("margin", "skmm_cover"))

    def stop(progress: Progress) -> None:
        if progress.phase == "Scoring skmm_cover at 11, seed 1":
            raise Cancelled

    with pytest.raises(Cancelled):
        _compare(dataset, job, folder=tmp_path, report=stop)
    kept = len(read_scores(tmp_path))
    assert kept
    again = _compare(dataset, job, folder=tmp_path)
    columns = [name for name in again.scores if name not in ("seconds",)]
    pd.testing.assert_frame_equal(again.scores[columns], _compare(dataset, job).scores[columns], check_dtype=False)
    with pytest.raises(InputError, match="holds the scores of another comparison"):
        _compare(dataset, job.model_copy(update={"rounds": 1}), folder=tmp_path)
    assert json.loads((tmp_path / "compare.json").read_text())["identity"]["rounds"] == 3


def test_numbers_too_and_nobody_is_in_another_league() -> None:
    found = _compare(_dataset(Task.REGRESSION), _job(("skmm_cover", "margin")))
    assert set(found.scores["method"]) == {"skmm_cover", "uniform"}
    assert list(found.left_out) == ["margin"]
    classes = _compare(_dataset(), _job(("margin", "skmm_cover")))
    assert set(classes.scores["method"]) == {"margin", "skmm_cover", "uniform"}  # none reads more labels than another


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"methods": ("el2n",)}, "needs a label in every row, and in rounds only the points picked so far have one"),
        ({"methods": ("uniform_stratified",)}, "take badge or u_herding"),
        ({"methods": ("skmm",), "params": {"skmm": {"stratify": True}}}, "with stratify needs a label in every row"),
    ],
)
def test_what_needs_every_label_is_refused_in_one_line(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as error:
        _compare(_dataset(), _job(**options))  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


def test_heads_of_other_rows_are_refused() -> None:
    with pytest.raises(InputError, match="--warm-up-rows: in rounds exactly the labelled points"):
        _compare(_dataset(), _job(("margin",)), warm_up_rows=20)
    with pytest.raises(InputError, match="which the first round lacks"):
        _compare(_dataset(), _job(("skmm",)), gradient=GradientParams(kind="head", targets="random"))


def test_budgets_are_the_rounds_or_one_is_split() -> None:
    assert round_budgets((100,), 5) == (20, 40, 60, 80, 100)
    assert round_budgets((11,), 3) == (3, 7, 11)
    assert round_budgets((60, 20, 40), 3) == (60, 20, 40)
    assert round_budgets((20, 40), 1) == (20, 40)
    with pytest.raises(InputError, match="5 rounds go with one budget, which is split into 5 batches, or with 5"):
        round_budgets((20, 40), 5)
    with pytest.raises(InputError, match="a budget of 3 is fewer points than 5 rounds"):
        round_budgets((3,), 5)
    with pytest.raises(ValidationError, match="3 rounds go with 3 budgets, one a round, and there are 2"):
        CompareJob(methods=("uniform",), budgets=(5, 10), rounds=3)


def test_the_sentence_says_rounds_and_random_starts() -> None:
    assert rounds_sentence((20,), ()) == ""
    told = rounds_sentence((20, 40, 60), ("Margin", "BADGE"))
    assert told.startswith("In 3 rounds, to 20, 40 and 60 points: each round sees the labels of the rounds before")
    assert told.endswith("Until two classes are labelled, Margin and BADGE pick at random, since they ask a model.")
