"""The Python lines that repeat a run."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from skmm_core.config import CompareJob, EmbedJob, EstimateJob, PaperJob, RunConfig, SelectJob
from skmm_core.errors import InputError


def python_lines(config: RunConfig) -> str:
    """A program that picks the same points, or makes the same comparison, again; options at their default are left out.

    Args:
        config: of a selection, which the program leaves in `rows`, or of a comparison, left in `found`.

    Raises:
        InputError: the run turned pictures into features, said what labels are worth, or repeated a table of the paper;
            its command repeats it.
    """
    job = config.job
    if isinstance(job, EmbedJob | EstimateJob | PaperJob):
        raise InputError("this is made on the command line; `runs show` prints the command")
    lines = _select_lines(config, job) if isinstance(job, SelectJob) else _compare_lines(config, job)
    return "\n".join(lines) + "\n"


def _select_lines(config: RunConfig, job: SelectJob) -> list[str]:
    dataset = config.dataset.model_copy(update={"task": "auto"}) if job.labels is not None else config.dataset
    options = {**_shared(config), **({"seed": job.seed} if job.seed else {})}
    labels = [] if job.labels is None else _label_lines(job.labels, config.dataset.task)
    groups = [] if job.group is None else [f"groups=groups_of(dataset, {job.group!r})", f"per_group={job.per_group!r}"]
    picked = {**({"params": job.params} if job.params else {}), **({"seed": job.seed} if job.seed else {})}
    hand = {name: rows for name, rows in (("include", job.include), ("exclude", job.exclude)) if rows}
    picks = [f"{name}=[place[row] for row in {rows!r}]" for name, rows in hand.items()]
    if labels:
        lists = (f"[place[row] for row in {rows!r}]" if rows else "[]" for rows in (job.include, job.exclude))
        labels.append(f"include, exclude, _ = now.decided({', '.join(lists)})")
        picks = ["given=now.given", "include=include", "exclude=exclude"]
    asked = ", ".join([repr(job.method), f"{job.budget}{_keywords(picked)}", *picks, *groups])
    return [
        "from skmm_core import load_dataset, make_pool, select",
        *_imports(["DatasetConfig", *_models(options)]),
        *(["from skmm_core.data import groups_of"] if groups else []),
        *(["from skmm_core.labels import begin_round, read_labels"] if labels else []),
        "",
        f"dataset = load_dataset({_call(dataset)})",
        *(["place = {row: i for i, row in enumerate(dataset.rows[dataset.split.train].tolist())}"] if hand else []),
        *labels,
        f"pool = make_pool(dataset{_keywords(options)})",
        f"selection = select(pool, {asked})",
        "rows = dataset.rows[dataset.split.train[selection.indices]]  # of the input file, in the order picked",
    ]


def _label_lines(labels: str, task: str) -> list[str]:
    asked = "" if task == "auto" else f", task={task!r}"
    return [f"now = begin_round(dataset, read_labels({labels!r}){asked})", "dataset = now.dataset"]


def _compare_lines(config: RunConfig, job: CompareJob) -> list[str]:
    options = {"sketch": config.sketch, "device": config.device, **_shared(config)}
    return [
        "from skmm_core import load_dataset",
        "from skmm_core.comparison.cells import compare",
        *_imports(["CompareJob", "DatasetConfig", *_models(options)]),
        "",
        f"dataset = load_dataset({_call(config.dataset)})",
        f"job = {_call(job)}",
        f"found = compare(dataset, job{_keywords(options)})",
        "found.summary  # one row a method, budget and score; found.by_learner has it under every learner",
    ]


def _shared(config: RunConfig) -> dict[str, Any]:
    """Sketch, gradient, warm-up and device where they are not the defaults."""
    fields = {name: getattr(config, name) for name in ("sketch", "gradient", "warm_up_rows", "device")}
    return {name: value for name, value in fields.items() if value != RunConfig.model_fields[name].default}


def _models(options: Mapping[str, Any]) -> list[str]:
    return [type(value).__name__ for value in options.values() if isinstance(value, BaseModel)]


def _imports(names: list[str]) -> list[str]:
    return [f"from skmm_core.config import {', '.join(sorted(names))}"]


def _keywords(options: Mapping[str, Any]) -> str:
    return "".join(f", {name}={_text(value)}" for name, value in options.items())


def _text(value: object) -> str:
    return _call(value) if isinstance(value, BaseModel) else repr(value)


def _call(model: BaseModel) -> str:
    """A model as the call that makes it, such as `SketchParams(dim=64)`."""
    given = model.model_dump(exclude_defaults=True)
    return f"{type(model).__name__}({', '.join(f'{name}={value!r}' for name, value in given.items())})"
