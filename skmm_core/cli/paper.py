"""Command that repeats the paper's experiments: paper."""

from typing import Annotated, Any

import typer

from skmm_core.cli import options as flags
from skmm_core.cli.compute import prepare_and_run
from skmm_core.config import PaperJob
from skmm_core.errors import InputError
from skmm_core.paper import EXPERIMENTS, Experiment, get_experiment


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("paper")(paper)


def _help(field: str) -> str:
    return PaperJob.model_fields[field].description or ""


def paper(
    experiment: Annotated[str, typer.Argument(metavar="|".join(EXPERIMENTS), help="Which table.")],
    out: flags.Out,
    images: Annotated[str | None, typer.Option("--images", metavar="FOLDER|FILE", help="The original images.")] = None,
    features: Annotated[
        str | None,
        typer.Option("--features", metavar="FILE", help="Features instead of images, such as an npz or parquet file."),
    ] = None,
    test: flags.Test = None,
    holdout: flags.Holdout = None,
    methods: Annotated[str, typer.Option("--methods", help=_help("methods"))] = "",
    budgets: Annotated[str, typer.Option("--budgets", help=_help("budgets"))] = "",
    seeds: Annotated[int, typer.Option("--seeds", help=_help("seeds"))] = 8,
    data_seeds: Annotated[int, typer.Option("--data-seeds", help=_help("data_seeds"))] = 3,
    finetune: Annotated[str, typer.Option("--finetune", metavar="1,2", help=_help("finetune"))] = "",
    model: Annotated[str, typer.Option("--model", help=_help("model"))] = "ViT-B-32",
    pretrained: Annotated[str | None, typer.Option("--pretrained", help=_help("pretrained"))] = None,
    architecture: Annotated[
        str | None, typer.Option("--model-config", metavar="FILE", help=_help("architecture"))
    ] = None,
    sketch: flags.Sketch = None,
    sketch_dim: flags.SketchDim = None,
    device: flags.Device = "auto",
    json_: flags.Json = False,
    quiet: flags.Quiet = False,
) -> None:
    """Repeat a table of the SkMM paper; call it again with the same folder to continue."""
    known = get_experiment(experiment)
    if not known.needs_data and (sketch or sketch_dim):
        raise InputError(f"--sketch: {known.key} sketches as the paper's table does, gaussian to m = 32; leave it out")
    asked: dict[str, Any] = {
        "kind": "paper",
        "experiment": known.key,
        "methods": flags.split_list("--methods", methods) if methods else (),
        "budgets": flags.split_numbers("--budgets", budgets) if budgets else (),
        "seeds": seeds,
        "data_seeds": data_seeds,
        "finetune": _layers(finetune),
        "model": model,
        "pretrained": pretrained,
        "architecture": architecture,
    }
    config = flags.run_config(
        _dataset(known, images, features, test, holdout), asked, {"kind": sketch, "dim": sketch_dim}, device
    )
    if isinstance(config.job, PaperJob):
        from skmm_core.paper import plan  # loads numpy

        plan(config.job)
    prepare_and_run(out, config, json_=json_, quiet=quiet)


def _dataset(
    experiment: Experiment, images: str | None, features: str | None, test: str | None, holdout: float | None
) -> dict[str, Any]:
    given = [name for name, value in (("--images", images), ("--features", features), ("--test", test)) if value]
    if not experiment.needs_data:
        if given:
            raise InputError(f"{given[0]}: {experiment.key} makes its own data; leave it out")
        return {"source": "gmm"}
    if (images is None) == (features is None):
        raise InputError(
            f"{experiment.key} needs --images FOLDER or --features FILE, one of them. Images: {experiment.origin}"
        )
    if images is not None and test is not None:
        raise InputError("--test goes with --features; images have a test folder of their own, or --holdout")
    if features is not None and test is None and holdout is None and not features.lower().endswith(".npz"):
        holdout = 0.2
    return {"source": images or features, "test": test, "holdout": holdout}


def _layers(text: str) -> tuple[int, ...]:
    layers = tuple(flags.split_numbers("--finetune", text)) if text else ()
    if wrong := [number for number in layers if number not in (1, 2)]:
        raise InputError(f"--finetune {wrong[0]}: the last 1 or 2 layers can be finetuned; write 1, 2 or 1,2")
    return tuple(sorted(layers))
