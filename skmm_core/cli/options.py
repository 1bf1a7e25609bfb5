"""Flags that several commands share, and the config they add up to.

Help texts and checks come from the pydantic models, so a flag, the web form and `config.json` cannot differ.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, get_args

import typer
from pydantic import BaseModel, ValidationError

from skmm_core.config import (
    DatasetConfig,
    EmbedJob,
    FinetuneParams,
    GradientParams,
    RunConfig,
    SelectJob,
    SketchParams,
)
from skmm_core.data import FILE_KINDS
from skmm_core.errors import InputError
from skmm_core.probes import FINETUNE, get_learner

_FLAGS: dict[tuple[str, ...], str] = {
    ("sketch", "kind"): "--sketch",
    ("sketch", "dim"): "--sketch-dim",
    ("sketch", "nonzeros"): "--sketch-nonzeros",
    ("gradient", "kind"): "--gradient",
    ("gradient", "targets"): "--gradient-targets",
    ("gradient", "warm_up"): "--gradient-warm-up",
    ("dataset", "source"): "--dataset",
}


def _help(model: type[BaseModel], field: str) -> str:
    return model.model_fields[field].description or ""


Source = Annotated[
    str,
    typer.Option("--dataset", help=f"{_help(DatasetConfig, 'source')} Formats: {', '.join(FILE_KINDS)} and folders."),
]
Test = Annotated[str | None, typer.Option("--test", help=_help(DatasetConfig, "test"))]
Labels = Annotated[
    str | None,
    typer.Option("--labels", help=f"{_help(DatasetConfig, 'labels')} For select, also: {_help(SelectJob, 'labels')}"),
]
Target = Annotated[str | None, typer.Option("--target", help=_help(DatasetConfig, "target"))]
Id = Annotated[str | None, typer.Option("--id", help=_help(DatasetConfig, "id"))]
Features = Annotated[str | None, typer.Option("--features", help=_help(DatasetConfig, "features"))]
Text = Annotated[str | None, typer.Option("--text", help=_help(DatasetConfig, "text"))]
Ignore = Annotated[str | None, typer.Option("--ignore", help=_help(DatasetConfig, "ignore"))]
Unlabelled = Annotated[str | None, typer.Option("--unlabelled", help=_help(DatasetConfig, "unlabelled"))]
LabelledOnly = Annotated[bool, typer.Option("--labelled-only", help=_help(DatasetConfig, "labelled_only"))]
Holdout = Annotated[float | None, typer.Option("--holdout", help=_help(DatasetConfig, "holdout"))]
Task = Annotated[
    str, typer.Option("--task", help=_help(DatasetConfig, "task"), metavar="auto|classification|regression")
]
DropBadRows = Annotated[bool, typer.Option("--drop-bad-rows", help=_help(DatasetConfig, "drop_bad_rows"))]
ScaleColumns = Annotated[bool, typer.Option("--scale-columns", help=_help(DatasetConfig, "scale_columns"))]
Candidates = Annotated[int | None, typer.Option("--candidates", help=_help(DatasetConfig, "candidates"))]
Sketch = Annotated[
    str | None,
    typer.Option(
        "--sketch",
        help=_help(SketchParams, "kind") + " [default: gaussian; kronecker with --gradient head]",
        metavar="|".join(get_args(SketchParams.model_fields["kind"].annotation)),
    ),
]
SketchDim = Annotated[int | None, typer.Option("--sketch-dim", help=_help(SketchParams, "dim"))]
SketchNonzeros = Annotated[int | None, typer.Option("--sketch-nonzeros", help=_help(SketchParams, "nonzeros"))]
Gradient = Annotated[str, typer.Option("--gradient", help=_help(GradientParams, "kind"), metavar="features|head")]
GradientTargets = Annotated[
    str, typer.Option("--gradient-targets", help=_help(GradientParams, "targets"), metavar="labels|random")
]
GradientWarmUp = Annotated[int | None, typer.Option("--gradient-warm-up", help=_help(GradientParams, "warm_up"))]
GradientBias = Annotated[bool, typer.Option("--gradient-bias", help=_help(GradientParams, "bias"))]
WarmUpRows = Annotated[int | None, typer.Option("--warm-up-rows", help=_help(RunConfig, "warm_up_rows"))]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1 or mps.")]
Cluster = Annotated[str | None, typer.Option("--cluster", metavar="auto|ADDRESS", help=_help(RunConfig, "cluster"))]
Seed = Annotated[int, typer.Option("--seed", help="Same seed, same data, same flags: same points.")]
_ROWS = ": rows and ranges such as 3,8-12, or a file (npy, txt, csv with a column row)."
Include = Annotated[
    str | None, typer.Option("--include", metavar="ROWS", help=_help(SelectJob, "include").rstrip(".") + _ROWS)
]
Exclude = Annotated[
    str | None, typer.Option("--exclude", metavar="ROWS", help=_help(SelectJob, "exclude").rstrip(".") + _ROWS)
]
Group = Annotated[str | None, typer.Option("--group", metavar="COLUMN", help=_help(SelectJob, "group"))]
PerGroup = Annotated[str | None, typer.Option("--per-group", metavar="K|whole", help=_help(SelectJob, "per_group"))]
Out = Annotated[str, typer.Option("--out", help="Folder for the results; made when it is not there.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]
Finetune = Annotated[
    list[str] | None,
    typer.Option(
        "--finetune",
        metavar="KEY=VALUE",
        help="Score by finetuning too, or alone with --learner finetune; may be repeated. layers=1 trains a head on "
        "the features; layers=2 also the last block of a network, with images=FOLDER|FILE, model=NAME and "
        "pretrained=TAG|FILE. "
        "Others: optimiser, rate, decay, epochs, batch, patience.",
    ),
]
Learner = Annotated[
    str | None,
    typer.Option(
        "--learner",
        metavar="KEYS",
        help="What is trained on every selection and scored, keys with commas between; `learners` lists all. Without "
        "it, every one that fits the task but finetune.",
    ),
]
Param = Annotated[
    list[str] | None, typer.Option("--param", metavar="KEY=VALUE", help="Option of the method; may be repeated.")
]


def per_group(group: str | None, text: str | None) -> int | str | None:
    """Read `--per-group`: a number from 1, or whole.

    Raises:
        InputError: it is neither, or one of `--group` and `--per-group` is missing.
    """
    if (group is None) != (text is None):
        raise InputError("--group COLUMN and --per-group K|whole go together; give both or none")
    if text is None or text == "whole":
        return text
    if not text.isdecimal() or not int(text):
        raise InputError(f"--per-group: {text!r} is no number from 1; give one, or whole to take groups whole")
    return int(text)


def gradient_options(kind: str, targets: str, warm_up: int | None, bias: bool) -> dict[str, Any]:
    """Gather the flags of the gradients.

    Raises:
        InputError: one that only head gradients have is given for features.
    """
    given = {"targets": targets, "warm_up": warm_up, "bias": bias}
    defaults = {name: GradientParams.model_fields[name].default for name in given}
    if kind == "features" and given != defaults:
        name = next(name for name in given if given[name] != defaults[name])
        raise InputError(f"--gradient-{name.replace('_', '-')} is for head gradients; add --gradient head")
    return {"kind": kind, **given}


def run_config(
    dataset: Mapping[str, Any],
    job: Mapping[str, Any],
    sketch: Mapping[str, Any],
    device: str,
    gradient: Mapping[str, Any] | None = None,
    warm_up_rows: int | None = None,
) -> RunConfig:
    """Check the flags as a whole; without a kind of sketch the one that suits the gradients is taken.

    Raises:
        InputError: a value is out of range; the message names the flag.
    """
    try:
        head = (gradient or {}).get("kind") == "head"
        kind = sketch.get("kind") or GradientParams(kind="head" if head else "features").default_sketch
        asked = {"dataset": dataset, "job": job, "sketch": {**sketch, "kind": kind}, "gradient": gradient or {}}
        return RunConfig.model_validate({**asked, "warm_up_rows": warm_up_rows, "device": device})
    except ValidationError as error:
        first = error.errors()[0]
        where = tuple(part for part in first["loc"] if isinstance(part, str))
        plain = f"--finetune {where[-1]}" if "finetune" in where else f"--{where[-1].replace('_', '-')}"
        flag = _FLAGS.get(where, plain)
        raise InputError(f"{flag}: {first['msg']}") from None


def finetune_options(pairs: Sequence[str] | None) -> dict[str, Any] | None:
    """Gather the `--finetune key=value` flags; those that describe the network go to its encoder.

    Raises:
        InputError: a key is unknown, or a flag is not key=value.
    """
    if not pairs:
        return None
    given = split_params(pairs, "--finetune")
    of_encoder = set(EmbedJob.model_fields) - {"kind", "reads"}
    own = set(FinetuneParams.model_fields) - {"encoder"}
    if unknown := sorted(set(given) - own - of_encoder):
        raise InputError(f"--finetune {unknown[0]}: no such option; there are {', '.join(sorted(own | of_encoder))}")
    encoder = {key: value for key, value in given.items() if key in of_encoder}
    return {**{key: value for key, value in given.items() if key in own}, **({"encoder": encoder} if encoder else {})}


def learner_options(text: str | None, finetune: Sequence[str] | None) -> dict[str, Any]:
    """Gather `--learner` and `--finetune`: either alone asks for finetuning, with options at their defaults.

    Raises:
        InputError: a learner is unknown, or an option of finetuning is.
    """
    asked = [get_learner(key).key for key in split_list("--learner", text)] if text is not None else []
    options = finetune_options(finetune)
    if FINETUNE in asked and options is None:
        options = {}
    if asked and options is not None and FINETUNE not in asked:
        asked.append(FINETUNE)
    return {"learners": asked, "finetune": options}


def split_params(pairs: Sequence[str] | None, flag: str = "--param") -> dict[str, Any]:
    """Read `key=value` flags; a value is a JSON scalar where it is one, else text.

    Raises:
        InputError: a flag has no `=` or no key.
    """
    params = {}
    for pair in pairs or ():
        key, equals, value = pair.partition("=")
        if not equals or not key:
            example = "c_s=0.9" if flag == "--param" else "layers=2"
            raise InputError(f"{flag} {pair!r} is not key=value; write for example {flag} {example}")
        params[key] = scalar(value)
    return params


def split_list(flag: str, text: str) -> list[str]:
    """Read a comma separated list without repeats.

    Raises:
        InputError: it is empty.
    """
    words = list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not words:
        raise InputError(f"{flag} is empty; give values with commas between")
    return words


def split_numbers(flag: str, text: str) -> list[int]:
    """Read a comma separated list of whole numbers.

    Raises:
        InputError: one is not.
    """
    words = split_list(flag, text)
    if wrong := [word for word in words if not word.removeprefix("-").isdecimal()]:
        raise InputError(f"{flag}: {wrong[0]!r} is not a whole number; write for example {flag} 48,64,80")
    return [int(word) for word in words]


def scalar(text: str) -> Any:
    """A JSON number, truth value or null where the text is one, else the text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return text if isinstance(value, dict | list) else value
