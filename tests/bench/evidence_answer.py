"""What the evidence says of the two defaults, in words: the answer of the evidence page, and README's part of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

from skmm_core.comparison.families import smallest_p
from skmm_core.methods.registry import get_method, recommended_method
from tests.bench.evidence_tables import CLASSES, NUMBERS, OURS, SURE, Evidence, MeanFactor
from tests.bench.evidence_words import bounded_text, counted, interval_text, listed, sure_text, times_text, title_of

FREE, AWARE = (recommended_method(uses_labels=uses_labels).key for uses_labels in (False, True))
STRATIFIED = "uniform_stratified"
TUNING, CONFIRMING = "tuning", "confirming"
BARS = {FREE: 1.5, AWARE: 2.0}  # factors that a default must reach on the confirming half


@dataclass(frozen=True)
class League:
    """Methods that are compared with each other.

    Attributes:
        title: for people.
        metric: of its data sets; None for all.
        aware: whether its methods see the pool's labels.
    """

    title: str
    metric: str | None
    aware: bool

    @property
    def default(self) -> str:
        """The method that the program recommends."""
        return AWARE if self.aware else FREE

    @property
    def references(self) -> tuple[str, ...]:
        """What saving is read against: methods that see classes also against picks that keep them in proportion."""
        return ("uniform", STRATIFIED) if self.metric == CLASSES else ("uniform",)

    def datasets(self, evidence: Evidence, half: str | None = None) -> list[str]:
        """Of a half, or all."""
        return evidence.datasets(half=half, metric=self.metric)

    def methods(self, evidence: Evidence) -> list[str]:
        """Its methods, uniform first."""
        return evidence.methods(self.datasets(evidence), aware=self.aware)


LEAGUES = (
    League("Which points to label (no label is seen)", None, False),
    League("Which points to train on, classes", CLASSES, True),
    League("Which points to train on, numbers", NUMBERS, True),
)


def answer(evidence: Evidence) -> str:
    """The section of the page."""
    parts = ["## The answer in short"]
    for league in LEAGUES:
        lines = [f"**{league.title}.** The default is `{league.default}`.\n", _headline(evidence, league)]
        lines += [_tuned(evidence, league), _everywhere(evidence, league), *_beside(evidence, league)]
        lines.append(_level(evidence, league))
        parts.append("\n".join([*lines, _by_family(evidence, league)]))
    return "\n\n".join(parts)


def _headline(evidence: Evidence, league: League) -> str:
    datasets = league.datasets(evidence, CONFIRMING)
    place, methods, rank = _place(evidence, league, datasets)
    factors = _factors(evidence, league, datasets)
    text = f"- Confirming half, {_of(evidence, datasets)}: {_needs(factors)}. Place {place} of {methods} by mean rank "
    text += f"({rank:.2f}). Our own bar, the first place and {BARS[league.default]:g} times: "
    kept = place == 1 and min(factor.value for factor in factors.values()) >= BARS[league.default]
    sure = min(factor.lo for factor in factors.values()) >= BARS[league.default]
    if not kept:
        return text + "**not reached**."
    return text + ("reached." if sure else "reached, but the interval goes below it.")


def _tuned(evidence: Evidence, league: League) -> str:
    datasets = league.datasets(evidence, TUNING)
    place, methods, rank = _place(evidence, league, datasets)
    needs = _needs(_factors(evidence, league, datasets))
    return (
        f"- Tuning half, {_of(evidence, datasets)}, on which constants were chosen, so that it flatters: {needs}. "
        f"Place {place} of {methods} ({rank:.2f})."
    )


def _everywhere(evidence: Evidence, league: League) -> str:
    datasets, methods = league.datasets(evidence), league.methods(evidence)
    p = evidence.standings(datasets, methods, "uniform")[league.default].p
    families = len(evidence.families(datasets))
    least = smallest_p(families, len(methods) - 1)
    text = f"- Both halves, {_of(evidence, datasets)}: {_needs(_factors(evidence, league, datasets))}. Mean ranks "
    text += f"against uniform, paired by family: p = {p:.2g} after Holm over {counted(len(methods) - 1, 'method')}. "
    if least > SURE:
        text += f"The least p that {families} families can give is {least:.2g}, so this test can show nothing here."
    else:
        text += f"The least p that {families} families can give is {least:.2g}."
    return text


def _beside(evidence: Evidence, league: League) -> Iterator[str]:
    """The default beside the best other variant of ours and the best baseline, by mean rank over all families."""
    datasets = league.datasets(evidence)
    confirming = league.datasets(evidence, CONFIRMING)
    for rival in rivals(evidence, league):
        texts = []
        for name, part in (("confirming half", confirming), ("both halves", datasets)):
            found = evidence.ratio(part, league.default, rival)
            said = sure_text(found, "more", "less")
            texts.append(f"{name} {found.mean:.2f} times {interval_text(found)}, {said}")
        yield f"- Beside `{rival}`, its factor over uniform is: {'; '.join(texts)}."


def _level(evidence: Evidence, league: League) -> str:
    """On how many data sets and budgets the default is first, or level with the first by the interval over seeds."""
    behind: dict[str, list[str]] = {CONFIRMING: [], TUNING: []}
    cells = 0
    for half, names in behind.items():
        for dataset in league.datasets(evidence, half):
            for budget in evidence.budgets(dataset):
                cells += 1
                methods = league.methods(evidence)
                first = max(methods, key=lambda method: float(evidence.cells[dataset, method, budget].mean()))
                if first == league.default:
                    continue
                found = evidence.pairs(dataset, [first, league.default], first, budget)[league.default].difference
                if found.hi < 0:
                    names.append(f"{title_of(evidence, dataset)}, n = {budget} (`{first}`)")
    far = [*behind[CONFIRMING], *behind[TUNING]]
    text = (
        f"- On {cells - len(far)} of {cells} data sets and budgets it is the first of its league, or the interval of "
    )
    text += "its difference to the first, which is picked by the same scores, holds 0."
    return text + (f" It is behind on {'; '.join(far)}." if far else "")


def rivals(evidence: Evidence, league: League) -> list[str]:
    """The best other variant of ours, and the best method that is not ours, by mean rank over all families."""
    methods = [method for method in league.methods(evidence) if method != league.default]
    standings = evidence.standings(league.datasets(evidence), league.methods(evidence), "uniform")
    ours = [method for method in methods if method.startswith(OURS)]
    others = [method for method in methods if not method.startswith(OURS) and method != "uniform"]
    return [min(group, key=lambda method: standings[method].rank) for group in (ours, others) if group]


def _by_family(evidence: Evidence, league: League) -> str:
    groups = verdicts(evidence, league)
    words = {1: "better than uniform", 0: "a tie", -1: "worse"}
    said = "; ".join(f"{words[sign]}: {listed(groups[sign])}" for sign in (1, 0, -1))
    return f"- By family, tested over seeds: {said}."


def verdicts(evidence: Evidence, league: League, reference: str = "uniform") -> dict[int, list[str]]:
    """Families by what the default does on them: 1 better than the reference, 0 a tie, -1 worse."""
    groups: dict[int, list[str]] = {1: [], 0: [], -1: []}
    for family, datasets in evidence.families(league.datasets(evidence)).items():
        groups[evidence.verdict(datasets, league.default, reference)].append(family)
    return groups


def _factors(evidence: Evidence, league: League, datasets: Sequence[str]) -> dict[str, MeanFactor]:
    return {each: evidence.mean_factor(datasets, league.default, each) for each in league.references}


def _place(evidence: Evidence, league: League, datasets: Sequence[str]) -> tuple[int, int, float]:
    methods = league.methods(evidence)
    mean = evidence.ranked(datasets, methods).mean()
    return (
        sorted(methods, key=lambda method: mean[method]).index(league.default) + 1,
        len(methods),
        mean[league.default],
    )


def _of(evidence: Evidence, datasets: Sequence[str]) -> str:
    families = evidence.families(datasets)
    return f"{counted(len(datasets), 'data set')} of {counted(len(families), 'family')} ({listed(list(families))})"


def _needs(factors: dict[str, MeanFactor]) -> str:
    said = []
    for reference, found in factors.items():
        name = {"uniform": "uniform", STRATIFIED: "class-stratified uniform"}[reference]
        claim = sure_text(found, "more, on sources like these", "fewer, on sources like these")
        bounded = bounded_text(found.relations)
        said.append(
            f"{name} needs {times_text(found)} as many points at the low budgets "
            f"({claim}{f'; {bounded} factors are bounds' if bounded else ''})"
        )
    return "; ".join(said)


def readme_part(evidence: Evidence) -> str:
    """What README says of the measurements, every number and name computed."""
    label, classes, numbers = LEAGUES
    datasets, lean = evidence.datasets(), evidence.lean()
    families = counted(len(evidence.families(datasets)), "source")
    rows = [
        "| Default | against | Confirming half | Tuning half too | Better / tie / worse, by source |",
        "|---|---|---|---|---|",
        _row(evidence, label, "to label"),
        _row(evidence, classes, "to train on, classes"),
        _row(evidence, classes, "to train on, classes", STRATIFIED),
        _row(evidence, numbers, "to train on, numbers"),
    ]
    said = [
        "How many times as many points random picks need for the same score, at low budgets, was measured on "
        f"{len(datasets)} data sets. They are made from {families}, and a source counts once, since its data sets are "
        "alike. In brackets stand 95 % intervals over sources: what another source like these would show. Constants "
        "were chosen on the tuning half, whose figures flatter, and not on the confirming half. ≥ stands where some "
        "factors are only bounded. Two identical methods, each on half of the seeds, come out at "
        f"{lean.value:.2f} {interval_text(lean)}.",
        f"{_words(evidence, label)} How it treats tables in mixed units was changed after it had been behind on "
        "California housing, which therefore confirms less than the other sources.",
        f"{_words(evidence, classes)} {_words(evidence, numbers)}",
    ]
    first, *others = ("\n".join(wrap(text, 120, break_long_words=False)) for text in said)
    return "\n\n".join([first, "\n".join(rows), *others])


def _title(name: str) -> str:
    """Of a configuration: the method's, and the option that it was measured with."""
    key, _, option = name.partition(": ")
    return f"{get_method(key).title} {option}".rstrip()


