"""Flags that select and compare share: the dataset's parts, how gradients are taken and how they are sketched."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from skmm_core.cli import options as flags
from skmm_core.config import RunConfig


@dataclass(frozen=True, kw_only=True)
class PoolFlags:
    """What is picked from, besides the dataset's name; in the order of `--help`."""

    test: flags.Test = None
    labels: flags.Labels = None
    target: flags.Target = None
    id_: flags.Id = None
    features: flags.Features = None
    text: flags.Text = None
    ignore: flags.Ignore = None
    unlabelled: flags.Unlabelled = None
    labelled_only: flags.LabelledOnly = False
    holdout: flags.Holdout = None
    task: flags.Task = "auto"
    drop_bad_rows: flags.DropBadRows = False
    scale_columns: flags.ScaleColumns = False
    candidates: flags.Candidates = None
    gradient: flags.Gradient = "features"
    gradient_targets: flags.GradientTargets = "labels"
    gradient_warm_up: flags.GradientWarmUp = None
    gradient_bias: flags.GradientBias = False
    sketch: flags.Sketch = None
    sketch_dim: flags.SketchDim = None
    sketch_nonzeros: flags.SketchNonzeros = None
    warm_up_rows: flags.WarmUpRows = None

    def config(self, source: str, job: Mapping[str, Any], device: str) -> RunConfig:
        """Check the flags of a command as a whole.

        Raises:
            InputError: a value is out of range, or two do not go together; the message names the flag.
        """
        dataset = {
            "source": source,
            "test": self.test,
            "labels": self.labels,
            "target": self.target,
            "id": self.id_,
            "features": self.features,
            "text": self.text,
            "ignore": self.ignore,
            "unlabelled": self.unlabelled,
            "labelled_only": self.labelled_only,
            "holdout": self.holdout,
            "task": self.task,
            "drop_bad_rows": self.drop_bad_rows,
            "scale_columns": self.scale_columns,
            "candidates": self.candidates,
        }
        gradient = flags.gradient_options(
            self.gradient, self.gradient_targets, self.gradient_warm_up, self.gradient_bias
        )
        sketch = {"kind": self.sketch, "dim": self.sketch_dim, "nonzeros": self.sketch_nonzeros}
        return flags.run_config(dataset, job, sketch, device, gradient, self.warm_up_rows)

    def without_table_of_labels(self) -> tuple["PoolFlags", str | None]:
        """`--labels` names the targets of an npy file, in an npy file too, or else a table of labels so far."""
        if self.labels is None or self.labels.lower().endswith(".npy"):
            return self, None
        return replace(self, labels=None), self.labels


def with_pool_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command have all the flags of the pool where its signature has the keyword `pool`.

    typer makes flags of the parameters that a signature shows, so the fields are shown in place of `pool`.
    """
    own, of_pool = inspect.signature(command).parameters, inspect.signature(PoolFlags).parameters

    @functools.wraps(command)
    def run(**given: Any) -> None:
        pool = PoolFlags(**{name: given.pop(name) for name in of_pool})
        command(pool=pool, **given)

    shown = [each for name, mine in own.items() for each in (of_pool.values() if name == "pool" else (mine,))]
    run.__dict__["__signature__"] = inspect.Signature(shown)
    return run
