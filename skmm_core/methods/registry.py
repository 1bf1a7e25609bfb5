"""The one list of selection methods: what each is, what it needs, and how to run it.

The command line's flags, the web form, `config.json` and the method table in the README are all made from the specs
registered here. A method is one function and one pydantic model of params; see any module of this package.
"""

import importlib
import pkgutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor

from skmm_core.config import GradientParams, SketchParams
from skmm_core.data.dataset import Dataset, Task
from skmm_core.errors import InputError
from skmm_core.given import check_budget
from skmm_core.pool import Pool, make_pool
from skmm_core.progress import Report, ignore


class MethodParams(BaseModel):
    """Base of every method's params: immutable, unknown names refused. Field descriptions are the help texts."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Need(StrEnum):
    """What a method needs beyond the features: from the dataset, or computed once per run for all methods."""

    TARGETS = "targets"
    CLASSES = "classes"
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
    MAX_SWEEPS = "Stopped while exchanges still helped; raise exchanges."


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
    """

    indices: Tensor
    weights: Tensor | None = None
    scores: Tensor | None = None
    status: Status = Status.CONVERGED
    objective: Mapping[str, float] = field(default_factory=dict)
    trace: Mapping[str, Tensor] = field(default_factory=dict)
    seconds_saved: float = 0.0


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
    function: MethodFunction

    @property
    def needs_text(self) -> str:
        """What it needs, for people: "class labels, warm-up head"; "features only" when nothing more."""
        return ", ".join(sorted(_NEEDS[need] for need in self.needs)) or "features only"

    def trains_head(self, task: Task) -> bool:
        """Whether it asks the warm-up head on a dataset of this task."""
        return Need.WARM_UP in self.needs and task is Task.CLASSIFICATION

    def missing(self, task: Task) -> str | None:
        """Say what a dataset of this task lacks for the method, and what to do; None when it can run."""
        if Need.CLASSES in self.needs and task is not Task.CLASSIFICATION:
            return f"{self.title} needs class labels; this dataset has {_TARGETS[task]}"
        if Need.TARGETS in self.needs and task is Task.UNLABELLED:
            return f"{self.title} needs targets; add a target column or choose a label-free method"
        return None

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
    Need.WARM_UP: "warm-up head",
    Need.DYNAMICS: "training dynamics",
}
_TARGETS = {
    Task.CLASSIFICATION: "classes",
    Task.REGRESSION: "numeric targets",
    Task.UNLABELLED: "no targets: add a label column or choose a label-free method",
}


@dataclass(frozen=True)
class Selection:
    """The result of one method.

    Attributes:
        indices: (n,) int64 rows of the pool, in the order picked, on the CPU.
        weights: (n,) float64, sum to 1.
        scores: (N,) the method's own scores, or None.
        method: registry key.
        params: the params that ran, defaults filled in.
        seed: of the run.
        status: how the method ended.
        objective: named objective values.
        trace: named 1-D series over steps.
        seconds: wall time of the method, sketching included, as if it were the first to run on this pool.
    """

    indices: Tensor
    weights: Tensor
    scores: Tensor | None
    method: str
    params: dict[str, Any]
    seed: int
    status: Status
    objective: dict[str, float]
    trace: dict[str, Tensor]
    seconds: float


_REGISTRY: dict[str, MethodSpec] = {}
_ORDER = (
    "moment_matching",
    "kernel_matching",
    "whitened_matching",
    "fit_matching",
    "variance_matching",
    "sampling",
    "geometric",
    "submodular",
    "uncertainty",
    "training",
    "gradients",
)
F = TypeVar("F", bound=Callable[..., Picks])


def register(
    *,
    key: str,
    title: str,
    family: Family,
    summary: str,
    paper: str,
    url: str,
    params: type[MethodParams],
    needs: frozenset[Need] = frozenset(),
    uses_labels: bool = False,
    random: bool = False,
    recommended: bool = False,
    goes_on: bool = False,
) -> Callable[[F], F]:
    """Add the decorated function to the registry; the function itself is returned unchanged."""

    def add(function: F) -> F:
        if key in _REGISTRY:
            raise ValueError(f"two methods are named {key}")
        _REGISTRY[key] = MethodSpec(
            key, title, family, summary, paper, url, params, needs, uses_labels, random, recommended, goes_on, function
        )
        return function

    return add


def list_methods() -> tuple[MethodSpec, ...]:
    """All methods that the modules of this package register.

    They come by family in the order of :class:`Family`, then by module, those in `_ORDER` first, then as registered.
    The order does not depend on which module was imported first.
    """
    package = importlib.import_module("skmm_core.methods")
    others = sorted({module.name for module in pkgutil.iter_modules(package.__path__)} - set(_ORDER))
    modules = [importlib.import_module(f"{package.__name__}.{module}").__name__ for module in (*_ORDER, *others)]
    families = list(Family)

    def place(spec: MethodSpec) -> tuple[int, int]:
        origin = spec.function.__module__
        return families.index(spec.family), modules.index(origin) if origin in modules else len(modules)

    return tuple(sorted(_REGISTRY.values(), key=place))


def get_method(key: str) -> MethodSpec:
    """Look up a method.

    Raises:
        InputError: no method has this key; the message lists all keys.
    """
    specs = {spec.key: spec for spec in list_methods()}
    if key not in specs:
        raise InputError(f"method {key!r} is unknown; choose one of: {', '.join(specs)}")
    return specs[key]


def recommended_method(*, uses_labels: bool) -> MethodSpec:
    """The default of a league: of "which points to label", or with labels known of "which points to train on"."""
    return next(spec for spec in list_methods() if spec.recommended and spec.uses_labels == uses_labels)


