"""What a comparison asks for, checked: methods that can run, budgets, learners; and what its scores depend on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from skmm_core.comparison.leagues import STRATIFIED
from skmm_core.comparison.rounds import check_rounds
from skmm_core.comparison.score_log import Cell
from skmm_core.comparison.summary import REFERENCE
from skmm_core.config import CompareJob, GradientParams, SketchParams
from skmm_core.errors import InputError
from skmm_core.probes import learners_of

if TYPE_CHECKING:
    from skmm_core.data import Dataset
    from skmm_core.methods import MethodSpec

FEATURES = GradientParams()


@dataclass(frozen=True)
class CellPlan:
    """What is left of a job after checks: distinct methods that can run, uniform among them, and sorted budgets.

    `label_aware` are those that see the pool's labels, class-stratified uniform among them; `learners` are keys.
    """

    specs: dict[str, "MethodSpec"]
    left_out: dict[str, str]
    budgets: list[int]
    job: CompareJob
    label_aware: frozenset[str]
    learners: tuple[str, ...]

    def cells(self, seed: int) -> Iterator[Cell]:
        """All cells of a seed, in the order in which they are computed."""
        for budget in self.budgets:
            for method in self.specs:
                yield method, budget, seed


def label_aware(job: CompareJob, gradient: GradientParams) -> list[str]:
    """Methods that see the pool's labels: in rounds none, since there all see but those that they asked for."""
    from skmm_core.methods import reads_labels

    seen = [method for method in job.methods if reads_labels(method, job.params.get(method, {}), gradient)]
    return seen if job.rounds == 1 else []


def plan_cells(
    dataset: "Dataset", job: CompareJob, gradient: GradientParams, warm_up_rows: int | None = None
) -> CellPlan:
    """Check a job; uniform, and uniform within classes where some method sees labels, are added.

    Raises:
        InputError: an unknown method, param or budget, a learner that does not fit the task, or what cannot be done in
            rounds.
    """
    from skmm_core.data import Task, check_budget_fits
    from skmm_core.methods import get_method

    yardsticks = [REFERENCE]
    aware = label_aware(job, gradient)
    if aware and dataset.task is Task.CLASSIFICATION:
        yardsticks.append(STRATIFIED)
    methods = list(dict.fromkeys([*job.methods, *yardsticks]))
    budgets = sorted(set(job.budgets))
    if not budgets or not job.methods:
        raise InputError("a comparison needs at least one method and one budget")
    for budget in budgets:
        check_budget_fits(budget, dataset.pool_size)
    if unused := sorted(set(job.params) - set(methods)):
        raise InputError(f"params are given for {unused[0]!r}, which is not among the methods: {', '.join(methods)}")
    specs = {method: get_method(method) for method in methods}
    for method, spec in specs.items():
        spec.parse(job.params.get(method))
    left_out = {method: reason for method, spec in specs.items() if (reason := spec.missing(dataset.task))}
    able = {key: spec for key, spec in specs.items() if key not in left_out}
    if job.rounds > 1:
        check_rounds(able, job, gradient, warm_up_rows)
    learners = learners_of(job, dataset.task.value)
    return CellPlan(able, left_out, budgets, job, frozenset([*aware, STRATIFIED]), learners)


def identity_of(
    dataset: "Dataset", plan: CellPlan, sketch: SketchParams, gradient: GradientParams, warm_up_rows: int | None
) -> dict[str, Any]:
    """Everything that scores depend on. The order in which methods and budgets were typed does not matter.

    Options that came later are named only where they are used, so that older folders continue; a pool shared by all
    seeds and a single learner are what older folders have.
    """
    later: dict[str, Any] = {} if gradient == FEATURES else {"gradient": gradient.model_dump(mode="json")}
    later |= {} if warm_up_rows is None else {"warm_up_rows": warm_up_rows}
    later |= {} if plan.job.fixed_pool else {"pool": "drawn anew for every seed"}
    later |= {} if plan.job.finetune is None else {"finetune": plan.job.finetune.model_dump(mode="json")}
    later |= {} if plan.job.rounds == 1 else {"rounds": plan.job.rounds}
    later |= {} if plan.learners == (plan.job.single_learner,) else {"learners": list(plan.learners)}
    return {
        "fingerprint": dataset.fingerprint,
        "methods": {
            key: spec.parse(plan.job.params.get(key)).model_dump(mode="json")
            for key, spec in sorted(plan.specs.items())
        },
        "budgets": plan.budgets,
        "seeds": plan.job.seeds,
        "sketch": sketch.model_dump(mode="json", exclude={"nonzeros"} if sketch.nonzeros is None else None),
        **later,
    }
