"""Seconds and peak memory of every kind of sketch on gradients of a classification head.

All kinds map the same rows e ⊗ φ. The Kronecker sketch works on the factors, the others on blocks of the products,
which none holds at once. A map too large to hold is drawn again in every call, and that time counts. Beside them stands
the textbook way: one product with a Gaussian map held in memory, drawn beforehand and for free.
"""

from dataclasses import dataclass
from typing import Any

import torch

from skmm_core.bench.machine_facts import Measured, machine, measured
from skmm_core.device import generator
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report, ignore
from skmm_core.sketches import OuterRows, draw_sketch

KINDS = ("gaussian", "rademacher", "srht", "sparse", "countsketch", "kronecker")
_HELD_ROWS = 500
HELD = "gaussian, map held"
_DENSE, _FAST = ("gaussian", HELD), "kronecker"


@dataclass(frozen=True)
class SketchOptions:
    """What is measured.

    Attributes:
        rows: N.
        dims: d, length of φ.
        classes: C, length of e.
        size: m.
        repeats: rounds; every kind runs once in each, and its fastest round counts.
    """

    rows: int = 2000
    dims: int = 512
    classes: int = 196
    size: int = 512
    repeats: int = 3


def bench_sketch(options: SketchOptions, *, device: torch.device, report: Report = ignore) -> dict[str, Any]:
    """Sketch the same head gradients with every kind, taking turns.

    Returns:
        JSON-safe: machine, options, a row a kind with its seconds, peak memory and ratio (seconds of the faster dense
        Gaussian way over its own), and `kronecker_speedup`, that ratio of kronecker.

    Raises:
        InputError: the sketch is larger than the gradients.
    """
    r = options.dims * options.classes
    if options.size > r:
        raise InputError(f"--sketch-dim {options.size} exceeds the {r} dimensions of the gradients")
    rows = _made_up(options, device)
    factors = (options.dims, options.classes)
    seconds: dict[str, list[float]] = {kind: [] for kind in (*KINDS, HELD)}
    peaks: dict[str, float] = dict.fromkeys(seconds, 0.0)
    for kind in KINDS:
        draw_sketch(kind, r, options.size, seed=0, factors=factors)(rows[:2])  # loads libraries
    for turn in range(options.repeats):
        for number, kind in enumerate(KINDS):
            report(Progress(f"Timing {kind}", turn * len(KINDS) + number, options.repeats * len(KINDS)))
            sketch = draw_sketch(kind, r, options.size, seed=0, factors=factors)
            sketch(rows[:1])
            with measured(device) as cost:
                sketch(rows)
            seconds[kind].append(cost.seconds)
            peaks[kind] = max(peaks[kind], cost.peak_mb)
        report(Progress(f"Timing {HELD}", (turn + 1) * len(KINDS), options.repeats * len(KINDS)))
        held = _held(rows, options.size, device)
        seconds[HELD].append(held.seconds)
        peaks[HELD] = max(peaks[HELD], held.peak_mb)
    best = {kind: min(found) for kind, found in seconds.items()}
    dense = min(best[kind] for kind in _DENSE)
    return {
        "bench": "sketch",
        "machine": machine(device),
        "options": {
            "N": options.rows,
            "d": options.dims,
            "classes": options.classes,
            "r": r,
            "m": options.size,
            "repeats": options.repeats,
        },
        "kronecker_speedup": dense / best[_FAST],
        "dense_gradients_mb": options.rows * r * 4 / 2**20,
        "dense_map_mb": options.size * r * 4 / 2**20,
        "sketches": [
            {
                "kind": kind,
                "seconds": best[kind],
                "all_seconds": seconds[kind],
                "peak_mb": peaks[kind],
                "ratio": dense / best[kind],
            }
            for kind in seconds
        ],
    }


def _held(rows: OuterRows, size: int, device: torch.device) -> Measured:
    """Cost of the product with a Gaussian map that is in memory, block by block of the rows written out."""
    matrix = torch.randn(rows.shape[1], size, generator=generator(0, "bench:map")).to(device)
    with measured(device) as cost:
        for start in range(0, len(rows), _HELD_ROWS):
            rows[start : start + _HELD_ROWS].dense() @ matrix
    return cost


def _made_up(options: SketchOptions, device: torch.device) -> OuterRows:
    """Random features and residuals p - y; the cost does not depend on their values."""
    draw = generator(0, "bench:sketch")
    features = torch.randn(options.rows, options.dims, generator=draw)
    residuals = torch.randn(options.rows, options.classes, generator=draw).softmax(dim=1)
    labels = torch.randint(options.classes, (options.rows,), generator=draw)
    residuals[torch.arange(options.rows), labels] -= 1
    return OuterRows(features.to(device), residuals.to(device))
