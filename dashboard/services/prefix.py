"""What the first points of a pick order are worth on their own, measured while a visitor moves the budget slider.

Nothing is picked again: the same measurements that a run makes, on fewer of its points. What belongs to the pool alone
is computed once and kept.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard.services import cache
from skmm_core.config import DatasetConfig, RunConfig, SelectJob
from skmm_core.errors import InputError
from skmm_core.runs import LABELS_CSV

if TYPE_CHECKING:
    from torch import Tensor

    from skmm_core.diagnostics import Band, Diagnostics
    from skmm_core.pool import Pool


def prefix_diagnostics(run_id: str, budget: int) -> "Diagnostics":
    """Measure the first `budget` points of a finished selection, with their weights.

    Raises:
        InputError: the dataset cannot be read any more, or is another one by now.
    """
    return _asked(run_id, budget)[0]


def _asked(run_id: str, budget: int) -> "tuple[Diagnostics, Band]":
    record = cache.store().get(run_id)
    dataset = cache.dataset(_read_as(record.config))
    if dataset.fingerprint != record.fingerprint:
        raise InputError("the data have changed since this run, so a part of it cannot be measured")
    stamp = cache.file_stamp(str(record.folder / "result.json"))
    return _measure(run_id, budget, record.config.model_dump_json(), record.fingerprint, stamp)


def prefix_band(run_id: str, budget: int) -> "Band":
    """Set the first `budget` points of a finished selection beside random draws of as many.

    Raises:
        InputError: the dataset cannot be read any more, or is another one by now.
    """
    return _asked(run_id, budget)[1]


@st.cache_resource(max_entries=256, show_spinner=False)
def _measure(
    run_id: str, budget: int, config_json: str, fingerprint: str, stamp: cache.Stamp
) -> "tuple[Diagnostics, Band]":
    import torch

    from skmm_core.diagnostics import asked_c_s, diagnose, measure_band

    config = RunConfig.model_validate_json(config_json)
    if not isinstance(config.job, SelectJob):
        raise InputError("only selections have a pick order")
    chosen = cache.run_table(run_id, "selection").sort_values("order", kind="stable").head(budget)
    indices = torch.from_numpy(chosen["position"].to_numpy(dtype=np.int64).copy())
    weights = torch.from_numpy(chosen["weight"].to_numpy(dtype=np.float64).copy())
    indices, weights = _with_given(run_id, indices, weights)
    result = cache.run_result(run_id)
    c_s = asked_c_s(result.get("objective"), result.get("params"))
    pool = _pool(_without_job(config, cache.store().get(run_id).folder), config.job.seed, fingerprint)
    found = diagnose(pool, indices, weights, c_s=c_s)
    fixed, closed = _decided(run_id, config, config.job, indices)
    band, found = measure_band(pool, indices, found, fixed=fixed, closed=closed, seed=config.job.seed)
    return found, band


def _decided(run_id: str, config: RunConfig, job: SelectJob, indices: "Tensor") -> tuple[list[int], list[int]]:
    """Places of the points that were in before anything was picked, and of those that could not be picked."""
    from skmm_core.jobs import pool_positions

    points, dataset = cache.run_table(run_id, "scores"), cache.dataset(_read_as(config))
    included, closed = (set(pool_positions(dataset, rows)) for rows in (job.include, job.exclude))
    if "state" in points:
        included |= set(points.loc[points["state"].isin(("labelled", "pending")), "position"].tolist())
        closed |= set(points.loc[points["state"] == "out", "position"].tolist())
    return [place for place in indices.tolist() if place in included], sorted(closed - included)


def _with_given(run_id: str, indices: "Tensor", weights: "Tensor") -> tuple["Tensor", "Tensor"]:
    """The points with those that the run was given, as it measured them; versions before gave none."""
    import torch

    points = cache.run_table(run_id, "scores")
    if "share" not in points or not (given := points["state"].isin(("labelled", "pending"))).any():
        return indices, weights
    share = torch.from_numpy(points["share"].to_numpy(dtype=np.float64).copy())
    whole = torch.cat([torch.from_numpy(points.loc[given, "position"].to_numpy(dtype=np.int64).copy()), indices])
    return whole, share[whole]


def _read_as(config: RunConfig) -> DatasetConfig:
    from skmm_core.jobs import read_as

    return read_as(config)


def _without_job(config: RunConfig, folder: Path) -> str:
    """The config with one and the same job for all, so that runs that differ in method or budget share a pool.

    Labels that a run knew are read from its folder, where they are as they were.
    """
    known = isinstance(config.job, SelectJob) and config.job.labels is not None
    job = SelectJob(method="uniform", budget=1, labels=str(folder / LABELS_CSV) if known else None)
    return config.model_copy(update={"job": job}).model_dump_json()


@st.cache_resource(max_entries=3, show_spinner=False)
def _pool(config_json: str, seed: int, fingerprint: str) -> "Pool":
    """The pool of a run; the fingerprint keeps apart what a file held at different times."""
    from skmm_core.pool import pool_of

    config = RunConfig.model_validate_json(config_json)
    dataset = cache.dataset(_read_as(config))
    if isinstance(config.job, SelectJob) and config.job.labels is not None:
        from skmm_core.labels import begin_round, read_labels

        dataset = begin_round(dataset, read_labels(config.job.labels), task=config.dataset.task).dataset
    return pool_of(config, dataset, seed=seed)
