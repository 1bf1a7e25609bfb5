"""Commands that list what there is: datasets, methods, learners."""

from dataclasses import asdict

import typer

from skmm_core.cli import options as flags
from skmm_core.cli.console import show_json, show_table
from skmm_core.probes import LEARNERS


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("datasets")(datasets)
    app.command("methods")(methods)
    app.command("learners")(learners)


def datasets(json_: flags.Json = False) -> None:
    """List the built-in datasets."""
    from skmm_core.data import BUILTINS

    if json_:
        show_json(
            {
                "datasets": [
                    {
                        "name": info.name,
                        "title": info.title,
                        "description": info.description,
                        "rows": info.rows,
                        "dims": info.dims,
                        "task": info.task.value,
                        "options": dict(info.options),
                    }
                    for info in BUILTINS
                ]
            }
        )
        return
    head = ("NAME", "ROWS", "DIMS", "TASK", "TITLE", "OPTIONS")
    show_table(
        head,
        [
            (
                info.name,
                info.rows,
                info.dims,
                info.task.value,
                info.title,
                ",".join(f"{key}={value}" for key, value in info.options.items()),
            )
            for info in BUILTINS
        ],
    )


def methods(json_: flags.Json = False) -> None:
    """List the selection methods and their params."""
    from skmm_core.methods import LEAGUE_DEFAULT, list_methods, plugin_faults

    for line in plugin_faults():
        typer.echo(f"note: {line}", err=True)
    if json_:
        show_json(
            {
                "methods": [
                    {
                        "key": spec.key,
                        "title": spec.title,
                        "family": spec.family.value,
                        "summary": spec.summary,
                        "needs": sorted(need.value for need in spec.needs),
                        "uses_labels": spec.uses_labels,
                        "random": spec.random,
                        "recommended": spec.recommended,
                        "paper": spec.paper,
                        "url": spec.url,
                        "params": spec.params.model_json_schema().get("properties", {}),
                    }
                    for spec in list_methods()
                ]
            }
        )
        return
    rows = []
    for spec in list_methods():
        needs = ", ".join(sorted(need.value for need in spec.needs)) or "nothing"
        defaults = ",".join(f"{name}={value}" for name, value in spec.params().model_dump(mode="json").items())
        mark = LEAGUE_DEFAULT[spec.uses_labels] if spec.recommended else ""
        rows.append((spec.key, spec.title, mark, spec.family.value, needs, spec.paper, defaults))
    show_table(("KEY", "TITLE", "DEFAULT", "FAMILY", "NEEDS", "PAPER", "PARAMS"), rows)


def learners(json_: flags.Json = False) -> None:
    """List the learners that score selections."""
    if json_:
        show_json({"learners": [asdict(learner) for learner in LEARNERS]})
        return
    rows = [(each.key, each.title, ", ".join(each.tasks), each.summary, each.paper) for each in LEARNERS]
    show_table(("KEY", "TITLE", "TASKS", "SUMMARY", "PAPER"), rows)
