"""`labels`: chosen points out to a tool to label in, and labels back into a project."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from skmm_core.cli import options as flags
from skmm_core.cli.console import show_json, show_table
from skmm_core.config import DatasetConfig, RunConfig, SelectJob
from skmm_core.errors import InputError
from skmm_core.projects import ProjectCard, ProjectStore
from skmm_core.runs import CONFIG, RunStore, read_card, read_config, read_result, read_table
from skmm_core.storage import home

_TOOLS = "csv|label-studio|cvat|fiftyone|argilla|prodigy|zip"
app = typer.Typer(help="Take chosen points to a tool to label in, and bring labels back.", rich_markup_mode=None)
ProjectId = Annotated[str, typer.Argument(metavar="PROJECT", help="12 hex digits, as `labels status` shows them.")]
Points = Annotated[
    str,
    typer.Argument(metavar="RUN|PROJECT", help="Run (id or folder): its points. Project: all that wait for a label."),
]
Pool = Annotated[
    str,
    typer.Argument(
        metavar="PROJECT|RUN", help="Project, or a run: the project about its pool, begun if there is none."
    ),
]


@app.callback(invoke_without_command=True)
def _program(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("export")
def export(
    points: Points,
    to: Annotated[str, typer.Option("--to", help="Tool to label in.", metavar=_TOOLS)],
    out: Annotated[str, typer.Option("--out", metavar="FILE", help="File to write.")],
    json_: flags.Json = False,
) -> None:
    """Write chosen points as a file for a tool to label in."""
    from skmm_core.data import load_dataset
    from skmm_core.labels import export_selection, gather

    config, chosen, labels = _chosen(points)
    path = Path(out)
    if path.exists():
        raise InputError(f"{out} is there already; name a new file, nothing is written over")
    written = export_selection(gather(load_dataset(config), config, chosen, labels=labels), to, path)
    if json_:
        show_json({"file": out, "points": written.points, "notes": list(written.notes), "paste": written.paste})
        return
    typer.echo(f"{written.points:,} points written to {out}")
    for note in written.notes:
        typer.echo(note)
    if written.paste:
        typer.echo(f"\n{written.paste.rstrip()}")


@app.command("import")
def import_(pool: Pool, file: Annotated[str, typer.Argument(metavar="FILE")], json_: flags.Json = False) -> None:
    """Bring labels back; `labels undo` takes them back again."""
    from skmm_core.data import load_dataset
    from skmm_core.labels import import_labels, known_points, read_labels

    read, name = read_labels(file), Path(file).name
    card = _project(pool)
    config = _run_config(_run_folder(pool)).dataset if card is None else card.dataset
    dataset = load_dataset(config)
    ids = [dataset.ids[row] for row in dataset.split.train.tolist()]
    if card is None:
        known_points(read, ids, name=name)  # so that nothing is begun for a file about something else
        card = _begin(pool, config, dataset.fingerprint, dataset.name)
    report = import_labels(_store().open(card.id), read, ids, name=name)
    if json_:
        show_json({"project": card.id, "sentence": report.sentence, **asdict(report)})
        return
    typer.echo(report.sentence)
    for note in report.notes:
        typer.echo(f"note: {note}")
    typer.echo(f"`labels undo {card.id}` takes this back" if report.taken else "nothing was changed")


@app.command("status")
def status(
    project: Annotated[str | None, typer.Argument(metavar="PROJECT", help="One project; all without.")] = None,
    json_: flags.Json = False,
) -> None:
    """Say what is labelled and what waits."""
    store = _store()
    cards = store.cards() if project is None else (store.card(project),)
    facts = [_facts(card) for card in cards]
    if json_:
        show_json({"projects": facts})
        return
    show_table(
        ("ID", "BATCHES", "LABELLED", "WAITING", "SKIPPED", "DISPUTED", "NAME"),
        [
            (
                each["id"],
                each["batches"],
                each["labelled"],
                each["waiting"],
                each["skipped"],
                each["disputed"],
                each["name"],
            )
            for each in facts
        ],
    )


@app.command("undo")
def undo(project: ProjectId, json_: flags.Json = False) -> None:
    """Take back the last action: an import, a batch, a label."""
    undone = _store().open(project).undo()
    if json_:
        show_json({"project": project, "undone": undone})
    else:
        typer.echo("there is nothing to undo" if undone is None else f"undone: {undone}")


def _store() -> ProjectStore:
    return ProjectStore(home())


def _project(name: str) -> ProjectCard | None:
    return next((card for card in _store().cards() if card.id == name), None)


def _run_folder(name: str) -> Path:
    """Folder of a run by its id or path."""
    path = Path(name)
    if (path / CONFIG).is_file():
        return path
    runs = RunStore(home())
    found = next((record.folder for record in runs.records() if record.id == name), None)
    if found is None:
        raise InputError(f"{name[:80]!r} is no project, run or run folder; `labels status` and `runs list` list them")
    return found


def _run_config(folder: Path) -> RunConfig:
    config = read_config(folder)
    if not isinstance(config.job, SelectJob):
        raise InputError(f"{folder.name} picked no points (it is a run of {config.job.kind}); name a selection")
    return config


def _picked(folder: Path) -> list[tuple[str, int | None]]:
    """Id and batch of each point of a run, in the order picked."""
    table = read_table(folder, "selection").sort_values("order", kind="stable")
    batch = read_result(folder).get("batch")
    return [(str(id_), int(batch) if isinstance(batch, int) else None) for id_ in table["id"]]


def _chosen(name: str) -> tuple[DatasetConfig, list[tuple[str, int | None]], list[str]]:
    """Where the pool is from, the points to label with their batch, and labels given so far."""
    card = _project(name)
    if card is None:
        folder = _run_folder(name)
        return _run_config(folder).dataset, _picked(folder), []
    state = _store().open(card.id).state()
    return card.dataset, [(id_, state.batch_of.get(id_)) for id_ in state.pending], list(state.labels.values())


def _begin(run: str, config: DatasetConfig, fingerprint: str, name: str) -> ProjectCard:
    """The project about the pool of a run, with the run's points as a batch unless some of them are in one."""
    card = _store().begin(config, fingerprint, name=name)
    project = _store().open(card.id)
    folder = _run_folder(run)
    picked = [id_ for id_, _ in _picked(folder)]
    if project.state().batch_of.keys().isdisjoint(picked):
        about = read_card(folder)
        project.add_batch(folder.resolve().name if about is None else about.id, picked)
    return card


def _facts(card: ProjectCard) -> dict[str, Any]:
    project = _store().open(card.id)
    state = project.state()
    return {
        "id": card.id,
        "name": card.name,
        "dataset": card.dataset.source,
        "batches": len(state.batches),
        "labelled": len(state.labels),
        "waiting": len(state.pending),
        "skipped": len(state.skipped),
        "disputed": len(state.disputed),
        "last": project.last_action(),
    }