def _row(evidence: Evidence, league: League, task: str, reference: str = "uniform") -> str:
    against = {"uniform": "random picks", STRATIFIED: "random picks within classes"}[reference]
    cells = [f"{_title(league.default)}, {task}", against]
    for half in (CONFIRMING, None):
        found = evidence.mean_factor(league.datasets(evidence, half), league.default, reference)
        cells.append(f"{times_text(found)}, {counted(found.families, 'source')}")
    groups = verdicts(evidence, league, reference)
    return f"| {' | '.join(cells)} | {' / '.join(str(len(groups[sign])) for sign in (1, 0, -1))} |"


def _words(evidence: Evidence, league: League) -> str:
    """In words, what the intervals allow to say of a default."""
    datasets = league.datasets(evidence, CONFIRMING)
    reference = league.references[-1]
    found = evidence.mean_factor(datasets, league.default, reference)
    against = {"uniform": "random picks", STRATIFIED: "random picks within classes"}[reference]
    claim = {
        "more": f"saves, and so it should on other sources like these, also against {against}"
        if reference == STRATIFIED
        else "saves, and so it should on other sources like these",
        "fewer": f"is worse than {against}, and so it should be on other sources like these",
    }.get(sure_text(found, "more", "fewer"), f"is a tie with {against} as far as these sources tell of others")
    groups = verdicts(evidence, league)
    where = [f"better than random picks on {listed(groups[1])}" if groups[1] else ""]
    where += [
        f"a tie on {listed(groups[0])}" if groups[0] else "",
        f"worse on {listed(groups[-1])}" if groups[-1] else "",
    ]
    kind = {None: "", CLASSES: ", for classes,", NUMBERS: ", for numbers,"}[league.metric]
    text = f"**{_title(league.default)}**{kind} {claim}. By source it is {', '.join(filter(None, where))}."
    return f"{text} {_beside_text(evidence, league)}"


def _beside_text(evidence: Evidence, league: League) -> str:
    """The default beside its nearest rivals on the confirming half: whose factor is larger, or that nobody can tell."""
    groups: dict[str, list[str]] = {}
    for rival in rivals(evidence, league):
        found = evidence.ratio(league.datasets(evidence, CONFIRMING), league.default, rival)
        told = sure_text(found, "saves more than", "saves less than")
        claim = told if told.startswith("saves") else "is not told apart from"
        groups.setdefault(claim, []).append(
            f"{_title(rival)} ({found.mean:.2f} times its factor, {interval_text(found)})"
        )
    return f"It {'; it '.join(f'{claim} {listed(names)}' for claim, names in groups.items())}."
