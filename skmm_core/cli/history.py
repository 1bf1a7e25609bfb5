"""`runs`: look at and manage the runs of the dashboard from the command line."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from skmm_core.cli import options as flags
from skmm_core.cli.console import show_json, show_table
from skmm_core.errors import InputError
from skmm_core.runs import RunRecord, RunState, RunStore, command_line, read_progress, read_result
from skmm_core.storage import home

app = typer.Typer(help="List, show, cancel, delete, export and import runs.", rich_markup_mode=None)
RunId = Annotated[str, typer.Argument(metavar="ID", help="12 hex digits, as `runs list` shows them.")]
Zip = Annotated[str, typer.Argument(metavar="FILE.zip")]


@app.callback(invoke_without_command=True)
def _program(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("list")
def list_runs(
    search: Annotated[str, typer.Option("--search", help="Words in name, dataset, method, state or id.")] = "",
    kind: Annotated[
        str | None, typer.Option("--kind", help="select, compare or embed.", metavar="select|compare|embed")
    ] = None,
    json_: flags.Json = False,
) -> None:
    """List the runs, newest first."""
    if kind not in (None, "select", "compare", "embed"):
        raise InputError(f"--kind {kind!r} is unknown; choose select, compare or embed")
    records = _store().records(search, kind)
    if json_:
        show_json({"runs": [_facts(record) for record in records]})
        return
    show_table(
        ("ID", "STATE", "KIND", "CREATED", "NAME"),
        [(each.id, each.state.value, each.kind, _moment(each.created), each.name) for each in records],
    )


@app.command("show")
def show(id_: RunId, json_: flags.Json = False) -> None:
    """Show one run."""
    record = _store().get(id_)
    facts = _facts(record) | {"command": command_line(record.config)}
    if record.state is RunState.RUNNING and (progress := read_progress(record.folder)):
        facts["progress"] = {"phase": progress.phase, "fraction": progress.fraction, "eta": progress.eta}
    if json_:
        result = read_result(record.folder) if record.state is RunState.DONE else None
        show_json(facts | {"config": record.config.model_dump(mode="json"), "result": result})
        return
    show_table(("WHAT", "VALUE"), [(key, value) for key, value in facts.items() if value is not None])


@app.command("cancel")
def cancel(id_: RunId, json_: flags.Json = False) -> None:
    """End a queued or running run; what it has finished is kept."""
    store = _store()
    store.cancel(id_)
    _tell(json_, store.get(id_))


@app.command("delete")
def delete(id_: RunId, json_: flags.Json = False) -> None:
    """Move a run to the trash, where it stays for a week; `runs undelete ID` brings it back."""
    store = _store()
    store.delete(id_)
    if json_:
        show_json({"id": id_, "deleted": True})
    else:
        typer.echo(f"{id_} is in the trash for a week; `runs undelete {id_}` brings it back")


@app.command("undelete")
def undelete(id_: RunId, json_: flags.Json = False) -> None:
    """Bring a run back from the trash."""
    store = _store()
    store.undelete(id_)
    _tell(json_, store.get(id_))


@app.command("export")
def export(id_: RunId, file: Zip, json_: flags.Json = False) -> None:
    """Write a run as one zip file."""
    _store().export(id_, Path(file))
    if json_:
        show_json({"id": id_, "file": file})
    else:
        typer.echo(f"{id_} written to {file}")


@app.command("import")
def import_(file: Zip, json_: flags.Json = False) -> None:
    """Add a run from a zip file that `runs export` wrote."""
    from skmm_core.jobs import import_run

    _tell(json_, import_run(_store(), Path(file)))


def _store() -> RunStore:
    store = RunStore(home())
    store.reconcile()
    return store


def _tell(json_: bool, record: RunRecord) -> None:
    if json_:
        show_json(_facts(record))
    else:
        typer.echo(f"{record.id} {record.state.value}: {record.name}")


def _facts(record: RunRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "kind": record.kind,
        "dataset": record.dataset,
        "method": record.method,
        "budget": record.budget,
        "state": record.state.value,
        "created": record.created,
        "started": record.started,
        "finished": record.finished,
        "error": record.error,
        "fingerprint": record.fingerprint,
        "folder": str(record.folder),
    }


def _moment(epoch: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(epoch))
