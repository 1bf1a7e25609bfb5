"""`predict`: labels for all rows without one, and what the labels so far are worth."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from skmm_core.cli import options as flags
from skmm_core.cli.console import ConsoleReport, show_json
from skmm_core.config import DatasetConfig, EstimateJob
from skmm_core.data import check_source
from skmm_core.errors import InputError
from skmm_core.projects import ProjectStore
from skmm_core.runs import PREDICTIONS_CSV, read_result, write_config
from skmm_core.storage import home


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("predict")(predict)


def _help(field: str) -> str:
    return EstimateJob.model_fields[field].description or ""


def predict(
    *,
    project: Annotated[str | None, typer.Argument(help="Project: 12 hex digits. Or give --dataset.")] = None,
    dataset: Annotated[str | None, typer.Option("--dataset", help="The pool, where it is no project's.")] = None,
    labels: Annotated[str | None, typer.Option("--labels", help=_help("labels"))] = None,
    out: Annotated[str | None, typer.Option("--out", help="csv file for the predictions.")] = None,
    learner: Annotated[str, typer.Option("--learner", help=_help("learner"))] = "auto",
    more: Annotated[str, typer.Option("--more", metavar="NUMBERS", help=_help("more"))] = "50,100,200",
    wanted: Annotated[float | None, typer.Option("--wanted", help=_help("wanted"))] = None,
    price: Annotated[float, typer.Option("--price", help=_help("price"))] = 0.0,
    hours_per_thousand: Annotated[float, typer.Option("--hours-per-thousand", help=_help("hours_per_thousand"))] = 0.0,
    currency: Annotated[str, typer.Option("--currency", help=_help("currency"))] = "€",
    curve: Annotated[bool, typer.Option("--curve/--no-curve", help=_help("curve"))] = True,
    test: flags.Test = None,
    target: flags.Target = None,
    id_: flags.Id = None,
    features: flags.Features = None,
    text: flags.Text = None,
    ignore: flags.Ignore = None,
    unlabelled: flags.Unlabelled = None,
    holdout: flags.Holdout = None,
    task: flags.Task = "auto",
    drop_bad_rows: flags.DropBadRows = False,
    scale_columns: flags.ScaleColumns = False,
    seed: flags.Seed = 0,
    device: flags.Device = "auto",
    json_: flags.Json = False,
    quiet: flags.Quiet = False,
) -> None:
    """Predict labels for all rows without one, the least sure first, and say what the labels so far are worth."""
    file = (
        None if out is None else _out_file(out, inputs=[name for name in (dataset, test, labels) if name is not None])
    )
    of_file = {
        **{"source": dataset, "test": test, "target": target, "id": id_, "features": features, "text": text},
        **{"ignore": ignore, "unlabelled": unlabelled, "holdout": holdout, "task": task},
        **{"drop_bad_rows": drop_bad_rows, "scale_columns": scale_columns},
    }
    pool, table = _pool(project, of_file, labels)
    job = {
        **{"kind": "estimate", "labels": table, "learner": learner, "more": flags.split_numbers("--more", more)},
        **{"wanted": wanted, "price": price, "hours_per_thousand": hours_per_thousand, "currency": currency},
        **{"curve": curve, "seed": seed},
    }
    config = flags.run_config(pool, job, {}, device)
    check_source(config.dataset)
    from skmm_core.jobs import with_labels_hash

    config = with_labels_hash(config)
    with tempfile.TemporaryDirectory(prefix="skmm-") as folder:
        result = _run(Path(folder), config, quiet=quiet)
        if file is not None:
            _keep(Path(folder) / PREDICTIONS_CSV, file)
    if json_:
        show_json(result)
        return
    typer.echo(_summary(result, file))


def _pool(project: str | None, of_file: Mapping[str, Any], labels: str | None) -> tuple[Mapping[str, Any], str | None]:
    """The pool and the table of labels: of a project, or as the flags say."""
    if (project is None) == (of_file["source"] is None):
        raise InputError("give a project, or a pool with --dataset and its labels with --labels; one of the two")
    if project is None:
        return of_file, labels
    store = ProjectStore(home())
    card = store.card(project)
    task = {} if of_file["task"] == "auto" else {"task": of_file["task"]}
    given = {name: value for name, value in of_file.items() if value != DatasetConfig.model_fields[name].default}
    if others := set(given) - {"source", "task"}:
        raise InputError(f"--{sorted(others)[0]} is known of a project already; leave it out")
    return card.dataset.model_dump() | task, labels or str(store.open(project).snapshot())


def _out_file(out: str, inputs: list[str]) -> Path:
    file = Path(out)
    if any(file.resolve() == Path(name).resolve() for name in inputs):
        raise InputError(f"--out {out} is a file that is read; name another one, or it would be lost")
    if file.suffix.lower() != ".csv" or file.is_dir() or not file.parent.is_dir():
        raise InputError(f"--out {out} cannot be written: give a csv file in a folder that is there")
    return file


def _run(folder: Path, config: Any, *, quiet: bool) -> dict[str, Any]:
    from skmm_core.jobs import Stop, run_folder

    report, stop = ConsoleReport(quiet=quiet), Stop(hard=True)
    write_config(folder, config)
    try:
        with stop.on_signals():
            run_folder(folder, report, stop=stop)
    finally:
        report.close()
    return read_result(folder)


def _keep(made: Path, file: Path) -> None:
    try:
        shutil.copyfile(made, file)
    except OSError as error:
        raise InputError(f"--out {file} cannot be written: {error.strerror}; choose another place") from None


def _summary(result: Mapping[str, Any], file: Path | None) -> str:
    said = result["said"]
    ahead = f"What more labels are expected to bring: {said['next']}" if result["next"] else said["next"]
    where = "" if file is None else f"{result['predicted']:,} rows are predicted, the least sure first: {file}"
    cost = result["wanted"] or {}
    price = f" These cost {cost['money']:,.2f} {cost['currency']}." if cost.get("money") else ""
    hours = f" They take {cost['hours']:,.1f} hours." if cost.get("hours") else ""
    told = [
        said["score"],
        said["trust"],
        ahead,
        said["wanted"] + price + hours,
        said["mistakes"],
        *result["label_notes"],
        where,
    ]
    return "\n".join(filter(None, told))
