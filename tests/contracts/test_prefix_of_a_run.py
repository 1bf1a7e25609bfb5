"""The budget slider measures what the run measured, whatever option the run had.

Every field of a run's config that reaches a selection is changed once, found by walking the models, so that an option
that is added later fails here until it is tried too.
"""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import BaseModel

from dashboard.services import cache, prefix
from skmm_core.config import DatasetConfig, GradientParams, RunConfig, SelectJob, SketchParams
from skmm_core.data import load_dataset
from skmm_core.diagnostics import Diagnostics, diagnose
from skmm_core.jobs import run_folder
from skmm_core.pool import make_pool
from skmm_core.runs import RunStore

ROWS, BUDGET, FIRST = 120, 24, 9
HEAD = {"gradient": {"kind": "head"}}
# What is changed, and what must go with it; {folder} holds the files of `folder` below.
CHANGES: dict[str, list[dict[str, Any]]] = {
    "dataset.source": [{"dataset": {"source": "{folder}/rows.npz"}}, {"dataset": {"source": "digits"}}],
    "dataset.test": [{"dataset": {"test": "{folder}/test.csv"}}],
    "dataset.labels": [{"dataset": {"source": "{folder}/rows.npy", "labels": "{folder}/labels.npy"}} | HEAD],
    "dataset.target": [{"dataset": {"target": "other"}} | HEAD],
    "dataset.id": [{"dataset": {"id": "name"}}],
    "dataset.features": [{"dataset": {"features": "x1,x2,x3,x4,x5,x6,x7"}}],
    "dataset.text": [{"dataset": {"text": "name"}}],
    "dataset.ignore": [{"dataset": {"ignore": "x0,other"}}],
    "dataset.unlabelled": [{"dataset": {"unlabelled": "2"}}],
    "dataset.labelled_only": [{"dataset": {"unlabelled": "2", "labelled_only": True}}],
    "dataset.holdout": [{"dataset": {"holdout": 0.3}}],
    "dataset.task": [{"dataset": {"task": "regression"}} | HEAD],
    "dataset.drop_bad_rows": [{"dataset": {"source": "{folder}/bad.csv", "drop_bad_rows": True}}],
    "dataset.scale_columns": [{"dataset": {"scale_columns": True}}],
    "dataset.candidates": [{"dataset": {"source": "{folder}/rows.npy", "candidates": 100}}],
    "dataset.name": [{"dataset": {"name": "called otherwise"}}],
    "sketch.kind": [
        *({"sketch": {"kind": kind}} for kind in ("rademacher", "srht", "sparse", "countsketch", "none")),
        {"sketch": {"kind": "kronecker"}} | HEAD,
    ],
    "sketch.dim": [{"sketch": {"dim": 4}}],
    "sketch.nonzeros": [{"sketch": {"kind": "sparse", "nonzeros": 2}}],
    "gradient.kind": [HEAD],
    "gradient.targets": [{"gradient": {"kind": "head", "targets": "random"}}],
    "gradient.warm_up": [{"gradient": {"kind": "head", "warm_up": rows}} for rows in (0, 40)],
    "gradient.bias": [{"gradient": {"kind": "head", "bias": True}}],
    "job.method": [{"job": {"method": "margin"}}, {"job": {"method": "skmm", "params": {"c_s": 0.5}}}],
    "job.budget": [{"job": {"budget": 30}}],
    "job.params": [{"job": {"method": "skmm", "params": {"c_s": "auto"}}}],
    "job.seed": [{"job": {"seed": 3}}, {"job": {"seed": 3}} | HEAD],
    "job.include": [{"job": {"include": (3, 5, 90)}}],
    "job.exclude": [{"job": {"exclude": (3, 5, 90)}}],
    "job.labels": [{"job": {"labels": "{folder}/labels.csv", "method": method}} for method in ("k_center", "margin")],
    "job.group": [{"dataset": {"ignore": "other"}, "job": {"group": "other", "per_group": 9}}],
    "job.per_group": [{"dataset": {"ignore": "other"}, "job": {"group": "other", "per_group": BUDGET}}],
    "warm_up_rows": [
        {"warm_up_rows": 80, "job": {"method": "margin"}} | HEAD,
        {"warm_up_rows": 80} | HEAD,
    ],
    "device": [{"device": "cpu"}],
}
# what the labels were, and who reads the rows, changes nothing
NOT_OF_A_SELECTION = {"job.kind", "job.labels_hash", "cluster"}
GIVEN = {"dataset.unlabelled": 80, "job.labels": 40}  # points with a label or waiting for one, measured too
CASES = [(name, number) for name, changes in CHANGES.items() for number in range(len(changes))]


