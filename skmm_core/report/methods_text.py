"""What was done, in sentences with their sources, for the end of a report."""

from collections.abc import Iterable, Mapping
from typing import Any

from skmm_core.comparison import FIXED, LEAST_SEEDS, few_seeds, rounds_told
from skmm_core.diagnostics import QUANTITIES
from skmm_core.probes import LEARNERS, LINEAR, learner_title
from skmm_core.report.citation import PAPER_URL
from skmm_core.report.learners import learner_of


def titles(keys: Iterable[str]) -> dict[str, str]:
    """Titles by method key; the key itself where this version does not know it."""
    known = {spec.key: spec.title for spec in _specs()}
    return {key: known.get(key, key) for key in keys}


def in_registry_order(keys: Iterable[str]) -> list[str]:
    """Keys of methods as the registry has them, so that each looks the same on every page; unknown ones last."""
    places = {spec.key: place for place, spec in enumerate(_specs())}
    return sorted(keys, key=lambda key: (places.get(key, len(places)), key))


def sources(keys: Iterable[str]) -> list[dict[str, str]]:
    """Title, what it does, paper and its address of every method that is known here; not the paper of SkMM itself."""
    wanted = set(keys)
    return [
        {"title": spec.title, "summary": spec.summary, "paper": spec.paper, "url": spec.url}
        for spec in _specs()
        if spec.key in wanted and spec.url != PAPER_URL
    ]


def selection_methods(result: Mapping[str, Any]) -> tuple[str, ...]:
    """Sentences on how a selection was made and measured."""
    name = titles([result["method"]])[result["method"]]
    gradient = result.get("gradient") or {}
    stands = "loss gradient of a linear head" if gradient.get("kind") == "head" else "feature vector"
    reads = "labels of the pool were read" if result.get("label_aware") else "no label of the pool was read"
    return (
        f"{result['budget']:,} of {result['N']:,} points were chosen by {name} with seed {result['seed']}; {reads}. "
        f"Every point stands for its {stands}, {_sketched(result['sketch'])}.",
        *result.get("remarks", ()),  # runs of earlier versions have none
        *(f"{QUANTITIES[key].title}: {QUANTITIES[key].meaning}" for key in ("bias", "variance", "rank")),
        "The certificate c_S is the smallest c with Σ ⪯ c Σ_S, for the second moments of pool and selection.",
    )


def comparison_methods(result: Mapping[str, Any]) -> tuple[str, ...]:
    """Sentences on how a comparison was made and tested."""
    learners = result.get("learners") or [learner_of(result)]
    tests = "" if len(learners) == 1 else " Means, tests and corrections are within one learner."
    return (
        f"Every method picked from a pool of {result['N']:,} points at every budget with {result['seeds']} seeds. Each "
        f"selection was made once, and what was trained on it was scored once on the test rows, from which nothing is "
        f"ever picked.{tests}",
        *filter(None, [rounds_told(result)]),
        *(_learner_text(key, result) for key in learners),
        *_statistics(result),
    )


def _learner_text(key: str, result: Mapping[str, Any]) -> str:
    """What a learner does, and where it is tuned."""
    own = result.get("by_learner", {}).get(key, result)
    rows = own.get("validation_rows")  # runs of earlier versions have none
    if key == LINEAR:
        probe = "logistic" if result["task"] == "classification" else "ridge"
        tuned = {None: "on validation rows or by inner folds", 0: "inside them"}.get(rows, f"on {rows} validation rows")
        return f"{learner_title(key)}: a {probe} probe on the chosen points alone, its penalty chosen {tuned}."
    known = [each for each in LEARNERS if each.key == key]
    tuned = f" Up to {rows} validation rows tune it." if rows else ""
    return f"{learner_title(key)}: {known[0].summary} ({known[0].paper}){tuned}" if known else learner_title(key)


def _statistics(result: Mapping[str, Any]) -> tuple[str, ...]:
    """Sentences on intervals, tests and savings; results of earlier versions, without `claim`, share one pool."""
    claim = result.get("claim", FIXED)
    spread = (
        "the spread of single random draws stands for the luck of a method that always picks the same (prediction "
        "interval of Student)"
        if claim == FIXED
        else "parts of the pool with rows in common count as correlated by their share (Nadeau & Bengio 2003), and the "
        "choice of the test rows is counted by leaving out a tenth of them in turn (jackknife)"
    )
    intervals = (
        f"Intervals of 95 % and p-values are of Student's t over seeds; {spread}."
        if result["seeds"] >= LEAST_SEEDS
        else few_seeds(result["seeds"])
    )
    return (
        claim,
        f"{intervals} Differences are from uniform on the same seeds or, for what sees class labels, from uniform "
        "within classes; p-values are corrected by Holm over the methods of a league at a budget. It is a difference "
        "only where the interval leaves out zero and the corrected p is below .05; else it is a tie. Savings are read "
        "off the mean curves of the method and of that same uniform, both made monotone, between the budgets measured "
        "and never beyond them; their intervals hold the budgets at which the two scores cannot be told apart.",
    )


def _sketched(sketch: Mapping[str, Any]) -> str:
    if sketch.get("kind") == "none":
        return f"with all of its {sketch.get('dim')} dimensions"
    return f"sketched to {sketch.get('dim')} dimensions by one seeded random map ({sketch.get('kind')})"


def _specs() -> Iterable[Any]:
    from skmm_core.methods import list_methods  # loads torch, which reading a run does not need

    return list_methods()
