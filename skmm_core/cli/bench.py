"""Command that measures speed: bench."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skmm_core.cli import options as flags
from skmm_core.cli.console import ConsoleReport, show_json
from skmm_core.errors import InputError
from skmm_core.storage import write_json

if TYPE_CHECKING:
    from skmm_core.data import Dataset
    from skmm_core.progress import Report

_KINDS = ("solver", "methods", "sketch", "scale")
_LATER = ("gpu",)
_MIXTURE = "gmm"
_SMALL_SKETCH, _LARGE_SKETCHES = 32, (128, 512)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("bench")(bench)


def bench(
    kind: Annotated[str, typer.Argument(metavar="solver|methods|sketch|scale", help="What to measure.")],
    out: Annotated[str, typer.Option("--out", help="JSON file for every measurement.")],
    datasets: Annotated[
        str, typer.Option("--datasets", help="solver: built-in names or files, commas between.")
    ] = _MIXTURE,
    budget: Annotated[
        int | None, typer.Option("--budget", help="n; default 48 for solver, 1000 for methods and scale.")
    ] = None,
    steps: Annotated[int, typer.Option("--steps", min=1, help="solver: steps of Adam.")] = 10_000,
    rates: Annotated[str, typer.Option("--rates", help="solver: learning rates of Adam.")] = "1e-4,1e-5,1e-6",
    methods: Annotated[str, typer.Option("--methods", help="methods, scale: registry keys, commas between; all.")] = "",
    sizes: Annotated[
        str | None,
        typer.Option(
            "--sizes",
            help="methods, scale: values of N, commas between; default 10000,50000, for scale "
            "100000,500000,1000000,5000000.",
        ),
    ] = None,
    dims: Annotated[
        int | None,
        typer.Option("--dims", min=1, help="Number of features d; default 1280 for methods, 512 for sketch and scale."),
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(
            "--rows", min=2, help="N; default 2000 gradients for sketch, 500000 for one evaluation of the solver."
        ),
    ] = None,
    classes: Annotated[int, typer.Option("--classes", min=1, help="sketch: number of classes C.")] = 196,
    sketch_dim: Annotated[int, typer.Option("--sketch-dim", min=1, help="sketch: size m.")] = 512,
    limit: Annotated[float, typer.Option("--limit", min=0, help="methods: seconds before one is stopped.")] = 600.0,
    device: flags.Device = "auto",
    json_: flags.Json = False,
    quiet: flags.Quiet = False,
) -> None:
    """Measure speed: solver (against Adam), methods or sketch (seconds and peak memory of each kind), scale.

    Scale runs whole commands on files of growing size, made for a while beside --out: 5 GB for 5,000,000 rows.
    """
    if kind in _LATER:
        raise InputError(f"bench {kind} is not part of this version; choose one of: {', '.join(_KINDS)}")
    if kind not in _KINDS:
        raise InputError(f"bench {kind!r} is unknown; choose one of: {', '.join(_KINDS)}")
    file = Path(out)
    if not file.parent.is_dir() or file.is_dir():
        raise InputError(f"--out {out} cannot be written: give a file in a folder that is there")
    if budget is not None and budget < 1:
        raise InputError(f"--budget {budget} is below 1")
    report = ConsoleReport(quiet=quiet)
    try:
        if kind == "solver":
            found = _solver(datasets, budget, steps, rates, rows or 500_000, report)
        elif kind == "scale":
            found = _scale(methods, sizes, dims, budget, file.parent, report)
        elif kind == "sketch":
            found = _sketch(rows or 2000, dims or 512, classes, sketch_dim, device, report)
        else:
            found = _methods(methods, sizes or "10000,50000", dims or 1280, budget, limit, device, report)
    finally:
        report.close()
    write_json(file, found)
    if json_:
        show_json(found)
    else:
        typer.echo(_summary(found, file))


def _solver(datasets: str, budget: int | None, steps: int, rates: str, rows: int, report: "Report") -> dict[str, Any]:
    from skmm_core.bench import SolverOptions, bench_solver
    from skmm_core.data import load_dataset

    loaded = [load_dataset(name) for name in flags.split_list("--datasets", datasets)]
    problems = [(dataset, dim) for dataset in loaded for dim in _sketch_dims(dataset)]
    try:
        learning_rates = tuple(float(rate) for rate in flags.split_list("--rates", rates))
    except ValueError:
        raise InputError(f"--rates {rates}: give numbers with commas between, such as 1e-4,1e-5") from None
    options = SolverOptions(budget=budget or 48, steps=steps, learning_rates=learning_rates, iteration_rows=rows)
    return bench_solver(problems, options, report=report)


def _sketch_dims(dataset: "Dataset") -> tuple[int, ...]:
    """Sizes m: 32 for the mixture and small data, 128 and 512 for real features."""
    columns = dataset.features.shape[1]
    large = tuple(dim for dim in _LARGE_SKETCHES if dim <= columns)
    return large if large and dataset.name != _MIXTURE else (min(_SMALL_SKETCH, columns),)


def _methods(
    methods: str, sizes: str, dims: int, budget: int | None, limit: float, device: str, report: "Report"
) -> dict[str, Any]:
    from skmm_core.bench import MethodsOptions, bench_methods
    from skmm_core.device import resolve_device

    options = MethodsOptions(
        sizes=tuple(flags.split_numbers("--sizes", sizes)),
        dims=dims,
        budget=budget or 1000,
        methods=tuple(flags.split_list("--methods", methods)) if methods else (),
        limit=limit,
    )
    if min(options.sizes) < 1:
        raise InputError(f"--sizes {sizes}: sizes are at least 1")
    return bench_methods(options, device=resolve_device(device), report=report)


def _scale(
    methods: str, sizes: str | None, dims: int | None, budget: int | None, folder: Path, report: "Report"
) -> dict[str, Any]:
    from skmm_core.bench import ScaleOptions, bench_scale

    asked: dict[str, Any] = {"dims": dims, "budget": budget}
    if sizes is not None:
        asked["sizes"] = tuple(sorted(flags.split_numbers("--sizes", sizes)))
    if methods:
        asked["methods"] = tuple(flags.split_list("--methods", methods))
    options = ScaleOptions(**{name: value for name, value in asked.items() if value is not None})
    if options.sizes[0] < options.budget:
        raise InputError(f"--budget {options.budget} exceeds the smallest size {options.sizes[0]}")
    return bench_scale(options, folder, report=report)


def _sketch(rows: int, dims: int, classes: int, size: int, device: str, report: "Report") -> dict[str, Any]:
    from skmm_core.bench import SketchOptions, bench_sketch
    from skmm_core.device import resolve_device

    options = SketchOptions(rows=rows, dims=dims, classes=classes, size=size)
    return bench_sketch(options, device=resolve_device(device), report=report)


def _summary(found: dict[str, Any], file: Path) -> str:
    if found["bench"] == "solver":
        return (
            f"{found['compared']} problems; ours reached Adam's objective on {found['reached']}, "
            f"{found['geometric_mean_ratio'] or 1:.0f} times faster (geometric mean). Results: {file}"
        )
    if found["bench"] == "sketch":
        return (
            f"{len(found['sketches'])} sketches; kronecker is {found['kronecker_speedup']:.0f} times faster than the "
            f"dense Gaussian map. Results: {file}"
        )
    if found["bench"] == "scale":
        worst = max(found["rows"], key=lambda row: row["peak_mb"])
        steepest = max((value for value in found["exponents"].values() if value is not None), default=float("nan"))
        return (
            f"{len(found['rows'])} commands; most memory {worst['peak_mb']:,.0f} MB ({worst['method']}, N = "
            f"{worst['N']:,}), steepest growth N^{steepest:.2f}. Results: {file}"
        )
    slowest = max(found["methods"], key=lambda row: row["seconds"])
    return f"{len(found['methods'])} runs; slowest {slowest['method']}, {slowest['seconds']:.1f} s. Results: {file}"
