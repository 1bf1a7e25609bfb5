"""Command that makes features of images: embed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from skmm_core.cli import options as flags
from skmm_core.cli.console import ConsoleReport, how_read_text, show_json, show_table
from skmm_core.config import DatasetConfig, EmbedJob
from skmm_core.errors import InputError
from skmm_core.progress import Progress
from skmm_core.runs import encoder_text

_MOST_LISTED = 20
_IMAGES = "Folder, zip or tar file of images, or folder of shards (.tar); hub:NAME downloads a public set: hub:cifar10."
_MODEL = f"{EmbedJob.model_fields['model'].description} Default: efficientnet-lite0; offline where it is not installed."
_FLAGS = {"architecture": "--model-config"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("embed")(embed)


def _help(field: str) -> str:
    return EmbedJob.model_fields[field].description or ""


def embed(
    images: Annotated[str, typer.Option("--images", help=_IMAGES, metavar="FOLDER|FILE")],
    out: Annotated[str, typer.Option("--out", help="npz file for the features.")],
    model: Annotated[str | None, typer.Option("--model", help=_MODEL, metavar="NAME")] = None,
    pretrained: Annotated[
        str | None, typer.Option("--pretrained", help=_help("pretrained"), metavar="TAG|FILE")
    ] = None,
    architecture: Annotated[
        str | None, typer.Option("--model-config", help=_help("architecture"), metavar="FILE")
    ] = None,
    pattern: Annotated[str | None, typer.Option("--pattern", help=_help("pattern"), metavar="utkface")] = None,
    target: Annotated[
        str | None,
        typer.Option("--target", help="Target column of metadata.csv or metadata.jsonl, or value of the samples."),
    ] = None,
    allow_random_weights: Annotated[
        bool, typer.Option("--allow-random-weights", help=_help("allow_random_weights"))
    ] = False,
    device: flags.Device = "auto",
    json_: flags.Json = False,
    quiet: flags.Quiet = False,
) -> None:
    """Turn a folder or archive of images into a file of features for select and compare; call it again to continue."""
    file = _out_file(out)
    job = _job(
        model=_default_model() if model is None else model,
        pretrained=pretrained,
        architecture=architecture,
        pattern=pattern,
        allow_random_weights=allow_random_weights,
    )
    if model is None and not quiet:
        _advise()
    result = _run(DatasetConfig(source=images, target=target), job, file, device, quiet=quiet)
    if json_:
        show_json({**result, "out": str(file)})
        return
    _show_skipped(result)
    typer.echo(f"{summary_line(result)} Features: {file}")
    if origin := _origin(result):
        typer.echo(origin)
    for note in result["notes"]:
        typer.echo(note)
    typer.echo(how_read_text(result["reading"]))


def _origin(result: Mapping[str, Any]) -> str | None:
    from skmm_core.encoders import origin_line

    return origin_line(result["provenance"])


def _default_model() -> str:
    from skmm_core.encoders import default_model

    return default_model()


def _advise() -> None:
    """Say on stderr what would do better than the default, before minutes go into it."""
    from skmm_core.encoders import default_advice

    if advice := default_advice():
        typer.echo(advice, err=True)


def _out_file(out: str) -> Path:
    file = Path(out)
    if file.suffix.lower() != ".npz":
        raise InputError(f"--out {out} does not end in .npz; give a file such as features.npz")
    if file.is_dir() or not file.parent.is_dir():
        raise InputError(f"--out {out} cannot be written: give a file in a folder that is there")
    return file


def _job(**values: Any) -> EmbedJob:
    try:
        return EmbedJob.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][-1])
        raise InputError(f"{_FLAGS.get(name, '--' + name.replace('_', '-'))}: {first['msg']}") from None


def _run(dataset: DatasetConfig, job: EmbedJob, file: Path, device: str, *, quiet: bool) -> dict[str, Any]:
    from skmm_core.jobs import Stop, pulse

    report, stop = ConsoleReport(quiet=quiet), Stop(hard=True)

    def tell(progress: Progress) -> None:
        report(progress)
        stop(progress)

    try:
        with stop.on_signals(), pulse(None, stop):
            from skmm_core.encoders import embed as embed_job

            return embed_job(dataset, job, file, device=device, report=tell)
    finally:
        report.close()


def _show_skipped(result: Mapping[str, Any]) -> None:
    count, listed = result["skipped_count"], result["skipped"][:_MOST_LISTED]
    if not count:
        return
    typer.echo(f"{count:,} file{'s' * (count != 1)} left out:")
    show_table(("FILE", "REASON"), [(each["path"], each["reason"]) for each in listed])
    if count > len(listed):
        typer.echo(f"… and {count - len(listed):,} more (--json lists {len(result['skipped']):,})")


def summary_line(result: Mapping[str, Any]) -> str:
    """What was done, in one line."""
    rate = result["images_per_second"]
    speed = f"{rate:,.0f} images a second" if rate else "all were in the cache"
    classes = len(result["class_names"])
    without = "labels for some" if result["labelled_in_part"] else "no labels"
    targets = f"{classes} classes" if classes else "numeric targets" if result["labelled"] else without
    encoder = encoder_text(result["model"])
    return f"{result['N']:,} images ({targets}) → {result['d']:,} features each by {encoder}; {speed}."
