"""How the evidence page writes a score, a difference and a factor; and its tables of what one changed choice costs."""

from tests.bench.evidence_tables import CLASSES, NUMBERS, Evidence, Factor


def ablations(evidence: Evidence) -> str:
    """A table for classes and one for numbers: what changing one option of a method does."""
    intro = (
        "## One choice changed\n\nDifference to the method as it comes, at the middle budget, with its 95 % interval "
        "(sign turned for errors, so that above 0 is better); – where the option does not fit the data."
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


def score_text(signed: float, metric: str) -> str:
    """A score as people read it: per cent, or an error without its turned sign."""
    return f"{100 * signed:.1f} %" if metric == CLASSES else f"{-signed:.3g}"


def factor_text(found: Factor) -> str:
    """With ≈ where the curve ends short of it."""
    return f"{'' if found.known else '≈ '}{found.value:.2f}"


def times_text(found: Factor) -> str:
    """In words."""
    return f"{'about ' if not found.known else ''}{found.value:.2f} times"


def title_of(evidence: Evidence, dataset: str) -> str:
    """Of a data set."""
    return str(evidence.about["benchmarks"][dataset]["title"])