def reads_labels(method: str, params: Mapping[str, Any], gradient: GradientParams) -> bool:
    """Whether a method plays in the label-aware league here.

    It needs labels, is told to pick within classes, or matches moments of gradients that labels went into.
    """
    spec = get_method(method)
    matched = spec.family is Family.MOMENT_MATCHING and gradient.reads_labels
    return spec.uses_labels or bool(params.get("stratify")) or matched


def compute_shared(pool: Pool, specs: Iterable[MethodSpec]) -> None:
    """Compute now what these methods share on this pool, so that none of them is timed for it.

    Raises:
        Cancelled: raised by the report of the pool.
    """
    needs = {need for spec in specs for need in spec.needs}
    _ = pool.moments
    if Need.WARM_UP in needs and pool.task is Task.CLASSIFICATION:
        _ = pool.warm_up
    if Need.DYNAMICS in needs and pool.task is Task.CLASSIFICATION:
        _ = pool.dynamics


def select(
    data: Pool | Dataset | Tensor | np.ndarray,
    method: str,
    budget: int,
    *,
    params: Mapping[str, Any] | BaseModel | None = None,
    seed: int = 0,
    targets: Tensor | np.ndarray | None = None,
    sketch: SketchParams | None = None,
    device: str = "auto",
    include: Sequence[int] = (),
    exclude: Sequence[int] = (),
    report: Report = ignore,
) -> Selection:
    """Pick `budget` points with one method.

    Args:
        data: a dataset (its train split is the pool), (N, d) rows, or a pool made before (its sketch is reused).
        method: registry key, such as "skmm".
        budget: points to pick, 1..N.
        params: the method's options; what is left out takes its default.
        seed: same seed, same data, same params: same points.
        targets: (N,) targets when `data` is plain rows.
        sketch: how gradients are sketched; ignored when `data` is a pool.
        device: "auto", "cpu", "cuda", …; ignored when `data` is a pool.
        include: rows of the pool to choose in any case; they come first and count in the budget.
        exclude: rows of the pool never to choose; they stay part of what the selection is to represent.
        report: told of the progress; raise Cancelled from it to stop.

    Returns:
        The selection; its indices are rows of the pool.

    Raises:
        InputError: unknown method or params, a budget outside 1..N or at odds with what is included and excluded, or
            targets that the method needs are missing.
        Cancelled: raised by `report`.
    """
    spec = get_method(method)
    parsed = spec.parse(params)
    began = time.perf_counter()
    if isinstance(data, Pool):
        pool = data
    else:
        rows = torch.as_tensor(data) if isinstance(data, np.ndarray) else data
        labels = torch.as_tensor(targets) if isinstance(targets, np.ndarray) else targets
        pool = make_pool(rows, targets=labels, sketch=sketch, seed=seed, device=device, report=report)
    if not 1 <= budget <= pool.size:
        raise InputError(f"budget {budget} is outside 1..{pool.size}; the pool has {pool.size} points")
    if reason := spec.missing(pool.task):
        raise InputError(reason)
    if include or exclude:
        pool = pool.decide(
            torch.tensor(list(include), dtype=torch.int64), torch.tensor(list(exclude), dtype=torch.int64)
        )
    check_budget(pool.given, budget)
    run = spec.function if spec.goes_on or not pool.given.any else _without_given(spec.function)
    picks = _given_first(pool, run(pool, budget, parsed, seed=seed, report=report))
    indices = picks.indices.cpu()
    weights = torch.ones(budget) if picks.weights is None else picks.weights.cpu()
    weights = weights.double() / weights.double().sum()
    return Selection(
        indices=indices,
        weights=weights,
        scores=None if picks.scores is None else picks.scores.cpu(),
        method=method,
        params=parsed.model_dump(mode="json"),
        seed=seed,
        status=picks.status,
        objective=dict(picks.objective),
        trace={name: series.cpu() for name, series in picks.trace.items()},
        seconds=time.perf_counter() - began + picks.seconds_saved,
    )


def _without_given(function: MethodFunction) -> MethodFunction:
    """Have a method that knows nothing of decisions by hand choose the rest from the pool without these points."""

    def run(pool: Pool, budget: int, params: Any, *, seed: int, report: Report) -> Picks:
        given, rows = pool.given, pool.given.free_rows()
        rest = budget - len(given.start)
        if not rest:
            return Picks(given.start)
        found = function(pool.subset(rows), rest, params, seed=seed, report=report)
        chosen = torch.cat([given.start, rows[found.indices.to(rows.device)]])
        weights, scores = found.weights, None
        if weights is not None:
            weights = torch.cat([weights.mean().expand(len(given.start)), weights])
        if found.scores is not None:
            scores = torch.zeros(pool.size, dtype=found.scores.dtype)
            scores[rows.cpu()] = found.scores.cpu()
        return replace(found, indices=chosen, weights=weights, scores=scores)

    return run


def _given_first(pool: Pool, picks: Picks) -> Picks:
    """Put the points that are in by hand first; the others keep their order."""
    start = pool.given.start.cpu()
    if not len(start):
        return picks
    indices = picks.indices.cpu()
    place = {row: position for position, row in enumerate(indices.tolist())}
    first = torch.tensor([place[row] for row in start.tolist()], dtype=torch.int64)
    order = torch.cat([first, (~torch.isin(indices, start)).nonzero().squeeze(1)])
    return replace(picks, indices=indices[order], weights=None if picks.weights is None else picks.weights.cpu()[order])
