"""Seconds and peak memory of every method on made-up features of a given size."""

import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from skmm_core.bench.clustered import clustered_features
from skmm_core.bench.machine_facts import machine, measured
from skmm_core.data import Task
from skmm_core.errors import Cancelled, InputError
from skmm_core.methods import MethodSpec, Need, list_methods, select
from skmm_core.pool import Pool, make_pool
from skmm_core.progress import Progress, Report, ignore

_PASS_REPEATS = 3


@dataclass(frozen=True)
class MethodsOptions:
    """What is measured.

    Attributes:
        sizes: values of N.
        dims: d.
        budget: n.
        methods: registry keys; empty is every method.
        limit: seconds after which a method is stopped and said to be so.
    """

    sizes: tuple[int, ...] = (10_000, 50_000)
    dims: int = 1280
    budget: int = 1000
    methods: tuple[str, ...] = ()
    limit: float = 600.0


def bench_methods(options: MethodsOptions, *, device: torch.device, report: Report = ignore) -> dict[str, Any]:
    """Run every method once on each size; what methods share (sketch, moments, warm-up) is measured apart.

    Returns:
        JSON-safe: machine, options and a row a method and size, with `passes`: its seconds over those of one product
        of the features with a vector, which is measured just before it.

    Raises:
        InputError: a method is unknown, or the budget exceeds a size.
    """
    specs = _chosen(options)
    if options.budget > min(options.sizes):
        raise InputError(f"--budget {options.budget} exceeds the smallest size {min(options.sizes)}")
    rows: list[dict[str, Any]] = []
    shared: list[dict[str, Any]] = []
    count = len(options.sizes) * len(specs)
    for size in options.sizes:
        features, labels = clustered_features(size, options.dims)
        pool = make_pool(features, targets=labels, seed=0, device=str(device))
        shared += [{"N": size, **each} for each in _prepare(pool, specs, device, report)]
        for spec in specs:
            report(Progress(f"Timing {spec.key}, N = {size:,}", len(rows), count))
            rows.append({"method": spec.key, "N": size, **_time_method(spec, pool, options, device, report)})
    return {
        "bench": "methods",
        "machine": machine(device),
        "options": {"d": options.dims, "n": options.budget, "limit": options.limit},
        "shared": shared,
        "methods": rows,
    }


def _chosen(options: MethodsOptions) -> list[MethodSpec]:
    specs = {spec.key: spec for spec in list_methods()}
    if unknown := [key for key in options.methods if key not in specs]:
        raise InputError(f"method {unknown[0]!r} is unknown; choose some of: {', '.join(specs)}")
    # Made-up data have classes; a method that wants a regression has nothing to run on.
    usable = [spec for spec in specs.values() if spec.missing(Task.CLASSIFICATION) is None]
    return [spec for spec in usable if not options.methods or spec.key in options.methods]


def _prepare(pool: Pool, specs: list[MethodSpec], device: torch.device, report: Report) -> list[dict[str, float | str]]:
    """Compute what several methods share, so that the first of them does not pay for the others."""
    needs = frozenset[Need]().union(*(spec.needs for spec in specs))
    names = ["moments"] + [need.value for need in (Need.WARM_UP, Need.DYNAMICS) if need in needs]
    rows: list[dict[str, float | str]] = []
    for name in names:
        report(Progress(f"Preparing {name.replace('_', ' ')}, N = {pool.size:,}", 0))
        with measured(device) as cost:
            getattr(pool, name)
        rows.append({"what": name, "seconds": cost.seconds, "peak_mb": cost.peak_mb})
    return rows


def _time_method(
    spec: MethodSpec, pool: Pool, options: MethodsOptions, device: torch.device, report: Report
) -> dict[str, Any]:
    one_pass = _seconds_of_a_pass(pool.features, device)
    deadline = time.monotonic() + options.limit
    stopped = False

    def watch(progress: Progress) -> None:
        nonlocal stopped
        report(progress)
        if time.monotonic() > deadline:
            stopped = True
            raise Cancelled

    with measured(device) as cost:
        try:
            select(pool, spec.key, options.budget, report=watch)
        except Cancelled:
            # Anyone else's wish to stop is not ours to swallow.
            if not stopped:
                raise
    return {
        "seconds": cost.seconds,
        "peak_mb": cost.peak_mb,
        "pass_seconds": one_pass,
        "passes": cost.seconds / one_pass,
        "stopped": stopped,
    }


def _seconds_of_a_pass(features: Tensor, device: torch.device) -> float:
    """Fastest of a few products of the features with a vector."""
    vector = torch.ones(features.shape[1], dtype=features.dtype, device=device)
    seconds = []
    for _ in range(_PASS_REPEATS):
        with measured(device) as cost:
            features @ vector
        seconds.append(cost.seconds)
    return min(seconds)
