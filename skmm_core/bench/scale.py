"""Seconds and peak memory of whole `select` commands on files of growing size, a process each."""

import itertools
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from skmm_core.bench.clustered import write_clustered
from skmm_core.bench.machine_facts import machine
from skmm_core.errors import InputError
from skmm_core.methods import list_methods
from skmm_core.progress import Progress, Report, ignore
from skmm_core.runs import LOG


@dataclass(frozen=True)
class ScaleOptions:
    """What is measured.

    Attributes:
        sizes: values of N, ascending.
        dims: d.
        budget: n.
        methods: registry keys; empty is every method that can pick for a pool that memory cannot hold.
    """

    sizes: tuple[int, ...] = (100_000, 500_000, 1_000_000, 5_000_000)
    dims: int = 512
    budget: int = 1000
    methods: tuple[str, ...] = ()


def bench_scale(options: ScaleOptions, folder: Path, *, report: Report = ignore) -> dict[str, Any]:
    """Write a file of each size, and run `select` on it with each method.

    The first command on a file makes the passes over all of its rows, which are kept; those after it take them over.

    Args:
        options: what is measured.
        folder: where the files are made for a while; it needs 2 · d bytes a row of the largest.
        report: told before every command.

    Returns:
        JSON-safe: machine, options, a row a size and method, with seconds of each stage, and the exponent of N in the
        seconds of each method.

    Raises:
        InputError: a method is unknown or looks at every row, or a command fails.
    """
    methods = _chosen(options)
    rows: list[dict[str, Any]] = []
    count = len(options.sizes) * len(methods)
    for size in options.sizes:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".scale-") as place:
            report(Progress(f"Writing {size:,} rows", len(rows), count))
            data = Path(place) / "rows.npy"
            labels = write_clustered(data, size, options.dims)
            np.save(data.with_name("labels.npy"), labels)
            for method in methods:
                report(Progress(f"Timing {method}, N = {size:,}", len(rows), count))
                rows.append({"method": method, "N": size, **_timed(data, method, options.budget)})
    fits = {method: _exponent([row for row in rows if row["method"] == method]) for method in methods}
    return {
        "bench": "scale",
        "machine": machine(torch.device("cpu")),
        "options": {"d": options.dims, "n": options.budget},
        "rows": rows,
        "exponents": fits,
    }


def _chosen(options: ScaleOptions) -> list[str]:
    able = [spec.key for spec in list_methods() if spec.beyond_memory]
    if odd := [key for key in options.methods if key not in able]:
        raise InputError(f"method {odd[0]!r} is not one for pools beyond memory; choose some of: {', '.join(able)}")
    return [key for key in able if not options.methods or key in options.methods]


def _timed(data: Path, method: str, budget: int) -> dict[str, Any]:
    """Run the command in a process of its own, with a home beside the data."""
    out = data.with_name(f"run-{method}")
    command = [
        *(sys.executable, "-m", "skmm_core", "select", "--dataset", str(data), "--method", method),
        *("--labels", str(data.with_name("labels.npy")), "--budget", str(budget), "--out", str(out), "--quiet"),
    ]
    environment = os.environ | {"SKMM_HOME": str(data.with_name("home"))}
    began = time.perf_counter()
    with (out.with_suffix(".txt")).open("w+") as told_to:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=told_to)
        _, code, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        told_to.seek(0)
        told = told_to.read()
    process.returncode = os.waitstatus_to_exitcode(code)  # it was waited for here, with what it used
    if code:
        raise InputError(f"select with {method} failed: {told.strip().splitlines()[-1] if told.strip() else code}")
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    stages = _stages(out / LOG)
    shutil.rmtree(out)
    scale = 1024 if sys.platform.startswith("linux") else 1  # kilobytes there, bytes elsewhere
    return {
        "seconds": seconds,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss * scale / 2**20,
        "held": result.get("held", result["N"]),
        "picking_seconds": result["seconds"],
        "stages": stages,
    }


def _stages(log: Path) -> dict[str, float]:
    """Seconds from the first report of each phase to that of the next, by the first words of the phase."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    found: dict[str, float] = {}
    for line, after in itertools.pairwise(lines):
        name = line["phase"].replace("rows.npy", "the file")
        found[name] = found.get(name, 0.0) + after["time"] - line["time"]
    return found


def _exponent(rows: list[dict[str, Any]]) -> float | None:
    """Slope of log seconds over log N; None of one size."""
    if len(rows) < 2:
        return None
    sizes = [math.log(row["N"]) for row in rows]
    return float(np.polyfit(sizes, [math.log(row["seconds"]) for row in rows], 1)[0])
