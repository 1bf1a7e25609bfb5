"""The shell command that repeats a run."""

import json
import shlex
from typing import Any

from skmm_core.config import (
    DatasetConfig,
    EmbedJob,
    EstimateJob,
    FinetuneParams,
    GradientParams,
    PaperJob,
    RunConfig,
    SelectJob,
    SketchParams,
)
from skmm_core.data import holds_features, row_text
from skmm_core.runs.files import PREDICTIONS_CSV

SHORTCUTS = {"c_s": "--c-s", "rounding": "--rounding"}


def command_line(config: RunConfig, out: str = "out") -> str:
    """The exact command, quoted for a POSIX shell; flags that equal their default are left out.

    Args:
        config: of the run.
        out: the folder to name in it; for an embedding, its file without the ending.
    """
    job = config.job
    if isinstance(job, EmbedJob):
        return shlex.join([*_embed_words(config.dataset, job), *_device_flags(config), "--out", f"{out}.npz"])
    if isinstance(job, EstimateJob):
        words = _estimate_words(config.dataset, job)
        return shlex.join([*words, *_device_flags(config), "--out", f"{out}/{PREDICTIONS_CSV}"])
    if isinstance(job, PaperJob):
        sketch = _sketch_flags(config.sketch, config.gradient)
        return shlex.join([*_paper_words(config.dataset, job), *sketch, *_device_flags(config), "--out", out])
    words = ["python", "-m", "skmm_core", job.kind, *_dataset_flags(config.dataset)]
    if isinstance(job, SelectJob):
        words += ["--method", job.method, "--budget", str(job.budget)]
        words += [word for key, value in job.params.items() for word in _param_flags(key, value)]
        words += ["--seed", str(job.seed)] if job.seed else []
        words += ["--include", row_text(job.include)] if job.include else []
        words += ["--exclude", row_text(job.exclude)] if job.exclude else []
        words += ["--labels", job.labels] if job.labels is not None else []
        words += ["--group", job.group, "--per-group", str(job.per_group)] if job.group is not None else []
    else:
        words += ["--methods", ",".join(job.methods), "--budgets", ",".join(map(str, job.budgets))]
        words += ["--rounds", str(job.rounds)] if job.rounds > 1 else []
        words += ["--seeds", str(job.seeds)]
        for method, params in job.params.items():
            words += [word for key, value in params.items() for word in ("--param", _pair(f"{method}.{key}", value))]
        words += ["--learner", ",".join(job.learners)] if job.learners else []
        words += [] if job.finetune is None else _finetune_flags(job.finetune)
        words += ["--fixed-pool"] if job.fixed_pool else []
    words += [*_gradient_flags(config.gradient), *_sketch_flags(config.sketch, config.gradient)]
    words += [] if config.warm_up_rows is None else ["--warm-up-rows", str(config.warm_up_rows)]
    return shlex.join([*words, *_device_flags(config), "--out", out])


def _embed_words(dataset: DatasetConfig, job: EmbedJob) -> list[str]:
    words = ["python", "-m", "skmm_core", "embed"]
    if job.reads == "texts":
        return [*words, *_dataset_flags(dataset, "--texts"), "--model", job.model]
    words += ["--images", dataset.source, "--model", job.model]
    for flag, value in (
        ("--pretrained", job.pretrained),
        ("--model-config", job.architecture),
        ("--pattern", job.pattern),
        ("--target", dataset.target),
    ):
        words += [] if value is None else [flag, value]
    return [*words, "--allow-random-weights"] if job.allow_random_weights else words


def _estimate_words(dataset: DatasetConfig, job: EstimateJob) -> list[str]:
    words = ["python", "-m", "skmm_core", "predict", *_dataset_flags(dataset.model_copy(update={"labels": None}))]
    given = job.model_dump(exclude_defaults=True, exclude={"kind", "labels_hash", "curve"})
    for name, value in given.items():
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        words += [f"--{name.replace('_', '-')}", text]
    return words if job.curve else [*words, "--no-curve"]


def _paper_words(dataset: DatasetConfig, job: PaperJob) -> list[str]:
    words = ["python", "-m", "skmm_core", "paper", job.experiment]
    if job.experiment != "gmm":
        words += ["--features" if holds_features(dataset.source) else "--images", dataset.source]
    for flag, value in (
        ("--test", dataset.test),
        ("--holdout", dataset.holdout),
        ("--methods", ",".join(job.methods) or None),
        ("--budgets", ",".join(map(str, job.budgets)) or None),
        ("--seeds", job.seeds),
        ("--data-seeds", job.data_seeds if job.experiment == "gmm" else None),
        ("--finetune", ",".join(map(str, job.finetune)) or None),
        ("--model", job.model),
        ("--pretrained", job.pretrained),
        ("--model-config", job.architecture),
    ):
        field = PaperJob.model_fields.get(flag[2:].replace("-", "_"))
        given = value is not None and (field is None or value != field.default)
        words += [flag, str(value)] if given else []
    return words


def _device_flags(config: RunConfig) -> list[str]:
    words = ["--device", config.device] if config.device != "auto" else []
    return [*words, "--cluster", config.cluster] if config.cluster is not None else words


def _dataset_flags(dataset: DatasetConfig, source: str = "--dataset") -> list[str]:
    words = [source, dataset.source]
    words_of = ("test", "labels", "target", "id", "features", "text", "ignore", "unlabelled")
    for name in (*words_of, "holdout", "candidates", "task"):
        value = getattr(dataset, name)
        if value != DatasetConfig.model_fields[name].default:
            words += [f"--{name}", str(value)]
    words += ["--labelled-only"] if dataset.labelled_only else []
    words += ["--drop-bad-rows"] if dataset.drop_bad_rows else []
    return [*words, "--scale-columns"] if dataset.scale_columns else words


def _finetune_flags(finetune: FinetuneParams) -> list[str]:
    """Every value that differs from its default; the number of layers always, since it asks for the learner."""
    given = {"layers": finetune.layers, **finetune.model_dump(exclude_defaults=True, exclude={"layers", "encoder"})}
    if finetune.encoder is not None:
        given |= {"model": finetune.encoder.model}
        given |= finetune.encoder.model_dump(exclude_defaults=True, exclude={"kind", "model"})
    return [word for key, value in given.items() for word in ("--finetune", _pair(key, value))]


def _gradient_flags(gradient: GradientParams) -> list[str]:
    words = []
    for name, flag in (("kind", "--gradient"), ("targets", "--gradient-targets"), ("warm_up", "--gradient-warm-up")):
        value = getattr(gradient, name)
        words += [] if value == GradientParams.model_fields[name].default else [flag, str(value)]
    return [*words, "--gradient-bias"] if gradient.bias else words


def _sketch_flags(sketch: SketchParams, gradient: GradientParams) -> list[str]:
    words = ["--sketch", sketch.kind] if sketch.kind != gradient.default_sketch else []
    words += [] if sketch.dim is None else ["--sketch-dim", str(sketch.dim)]
    return words if sketch.nonzeros is None else [*words, "--sketch-nonzeros", str(sketch.nonzeros)]


def _param_flags(key: str, value: Any) -> list[str]:
    return (
        [SHORTCUTS[key], "auto" if value is None else str(value)]
        if key in SHORTCUTS
        else ["--param", _pair(key, value)]
    )


def _pair(key: str, value: Any) -> str:
    """`key=value` that the command line reads back as the same value: JSON, or a bare word where it is none."""
    if isinstance(value, str) and not _is_json(value):
        return f"{key}={value}"
    return f"{key}={json.dumps(value)}"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
