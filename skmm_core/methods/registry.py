"""The one list of selection methods: what each is, what it needs, and how to run it.

The command line's flags, the web form, `config.json` and the method table in the README are all made from the specs
registered here. A method is one function and one pydantic model of params; see any module of this package. Methods of
other packages come in by entry points, see :mod:`skmm_core.methods.plugins`.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from pydantic import BaseModel
from torch import Tensor

from skmm_core.config import GradientParams, SketchParams
from skmm_core.data import Dataset, Task
from skmm_core.errors import InputError
from skmm_core.methods.beside_given import Decided, new_points, pick_beside_given
from skmm_core.methods.plugins import Plugins
from skmm_core.methods.selection import Selection
from skmm_core.methods.spec import Family, MethodFunction, MethodParams, MethodSpec, Need, Picks, Status
from skmm_core.pool import Pool, make_pool
from skmm_core.progress import Report, ignore

__all__ = [
    "Family",
    "MethodFunction",
    "MethodParams",
    "MethodSpec",
    "Need",
    "Picks",
    "Selection",
    "Status",
    "compute_shared",
    "get_method",
    "list_methods",
    "list_own_methods",
    "plugin_faults",
    "plugin_versions",
    "reads_labels",
    "recommended_method",
    "register",
    "select",
]

_PACKAGE = "skmm_core.methods"
_REGISTRY: dict[str, MethodSpec] = {}
_PLUGINS = Plugins(_REGISTRY)
_ORDER = (
    "moment_matching",
    "kernel_matching",
    "whitened_matching",
    "cover_matching",
    "fit_matching",
    "variance_matching",
    "sampling",
    "geometric",
    "submodular",
    "typical_points",
    "uncertainty",
    "generalised_coverage",
    "ball_cover",
    "continuous_subset",
    "medoids",
    "gradient_embeddings",
    "training_dynamics",
    "gradient_matching",
    "moderate_points",
    "score_strata",
    "message_passing",
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
    beyond_memory: bool = False,
) -> Callable[[F], F]:
    """Add the decorated function to the registry; the function itself is returned unchanged.

    Raises:
        ValueError: when decorating, if another method has this key.
    """

    def add(function: F) -> F:
        if not function.__module__.startswith(f"{_PACKAGE}."):
            _import_own_modules()  # ours come first, so that no method of others takes the key of one of them
        if key in _REGISTRY:
            raise ValueError(f"two methods are named {key}")
        _REGISTRY[key] = MethodSpec(
            key=key,
            title=title,
            family=family,
            summary=summary,
            paper=paper,
            url=url,
            params=params,
            needs=needs,
            uses_labels=uses_labels,
            random=random,
            recommended=recommended,
            goes_on=goes_on,
            beyond_memory=beyond_memory,
            function=function,
        )
        return function

    return add


def list_methods() -> tuple[MethodSpec, ...]:
    """All methods that the modules of this package and the plug-ins register.

    They come by family in the order of :class:`Family`, then by module, those in `_ORDER` first and plug-ins last, then
    as registered. The order does not depend on which module was imported first. Plug-ins are looked for once a process.
    """
    modules = _import_own_modules()
    _PLUGINS.load()
    families = list(Family)

    def place(spec: MethodSpec) -> tuple[int, int, int]:
        origin = spec.function.__module__
        module = modules.index(origin) if origin in modules else len(modules)
        return families.index(spec.family), module, _PLUGINS.position(spec.key)

    return tuple(sorted(_REGISTRY.values(), key=place))


def list_own_methods() -> tuple[MethodSpec, ...]:
    """The methods of this package alone, in the order of :func:`list_methods`."""
    return tuple(spec for spec in list_methods() if spec.function.__module__.startswith(f"{_PACKAGE}."))


def plugin_faults() -> tuple[str, ...]:
    """A line for every plug-in that is left out: which it is, whose, and why."""
    list_methods()
    return tuple(plugin.fault_line for plugin in _PLUGINS.left_out())


def plugin_versions(keys: Iterable[str]) -> dict[str, str | None]:
    """The packages that these methods come from, other than this one, with their versions."""
    owners = [owner for key in keys if (owner := _PLUGINS.owner(key)) is not None]
    return {owner.distribution: owner.version for owner in owners}


def _import_own_modules() -> list[str]:
    """Import the modules of this package, those in `_ORDER` first; returns their names in that order."""
    package = importlib.import_module(_PACKAGE)
    others = sorted({module.name for module in pkgutil.iter_modules(package.__path__)} - set(_ORDER))
    return [importlib.import_module(f"{_PACKAGE}.{module}").__name__ for module in (*_ORDER, *others)]


def get_method(key: str) -> MethodSpec:
    """Look up a method.

    Raises:
        InputError: no method has this key; the message lists all keys, and the plug-ins that are left out.
    """
    specs = {spec.key: spec for spec in list_methods()}
    if key not in specs:
        raise InputError("; ".join((f"method {key!r} is unknown; choose one of: {', '.join(specs)}", *plugin_faults())))
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


def check_partly_labelled(
    method: str, params: Mapping[str, Any], gradient: GradientParams, *, warm_up_rows: int | None, task: Task
) -> None:
    """Refuse what needs a label in every row of a pool where only some have one.

    Args:
        method: registry key.
        params: of the method.
        gradient: what stands for a row when moments are matched.
        warm_up_rows: asked for.
        task: what the labels ask for.

    Raises:
        InputError: what needs more labels than there are, and what to take instead.
    """
    spec = get_method(method)
    matched = spec.family is Family.MOMENT_MATCHING and gradient.kind == "head"
    if reason := spec.missing(task, partly=True):
        raise InputError(reason)
    if params.get("stratify"):
        raise InputError("stratify needs a label in every row, and only some have one; leave it off")
    if matched and gradient.targets == "labels":
        raise InputError(
            "gradients at the labels need one in every row, and only some have one; take --gradient-targets random, "
            "which reads these alone, or --gradient features"
        )
    if warm_up_rows is not None or gradient.warm_up:
        flag = "--warm-up-rows" if warm_up_rows is not None else "--gradient-warm-up"
        raise InputError(f"{flag}: where only some rows have a label, all of these train the head; leave it out")


def compute_shared(pool: Pool, specs: Iterable[MethodSpec]) -> None:
    """Compute now what these methods share on this pool, so that none of them is timed for it.

    Raises:
        Cancelled: raised by the report of the pool.
    """
    needs = {need for spec in specs for need in spec.needs}
    _ = pool.ordered.moments
    if Need.WARM_UP in needs and pool.task is Task.CLASSIFICATION:
        _ = pool.ordered.warm_up
    if Need.DYNAMICS in needs and pool.task is Task.CLASSIFICATION:
        _ = pool.ordered.dynamics


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
    given: Sequence[int] | None = None,
    groups: np.ndarray | None = None,
    per_group: int | Literal["whole"] | None = None,
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
        given: rows that count as chosen already; they are in no budget and not in the result. None takes the rows with
            a label of a pool where only some have one.
        groups: (N,) int64 group of every row, such as its patient.
        per_group: most points of a group, given ones among them; "whole" takes groups whole, as many as fit.
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
    if isinstance(data, Pool):
        pool = data
    else:
        rows = torch.as_tensor(data) if isinstance(data, np.ndarray) else data
        labels = torch.as_tensor(targets) if isinstance(targets, np.ndarray) else targets
        pool = make_pool(rows, targets=labels, sketch=sketch, seed=seed, device=device, report=report)
    decided = Decided(given, include, exclude, groups, per_group)
    whole = pick_beside_given(spec, pool, budget, parsed, decided, seed=seed, report=report)
    return new_points(whole, len(decided.given_in(pool)))
