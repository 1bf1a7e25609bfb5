"""What the first points of a pick order are worth on their own, measured while a visitor moves the budget slider.

Nothing is picked again: the same measurements that a run makes, on fewer of its points. What belongs to the pool alone
is computed once and kept.
"""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard.services import cache
from skmm_core.config import RunConfig, SelectJob
from skmm_core.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from skmm_core.diagnostics import Diagnostics
    from skmm_core.pool import Pool


def prefix_diagnostics(run_id: str, budget: int) -> "Diagnostics":
    """Measure the first `budget` points of a finished selection, with their weights.

    Raises:
        InputError: the dataset cannot be read any more, or is another one by now.
    """
    record = cache.store().get(run_id)
    dataset = cache.dataset(record.config.dataset)
    if dataset.fingerprint != record.fingerprint:
        raise InputError("the data have changed since this run, so a part of it cannot be measured")
    stamp = cache.file_stamp(str(record.folder / "result.json"))
    return _measure(run_id, budget, record.config.model_dump_json(), record.fingerprint, stamp)


@st.cache_resource(max_entries=256, show_spinner=False)
def _measure(run_id: str, budget: int, config_json: str, fingerprint: str, stamp: cache.Stamp) -> "Diagnostics":
    import torch

    from skmm_core.diagnostics import asked_c_s, diagnose

    config = RunConfig.model_validate_json(config_json)
    if not isinstance(config.job, SelectJob):
        raise InputError("only selections have a pick order")
    chosen = cache.run_table(run_id, "selection").sort_values("order", kind="stable").head(budget)
    indices = torch.from_numpy(chosen["position"].to_numpy(dtype=np.int64).copy())
    weights = torch.from_numpy(chosen["weight"].to_numpy(dtype=np.float64).copy())
    indices, weights = _with_given(run_id, indices, weights)
    result = cache.run_result(run_id)
    c_s = asked_c_s(result.get("objective"), result.get("params"))
    return diagnose(_pool(_without_job(config), config.job.seed, fingerprint), indices, weights, c_s=c_s)


def _with_given(run_id: str, indices: "Tensor", weights: "Tensor") -> tuple["Tensor", "Tensor"]:
    """The points with those that the run was given, as it measured them; versions before gave none."""
    import torch

    points = cache.run_table(run_id, "scores")
    if "share" not in points or not (given := points["state"].isin(("labelled", "pending"))).any():
        return indices, weights
    share = torch.from_numpy(points["share"].to_numpy(dtype=np.float64).copy())
    whole = torch.cat([torch.from_numpy(points.loc[given, "position"].to_numpy(dtype=np.int64).copy()), indices])
    return whole, share[whole]


def _without_job(config: RunConfig) -> str:
    """The config with one and the same job for all, so that runs that differ in method or budget share a pool."""
    return config.model_copy(update={"job": SelectJob(method="uniform", budget=1)}).model_dump_json()


@st.cache_resource(max_entries=3, show_spinner=False)
def _pool(config_json: str, seed: int, fingerprint: str) -> "Pool":
    """The pool of a run; the fingerprint keeps apart what a file held at different times."""
    from skmm_core.pool import pool_of

    config = RunConfig.model_validate_json(config_json)
    return pool_of(config, cache.dataset(config.dataset), seed=seed)
