"""What the first points of a pick order are worth on their own, measured while a visitor moves the budget slider.

Nothing is picked again: the same measurements that a run makes, on fewer of its points. What belongs to the pool alone
is computed once and kept.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from dashboard.services import cache
from skmm_core.config import RunConfig, SelectJob
from skmm_core.errors import InputError

if TYPE_CHECKING:
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
    return _measure(
        run_id, budget, record.config.model_dump_json(), cache.file_stamp(str(record.folder / "result.json"))
    )


@st.cache_resource(max_entries=256, show_spinner=False)
def _measure(run_id: str, budget: int, config_json: str, stamp: cache.Stamp) -> "Diagnostics":
    import torch

    from skmm_core.diagnostics import diagnose

    config = RunConfig.model_validate_json(config_json)
    if not isinstance(config.job, SelectJob):
        raise InputError("only selections have a pick order")
    chosen = cache.run_table(run_id, "selection").sort_values("order", kind="stable").head(budget)
    indices = torch.from_numpy(chosen["position"].to_numpy(dtype=np.int64).copy())
    weights = torch.from_numpy(chosen["weight"].to_numpy(dtype=np.float64).copy())
    return diagnose(_pool(_pool_key(config)), indices, weights, c_s=asked_c_s(cache.run_result(run_id)))


def asked_c_s(result: dict[str, Any]) -> float:
    """The c_S that a run asked for; 1 where its method has none."""
    found = (result.get("objective") or {}).get("c_s", (result.get("params") or {}).get("c_s"))
    return float(found) if isinstance(found, int | float) else 1.0


def _pool_key(config: RunConfig) -> str:
    """The config without what the pool does not depend on, so that runs of one seed share a pool."""
    job = (
        SelectJob(method="uniform", budget=1, seed=config.job.seed) if isinstance(config.job, SelectJob) else config.job
    )
    return config.model_copy(update={"job": job}).model_dump_json()


@st.cache_resource(max_entries=3, show_spinner=False)
def _pool(config_json: str) -> "Pool":
    from skmm_core.pool import make_pool

    config = RunConfig.model_validate_json(config_json)
    seed = config.job.seed if isinstance(config.job, SelectJob) else 0
    data = cache.dataset(config.dataset)
    return make_pool(data, sketch=config.sketch, gradient=config.gradient, seed=seed, device=config.device)
