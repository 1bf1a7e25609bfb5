"""Comparisons in rounds: how a budget is cut into batches, what cannot take part, and what it is in a sentence.

Nothing here imports torch.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from skmm_core.config import CompareJob, GradientParams
from skmm_core.errors import InputError

if TYPE_CHECKING:
    from skmm_core.methods import MethodSpec

ROUNDS_HELP = (
    "The loop of picking and labelling: in each round methods see the labels of the rounds before, and no others. One "
    "budget is split into as many equal batches; several budgets are the points picked after each round."
)


def round_budgets(budgets: Sequence[int], rounds: int) -> tuple[int, ...]:
    """Points picked after each round: the budgets themselves, or a single one split into equal batches.

    Batches differ by one point at most, the larger ones last.

    Raises:
        InputError: there are other than one or `rounds` budgets, or fewer points than rounds.
    """
    distinct = sorted(set(budgets))
    if rounds <= 1 or len(distinct) == rounds:
        return tuple(budgets)
    if len(distinct) != 1:
        raise InputError(
            f"{rounds} rounds go with one budget, which is split into {rounds} batches, or with {rounds} budgets, the "
            f"points picked after each round; there are {len(distinct)}"
        )
    if distinct[0] < rounds:
        raise InputError(f"a budget of {distinct[0]} is fewer points than {rounds} rounds; give at least one a round")
    return tuple(distinct[0] * done // rounds for done in range(1, rounds + 1))


def asks_labels_first(spec: "MethodSpec") -> bool:
    """Whether a method can pick nothing before some labels are known, so that its first round is a random one."""
    from skmm_core.methods import Need

    return bool({Need.SOME_CLASSES, Need.WARM_UP} & spec.needs)


def random_start(job: CompareJob, scored: Iterable[str]) -> list[str]:
    """Methods of a comparison in rounds that ask a model, and so pick at random until two classes are labelled."""
    from skmm_core.methods import get_method

    return [key for key in dict.fromkeys(scored) if job.rounds > 1 and asks_labels_first(get_method(key))]


def check_rounds(
    specs: Mapping[str, "MethodSpec"], job: CompareJob, gradient: GradientParams, warm_up_rows: int | None
) -> None:
    """Refuse what reads more labels than a round has.

    Raises:
        InputError: what cannot be done in rounds, and what to take instead.
    """
    if gradient.kind == "head":
        raise InputError("gradients of a head ask for labels, which the first round lacks; take --gradient features")
    if warm_up_rows is not None:
        raise InputError("--warm-up-rows: in rounds exactly the labelled points train the head; leave it out")
    for key, spec in specs.items():
        if spec.needs_every_label or job.params.get(key, {}).get("stratify"):
            what = spec.title if spec.needs_every_label else f"{spec.title} with stratify"
            raise InputError(
                f"{what} needs a label in every row, and in rounds only the points picked so far have one; take badge "
                "or u_herding, which read these alone, or a method without labels, such as skmm_cover, or leave out "
                "--rounds"
            )


def rounds_told(result: Mapping[str, Any]) -> str:
    """The sentence of a finished comparison; empty for a single round, as in all results of earlier versions.

    Args:
        result: what `result.json` holds.
    """
    if result.get("rounds", 1) == 1:
        return ""
    from skmm_core.methods import list_methods

    titles = {spec.key: spec.title for spec in list_methods()}  # perhaps without that of a plug-in
    return rounds_sentence(result["budgets"], [titles.get(key, key) for key in result["random_start"]])


def rounds_sentence(ends: Iterable[int], at_random: Sequence[str]) -> str:
    """Say how a comparison in rounds was made; empty for a single round.

    Args:
        ends: points picked after each round.
        at_random: titles of methods whose first round is a random one.
    """
    ends = sorted(set(ends))
    if len(ends) < 2:
        return ""
    listed = f"{', '.join(f'{end:,}' for end in ends[:-1])} and {ends[-1]:,}"
    told = (
        f"In {len(ends)} rounds, to {listed} points: each round sees the labels of the rounds before, and no others; "
        "what is trained is scored on all points so far."
    )
    if at_random:
        names, one = " and ".join(filter(None, (", ".join(at_random[:-1]), at_random[-1]))), len(at_random) == 1
        asks = "picks at random, since it asks a model" if one else "pick at random, since they ask a model"
        told += f" Until two classes are labelled, {names} {asks}."
    return told
