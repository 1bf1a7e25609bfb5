"""What a selection method is: its options, what it needs, what it returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor

from skmm_core.data import KnownTargets, Task
from skmm_core.errors import InputError
from skmm_core.pool import Pool
from skmm_core.progress import Report


class MethodParams(BaseModel):
    """Base of every method's params: immutable, unknown names refused. Field descriptions are the help texts."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NoParams(MethodParams):
    """The params of a method that has no options."""


class Need(StrEnum):
    """What a method needs beyond the features: from the dataset, or computed once per run for all methods."""

    TARGETS = "targets"
    CLASSES = "classes"
    SOME_CLASSES = "some_classes"
    WARM_UP = "warm_up"
    DYNAMICS = "dynamics"


class Family(StrEnum):
    """How methods are grouped in lists and forms."""

    MOMENT_MATCHING = "Moment matching"
    SAMPLING = "Sampling"
    GEOMETRIC = "Geometric"
    UNCERTAINTY = "Uncertainty"
    TRAINING = "Training"


class Status(StrEnum):
    """How a method ended; the value is advice to a person."""

    CONVERGED = "Converged."
    MAX_STEPS = "Stopped at max_steps; raise it or loosen tol."
    MAX_SWEEPS = "Exchanged as often as `exchanges` allows; a higher number may still gain a little."


@dataclass(frozen=True)
class Picks:
    """What a method function returns.

    Attributes:
        indices: (n,) int64 distinct rows of the pool, in the order picked: any prefix is a sensible smaller selection.
        weights: (n,) positive, or None for equal weights; scaled to sum 1 by :func:`select`.
        scores: (N,) the method's own score of every row, larger = rather picked, or None.
        status: how it ended.
        objective: named objective values, such as {"relaxed": …, "rounded": …}.
        trace: named 1-D series over steps, such as {"objective": …}.
        seconds_saved: what an earlier selection computed of the pool and this one took over.
        remarks: what the method settled by itself on these data, a sentence each.
    """

    indices: Tensor
    weights: Tensor | None = None
    scores: Tensor | None = None
    status: Status = Status.CONVERGED
    objective: Mapping[str, float] = field(default_factory=dict)
    trace: Mapping[str, Tensor] = field(default_factory=dict)
    seconds_saved: float = 0.0
    remarks: tuple[str, ...] = ()


class MethodFunction(Protocol):
    """Pick `budget` rows of the pool; 1 <= budget <= N was checked, the params were validated."""

    def __call__(self, pool: Pool, budget: int, params: Any, *, seed: int, report: Report) -> Picks: ...  # noqa: D102


@dataclass(frozen=True)
class MethodSpec:
    """One selection method.

    Attributes:
        key: snake_case name on the command line and in files.
        title: name on pages.
        family: group in lists.
        summary: one plain sentence for a person who does not know the method.
        paper: short citation.
        url: link to the paper.
        params: pydantic model of its options.
        needs: what the dataset must have.
        uses_labels: True plays in the league "which points to train on"; False in "which points to label".
        random: whether another seed gives another selection.
        recommended: the default of its league, chosen by the measurements in assets/docs/evidence.md.
        goes_on: whether the function starts from :attr:`Pool.given`; otherwise it sees the pool without these points.
        beyond_memory: whether it can pick for a pool of which memory holds only a part, see
            :class:`~skmm_core.data.WholePool`.
        function: the method itself.
    """

    key: str
    title: str
    family: Family
    summary: str
    paper: str
    url: str
    params: type[MethodParams]
    needs: frozenset[Need]
    uses_labels: bool
    random: bool
    recommended: bool
    goes_on: bool
    beyond_memory: bool
    function: MethodFunction

    @property
    def needs_text(self) -> str:
        """What it needs, for people: "class labels, warm-up head"; "features only" when nothing more."""
        return ", ".join(sorted(_NEEDS[need] for need in self.needs)) or "features only"

    def trains_head(self, task: Task) -> bool:
        """Whether it asks the warm-up head on a dataset of this task."""
        return Need.WARM_UP in self.needs and task is Task.CLASSIFICATION

    @property
    def needs_every_label(self) -> bool:
        """Whether it reads the label of every point; others that use labels do with those of some."""
        return bool({Need.CLASSES, Need.TARGETS} & self.needs)

    def missing(self, task: Task, *, partly: bool = False) -> str | None:
        """Say what a dataset lacks for the method, and what to do; None when it can run.

        Args:
            task: what its labels ask for.
            partly: whether only some points have one.
        """
        if partly and self.needs_every_label:
            return (
                f"{self.title} needs a label in every row, and only some have one; take a method that reads these "
                "alone, such as badge or u_herding, or no label, such as skmm, or pick from the labelled rows alone "
                "(--labelled-only)"
            )
        if {Need.CLASSES, Need.SOME_CLASSES} & self.needs and task is not Task.CLASSIFICATION:
            return f"{self.title} needs class labels; this dataset has {_TARGETS[task]}"
        if Need.TARGETS in self.needs and task is Task.UNLABELLED:
            return f"{self.title} needs targets; add a target column or choose a label-free method"
        return None

    def lacking(self, known: KnownTargets) -> str | None:
        """Say what the labels of some points lack for the method, and what to do; None when it can run.

        Args:
            known: these labels, which are all that it sees.
        """
        if reason := self.missing(known.task, partly=True):
            return reason
        if Need.SOME_CLASSES in self.needs and len(known.class_names) < 2:
            return (
                f"{self.title} needs labels of two classes, and all {len(known.rows):,} so far are "
                f"{known.class_names[0]}; label more points, or take a method without labels, such as skmm"
            )
        return None

    def check_size(self, rows: int) -> None:
        """Refuse a pool of so many rows that memory cannot hold them.

        Raises:
            InputError: the method looks at every row.
        """
        if not self.beyond_memory:
            raise InputError(
                f"{self.title} looks at every row, and {rows:,} are more than memory holds; take skmm_cover, another "
                "method that picks among some of them, or a smaller file"
            )

    def parse(self, params: Mapping[str, Any] | BaseModel | None) -> MethodParams:
        """Validate params.

        Raises:
            InputError: an unknown name or a value out of range; the message lists what is allowed. Or two values that
                do not go together.
        """
        given = params.model_dump() if isinstance(params, BaseModel) else dict(params or {})
        try:
            return self.params.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            unknown = first["type"] == "extra_forbidden"
            message = "unknown" if unknown else first["msg"].removeprefix("Value error, ")
            if not name:  # two params that do not go together
                raise InputError(f"{self.key}: {message}") from None
            known = ", ".join(self.params.model_fields) or "none"
            raise InputError(f"{self.key} param {name!r}: {message}; its params are: {known}") from None


_NEEDS = {
    Need.TARGETS: "targets",
    Need.CLASSES: "class labels",
    Need.SOME_CLASSES: "some class labels",
    Need.WARM_UP: "warm-up head",
    Need.DYNAMICS: "training dynamics",
}
_TARGETS = {
    Task.CLASSIFICATION: "classes",
    Task.REGRESSION: "numeric targets",
    Task.UNLABELLED: "no targets: add a label column or choose a label-free method",
}
