"""Command that makes features of images or of texts: embed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer
from pydantic import BaseModel, ValidationError

from skmm_core.cli import options as flags
from skmm_core.cli.console import ConsoleReport, how_read_text, show_json, show_table
from skmm_core.config import TEXT_MODEL, DatasetConfig, EmbedJob
from skmm_core.data import LEFT_OUT
from skmm_core.errors import InputError
from skmm_core.progress import Progress
from skmm_core.runs import encoder_text

_MOST_LISTED = 20
_IMAGES = "Folder, zip or tar file of images, or folder of shards (.tar); hub:NAME downloads a public set: hub:cifar10."
_TEXTS = "Table with a column of texts: a file or a folder, such as texts.csv."
_MODEL = (
    f"{EmbedJob.model_fields['model'].description} Default: efficientnet-lite0 for images, offline where it is not "
    f"installed; {TEXT_MODEL} for texts."
)
_Model = TypeVar("_Model", bound=BaseModel)
_FLAGS = {"architecture": "--model-config"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("embed")(embed)


def _help(field: str) -> str:
    return EmbedJob.model_fields[field].description or ""


def embed(
    out: Annotated[str, typer.Option("--out", help="npz file for the features.")],
    images: Annotated[str | None, typer.Option("--images", help=_IMAGES, metavar="FOLDER|FILE")] = None,
    texts: Annotated[str | None, typer.Option("--texts", help=_TEXTS, metavar="FILE|FOLDER")] = None,
    model: Annotated[str | None, typer.Option("--model", help=_MODEL, metavar="NAME|FOLDER")] = None,
    pretrained: Annotated[
        str | None, typer.Option("--pretrained", help=_help("pretrained"), metavar="TAG|FILE")
    ] = None,
    architecture: Annotated[
        str | None, typer.Option("--model-config", help=_help("architecture"), metavar="FILE")
    ] = None,
    pattern: Annotated[str | None, typer.Option("--pattern", help=_help("pattern"), metavar="utkface")] = None,
    target: Annotated[
        str | None,
        typer.Option("--target", help="Target column of the table, also of one beside images, or value of samples."),
    ] = None,
    text: flags.Text = None,
    id_: flags.Id = None,
    ignore: flags.Ignore = None,
    unlabelled: flags.Unlabelled = None,
    labelled_only: flags.LabelledOnly = False,
    drop_bad_rows: flags.DropBadRows = False,
    task: flags.Task = "auto",
    test: flags.Test = None,
    allow_random_weights: Annotated[
        bool, typer.Option("--allow-random-weights", help=_help("allow_random_weights"))
    ] = False,
    device: flags.Device = "auto",
    json_: flags.Json = False,
    quiet: flags.Quiet = False,
) -> None:
    """Turn images, or the texts of a table, into a file of features for select and compare; call it again to continue.

    Give --images or --texts. Of a table, --text, --id, --ignore, --unlabelled, --labelled-only, --drop-bad-rows, --task
    and --test say how it is read.
    """
    of_table = {
        **{"text": text, "id": id_, "ignore": ignore, "unlabelled": unlabelled, "labelled_only": labelled_only},
        **{"drop_bad_rows": drop_bad_rows, "task": task, "test": test},
    }
    of_images = {
        **{"pretrained": pretrained, "architecture": architecture, "pattern": pattern},
        "allow_random_weights": allow_random_weights,
    }
    reads = _reads(images, texts, of_images, of_table)
    file = _out_file(out)
    job = _checked(EmbedJob, {"reads": reads, "model": _default_model(reads) if model is None else model, **of_images})
    dataset = _checked(DatasetConfig, {"source": texts or images, "target": target, **of_table})
    if model is None and reads == "pictures" and not quiet:
        _advise()
    result = _run(dataset, job, file, device, quiet=quiet)
    if json_:
        show_json({**result, "out": str(file)})
        return
    _show_skipped(result)
    notes = [note for note in result["notes"] if LEFT_OUT not in note]  # the table says what is left out
    told = [f"{summary_line(result)} Features: {file}", *notes, _origin(result)]
    typer.echo("\n".join(filter(None, told)) + how_read_text(result.get("reading", ())))


def _reads(
    images: str | None, texts: str | None, of_images: Mapping[str, Any], of_table: Mapping[str, Any]
) -> Literal["pictures", "texts"]:
    """What is read; flags of the other kind are refused."""
    if (images is None) == (texts is None):
        both = "one of the two" if images is not None else "--images FOLDER or --texts FILE"
        raise InputError(f"embed makes features of images or of texts; give {both}")
    other, kind = (of_images, "--images") if images is None else (of_table, "--texts")
    if given := [name for name, value in other.items() if value not in (None, False, "auto")]:
        raise InputError(f"{_flag(given[0])} goes with {kind}; leave it out")
    return "pictures" if texts is None else "texts"


def _origin(result: Mapping[str, Any]) -> str | None:
    from skmm_core.encoders import origin_line

    return origin_line(result["provenance"])


def _default_model(reads: str) -> str:
    from skmm_core.encoders import default_model

    return TEXT_MODEL if reads == "texts" else default_model()


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


def _checked(model: type[_Model], values: Mapping[str, Any]) -> _Model:
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{_flag(str(first['loc'][-1]))}: {first['msg']}") from None


def _flag(field: str) -> str:
    return _FLAGS.get(field, f"--{field.replace('_', '-')}")


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
    things = "texts" if result.get("reads") == "texts" else "images"  # runs of earlier versions are of images
    rate = result[f"{things}_per_second"]
    speed = f"{rate:,.0f} {things} a second" if rate else "all were in the cache"
    classes = len(result["class_names"])
    targets = f"{classes} classes" if classes else "numeric targets" if result["labelled"] else "no labels"
    targets = result.get("partly_labelled") or targets
    encoder = encoder_text(result["model"])
    return f"{result['N']:,} {things} ({targets}) → {result['d']:,} features each by {encoder}; {speed}."