def options(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """Every field of a model and of the models in it, as "sketch.dim"; of the jobs, that of a selection."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if name == "job":
            inner = next(kind for kind in get_args(inner) if kind is SelectJob)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from options(inner, f"{before}{name}.")
        else:
            yield f"{before}{name}"


def test_every_option_of_a_selection_is_tried() -> None:
    assert set(options(RunConfig)) == set(CHANGES) | NOT_OF_A_SELECTION


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Labelled rows in every form that a dataset option speaks of."""
    made = tmp_path_factory.mktemp("prefix")
    random = np.random.default_rng(5)
    labels = np.arange(ROWS) % 3
    features = (random.normal(size=(ROWS, 40)) * np.geomspace(4, 0.2, 40) + labels[:, None]).astype(np.float32)
    frame = pd.DataFrame(features, columns=[f"x{column}" for column in range(40)])
    frame = frame.assign(label=labels, name=[f"row {row}" for row in range(ROWS)])
    frame = frame.assign(other=random.integers(0, 4, ROWS))
    frame.to_csv(made / "rows.csv", index=False)
    frame.head(30).to_csv(made / "test.csv", index=False)
    frame.assign(x3=frame["x3"].where(frame.index % 11 != 5)).to_csv(made / "bad.csv", index=False)
    waiting = pd.DataFrame({"id": frame["name"][:40], "label": labels[:40], "batch": 1})
    waiting.assign(label=waiting["label"].where(waiting.index < 30).astype("Int64")).to_csv(
        made / "labels.csv", index=False
    )
    np.save(made / "rows.npy", features)
    np.save(made / "labels.npy", labels)
    np.savez(made / "rows.npz", X=features, y=labels)
    return str(made)


def config_of(change: dict[str, Any], folder: str) -> RunConfig:
    """The plain config with a change."""

    def placed(value: Any) -> Any:
        return value.format(folder=folder) if isinstance(value, str) else value

    dataset = {"source": "{folder}/rows.csv"} | change.get("dataset", {})
    job = {"method": "k_center", "budget": BUDGET} | change.get("job", {})
    if dataset["source"].endswith(".csv"):
        dataset = {"target": "label", "id": "name"} | dataset
    return RunConfig(
        dataset=DatasetConfig(**{name: placed(value) for name, value in dataset.items()}),
        job=SelectJob(
            **{"method": "k_center", "budget": BUDGET} | {name: placed(value) for name, value in job.items()}
        ),
        sketch=SketchParams(**change.get("sketch", {})),
        gradient=GradientParams(**change.get("gradient", {})),
        warm_up_rows=change.get("warm_up_rows"),
        device=change.get("device", "auto"),
    )


@pytest.fixture
def measured(folder: str, tmp_path, monkeypatch: pytest.MonkeyPatch):
    """Make a run, and give its own measurements and those of its first points."""
    monkeypatch.setenv("SKMM_HOME", str(tmp_path))
    monkeypatch.setenv("SKMM_DATA_ROOTS", folder)

    def of(config: RunConfig, first: int) -> tuple[Diagnostics, Diagnostics]:
        store = RunStore(tmp_path)
        record = store.create(config, load_dataset(config.dataset).fingerprint)
        run_folder(record.folder, home=tmp_path)
        return cache.run_diagnostics(record.id), prefix.prefix_diagnostics(record.id, first)

    return of


def assert_equal(one: Diagnostics, other: Diagnostics, *, rounding: float = 0.0) -> None:
    """All of it, by default to the last bit: it is the same computation on the same numbers."""
    for spec in fields(Diagnostics):
        mine, theirs = getattr(one, spec.name), getattr(other, spec.name)
        if rounding and np.asarray(mine).dtype == np.float64:
            np.testing.assert_allclose(mine, theirs, rtol=rounding, atol=rounding, err_msg=spec.name)
        else:
            np.testing.assert_array_equal(mine, theirs, err_msg=spec.name)


@pytest.mark.parametrize(("name", "number"), CASES)
def test_all_points_of_a_run_measure_what_the_run_did(name: str, number: int, folder: str, measured) -> None:
    config = config_of(CHANGES[name][number], folder)
    own, sliders = measured(config, config.job.budget)
    assert_equal(own, sliders)


@pytest.mark.parametrize(("name", "number"), [case for case in CASES if not case[0].startswith("job.params")])
def test_the_first_points_measure_what_a_run_of_so_few_does(name: str, number: int, folder: str, measured) -> None:
    config = config_of(CHANGES[name][number], folder)
    if config.job.method == "skmm":  # its smaller selections are not the first points of a larger one
        config = config.model_copy(update={"job": config.job.model_copy(update={"method": "uniform", "params": {}})})
    _, sliders = measured(config, FIRST)
    few = config.model_copy(update={"job": config.job.model_copy(update={"budget": FIRST})})
    own, _ = measured(few, FIRST)
    assert sliders.n == own.n == FIRST + GIVEN.get(name, 0)
    # weights of 1/24, brought to sum 1, are 1/9 but for the last bit, which whitening by eigenvalues four decades apart
    # makes a thousand millionth at most
    assert_equal(own, sliders, rounding=1e-9)


def test_options_of_the_warm_up_move_the_measurements(folder: str, measured) -> None:
    # without this, the tests above could pass on a pool that reads none of them
    plain, _ = measured(config_of(HEAD, folder), BUDGET)
    for change in (*CHANGES["warm_up_rows"], *CHANGES["gradient.warm_up"], *CHANGES["gradient.bias"]):
        other, _ = measured(config_of(change | {"job": {}}, folder), BUDGET)
        assert other.moment_error != plain.moment_error, change


def test_a_file_that_changed_has_a_pool_of_its_own(folder: str, measured, tmp_path_factory, monkeypatch) -> None:
    made = tmp_path_factory.mktemp("changing")
    monkeypatch.setenv("SKMM_DATA_ROOTS", str(made))
    config = RunConfig(dataset=DatasetConfig(source=str(made / "x.npy")), job=SelectJob(method="k_center", budget=5))
    for seed in (0, 1):
        rows = np.random.default_rng(seed).normal(size=(50, 6)).astype(np.float32)
        np.save(made / "x.npy", rows)
        own, sliders = measured(config, 5)
        assert_equal(own, sliders)
        assert own.moment_error == diagnose(make_pool(rows), _k_center(rows)).moment_error


def _k_center(rows: np.ndarray) -> torch.Tensor:
    from skmm_core.methods import select

    return select(make_pool(rows), "k_center", 5).indices
