"""How the evidence page writes a score, a difference and a factor; and its tables of what one changed choice costs."""

import math
from collections import Counter
from collections.abc import Sequence

from skmm_core.comparison.savings import Relation
from skmm_core.comparison.statistics import Interval
from tests.bench.evidence_tables import CLASSES, NUMBERS, Evidence, Factor, MeanFactor

NORMAL = 1.96  # half of a 95 % interval, in standard errors
_MARKS = {Relation.ABOUT: "", Relation.MORE_THAN: "≥ ", Relation.LESS_THAN: "≤ ", Relation.SATURATED: "≈ "}


def ablations(evidence: Evidence) -> str:
    """A table for classes and one for numbers: what changing one option of a method does."""
    intro = (
        "## One choice changed\n\nDifference to the method as it comes, at the middle budget, with its 95 % interval "
        "over seeds (sign turned for errors, so that above 0 is better); – where the option does not fit the data. Of "
        "so many intervals one in twenty leaves out 0 by chance."
    )
    return "\n\n".join([intro, _changes(evidence, CLASSES), _changes(evidence, NUMBERS)])


def _changes(evidence: Evidence, metric: str) -> str:
    names = list(evidence.about["ablations"])
    middle = {dataset: evidence.budgets(dataset)[1] for dataset in evidence.datasets(metric=metric)}
    datasets = [d for d in middle if any((d, name, middle[d]) in evidence.cells for name in names)]
    rows = [
        "| Changed | " + " | ".join(f"{title_of(evidence, d)}, n = {middle[d]}" for d in datasets) + " |",
        "|---" * (len(datasets) + 1) + "|",
    ]
    for name in names:
        base = name.partition(":")[0]
        there = [d for d in datasets if (d, name, middle[d]) in evidence.cells]
        cells = [difference_text(evidence, d, name, base, middle[d]) if d in there else "–" for d in datasets]
        if there:
            rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def difference_text(evidence: Evidence, dataset: str, method: str, reference: str, budget: int) -> str:
    """Mean and interval; in bold where the interval leaves out 0."""
    found = evidence.pairs(dataset, [reference, method], reference, budget)[method].difference
    unit = 100 if evidence.about["benchmarks"][dataset]["metric"] == CLASSES else 1
    numbers = [f"{unit * value:+.3g}" for value in (found.mean, found.lo, found.hi)]
    text = f"{numbers[0]} [{numbers[1]}, {numbers[2]}]"
    return f"**{text}**" if found.lo > 0 or found.hi < 0 else text


def budget_text(evidence: Evidence, dataset: str, budget: int) -> str:
    """Points, and how many a class."""
    classes = evidence.about["benchmarks"][dataset].get("classes", 0)
    return f"{budget} ({budget / classes:.3g} a class)" if classes else str(budget)


def test_rows_text(evidence: Evidence, dataset: str, method: str, budget: int) -> str:
    """Half of the 95 % interval that the test rows alone make of a mean accuracy, in points: they are drawn anew."""
    about, scores = evidence.about["benchmarks"][dataset], evidence.cells[dataset, method, budget]
    if about["metric"] != CLASSES or "test" not in about:
        return "–"
    return f"± {100 * NORMAL * math.sqrt(float((scores * (1 - scores)).mean()) / about['test'] / len(scores)):.1f}"


def score_text(signed: float, metric: str) -> str:
    """A score as people read it: per cent, or an error without its turned sign."""
    return f"{100 * signed:.1f} %" if metric == CLASSES else f"{-signed:.3g}"


def factor_text(found: Factor) -> str:
    """With its interval over seeds, an end that leaves the measured range as …; or the bound that is known."""
    if found.relation is not Relation.ABOUT:
        return f"{_MARKS[found.relation]}{found.value:.2f}"
    lo, hi = (f"{end:.2f}" if end is not None else "…" for end in (found.lo, found.hi))
    return f"{found.value:.2f} [{lo}, {hi}]"


def mean_text(found: MeanFactor) -> str:
    """With its interval over families, and how many of the factors in it are only bounded."""
    bounded = bounded_text(found.relations)
    return f"{mark(found.relations)}{found.value:.2f} {interval_text(found)}{f'; {bounded}' if bounded else ''}"


def times_text(found: MeanFactor) -> str:
    """In a sentence: so many times, with the interval over families."""
    return f"{mark(found.relations)}{found.value:.2f} times {interval_text(found)}"


def interval_text(found: MeanFactor | Interval) -> str:
    """In brackets."""
    return "(one family)" if math.isnan(found.lo) else f"[{found.lo:.2f}, {found.hi:.2f}]"


def mark(relations: Counter[Relation]) -> str:
    """What stands before a mean: ≥ or ≤ when all that is only bounded is bounded on that side, ≈ when not."""
    kinds = {relation for relation, count in relations.items() if count} - {Relation.ABOUT}
    return "" if not kinds else _MARKS[kinds.pop()] if len(kinds) == 1 else "≈ "


def bounded_text(relations: Counter[Relation]) -> str:
    """How many of how many are only bounded, and on which side."""
    said = [
        f"{relations[relation]} {_MARKS[relation].strip()}"
        for relation in (Relation.MORE_THAN, Relation.LESS_THAN, Relation.SATURATED)
        if relations[relation]
    ]
    return f"{', '.join(said)} of {relations.total()}" if said else ""


def sure_text(found: MeanFactor | Interval, more: str, less: str) -> str:
    """A claim where the interval leaves out 1; else that it is a tie."""
    if math.isnan(found.lo):
        return "one family, which tells nothing of others"
    return more if found.lo > 1 else less if found.hi < 1 else "a tie: the interval holds 1"


def title_of(evidence: Evidence, dataset: str) -> str:
    """Of a data set."""
    return str(evidence.about["benchmarks"][dataset]["title"])


def listed(names: Sequence[str]) -> str:
    """Names in a sentence."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names) or "none"


def counted(number: int, thing: str) -> str:
    """A number of things, in the plural where it is one."""
    plural = {"family": "families"}.get(thing, f"{thing}s")
    return f"{number} {thing if number == 1 else plural}"
