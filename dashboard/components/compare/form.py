"""The form of the Compare page, and the checks of what is typed into it."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.components.compare.finetune_form import finetune_form
from dashboard.components.compare.learner_form import asked_learners, learners_form
from dashboard.components.shared.forms import params_form, sketch_form
from dashboard.components.shared.method_notes import by_family, method_notes, warm_up_form
from dashboard.components.shared.theme import error_line, escape, plural
from dashboard.services.state import embedding_of
from skmm_core.comparison import REFERENCE, ROUNDS_HELP, asks_labels_first, round_budgets, rounds_sentence
from skmm_core.config import CompareJob, DatasetConfig, RunConfig
from skmm_core.errors import InputError

if TYPE_CHECKING:
    from skmm_core.data import Dataset, Task
    from skmm_core.methods import MethodSpec

MAX_CELLS = 20_000
MAX_SEEDS = 100
MAX_ROUNDS = 20
ABOUT_DATA = "Verdicts hold for data like these: each seed picks from a part of the pool of its own."
ABOUT_POOL = "Verdicts hold for this pool alone: all seeds pick from the whole of it, and say nothing of another."
_SEPARATORS = re.compile(r"[,;\s]+")
_EXAMPLE = "20, 40, 80"
_SEEDS = 8
_STARTERS = ("skmm", "uniform")  # beside the default of each league


def parse_budgets(text: str, pool_size: int) -> tuple[int, ...]:
    """Read numbers of points from text such as "20, 40, 80".

    Args:
        text: numbers divided by commas, semicolons or spaces.
        pool_size: N, the largest budget allowed.

    Returns:
        Distinct budgets, ascending.

    Raises:
        InputError: there is none, one is no whole number, or one is outside 1..N.
    """
    words = [word for word in _SEPARATORS.split(text.strip()) if word]
    if not words:
        raise InputError(f"no budget given; write numbers of points such as {_EXAMPLE}")
    budgets = set()
    for word in words:
        if not (word.isascii() and word.isdigit()) or len(word) > 12:
            raise InputError(f"budget {word[:20]!r} is not a whole number; write numbers of points such as {_EXAMPLE}")
        if not 1 <= int(word) <= pool_size:
            raise InputError(f"budget {int(word):,} is outside 1..{pool_size:,}; the pool has {pool_size:,} points")
        budgets.add(int(word))
    return tuple(sorted(budgets))


def suggest_budgets(pool_size: int, n_classes: int = 0) -> str:
    """Budgets worth starting with: four that double, the smallest at least twice the number of classes."""
    first = max(20, 2 * n_classes)
    fitting = [first * 2**power for power in range(4) if first * 2**power <= pool_size]
    return ", ".join(str(budget) for budget in fitting or [pool_size])


def cost_line(methods: int, budgets: int, seeds: int) -> str:
    """The size of the grid in words: "5 methods × 3 budgets × 8 seeds = 120 selections to score".

    Raises:
        InputError: the grid is empty or too large to finish.
    """
    cells = methods * budgets * seeds
    if not methods:
        raise InputError("no method is ticked; tick at least one to compare with uniform")
    if cells > MAX_CELLS:
        raise InputError(f"{cells:,} selections are more than {MAX_CELLS:,}; take fewer methods, budgets or seeds")
    grid = " × ".join((plural(methods, "method"), plural(budgets, "budget"), plural(seeds, "seed")))
    return f"{grid} = {plural(cells, 'selection')} to score"


def unscorable(dataset: "Dataset") -> str | None:
    """Say why nothing can be scored on a dataset, and what to add; None when it can."""
    if dataset.partly_labelled:
        return (
            f"{dataset.name} has {dataset.partly_labelled}, and scoring needs one in every row; in Data switch "
            "on Only rows with a label"
        )
    if dataset.targets is None:
        return f"{dataset.name} has no targets, so nothing can be scored; open it with a target column in Data"
    if not len(dataset.split.test):
        return f"{dataset.name} has no test rows; hold some out below, or give a test file in Data"
    return None


def compare_form(
    dataset: "Dataset", config: DatasetConfig, specs: Sequence["MethodSpec"], given: RunConfig | None
) -> RunConfig | None:
    """Draw the form.

    Args:
        dataset: to compare on; it has targets and test rows.
        config: how it was read.
        specs: all methods.
        given: a comparison to start from, or None for defaults.

    Returns:
        The run to start when the button was pressed in this run of the script, else None.
    """
    job = given.job if given and isinstance(given.job, CompareJob) else None
    key = f"compare:{dataset.fingerprint[-12:]}"
    chosen = st.container()  # of methods, drawn when the rounds below are known
    text, seeds, rounds = _how_many(dataset, job, key)
    with chosen:
        methods = _methods(dataset, specs, job.methods if job else starters(specs), key, in_rounds=rounds > 1)
    params, warm_up_rows = _options(
        [spec for spec in specs if spec.key in methods], dataset.task, given, key, in_rounds=rounds > 1
    )
    with st.expander("Sketch", icon=":material/casino:"):
        sketch = sketch_form(key=f"{key}:sketch", given=given.sketch if given and job else None)
    fixed_pool = st.checkbox(
        "About this very pool only", value=bool(job and job.fixed_pool), key=f"{key}:fixed", persist_state="session"
    )
    st.caption(ABOUT_POOL if fixed_pool else ABOUT_DATA)
    cheap = learners_form(dataset.task.value, key=f"{key}:learners", given=job.learners if job else ())
    finetune = finetune_form(embedding_of(config), key=f"{key}:finetune", given=job.finetune if job else None)
    try:
        budgets = round_budgets(parse_budgets(text, dataset.pool_size), rounds)
        baseline = {REFERENCE} if methods else set()  # scored whether ticked or not
        learners = asked_learners(cheap, finetune, dataset.task.value)
        st.caption(cost_line(len({*methods, *baseline}), len(budgets), seeds))
        if rounds > 1:
            asking = [spec.title for spec in specs if spec.key in methods and asks_labels_first(spec)]
            st.caption(f":material/replay: {rounds_sentence(budgets, asking)}")
    except InputError as error:
        error_line(str(error))
        budgets, methods, learners = (), (), ()
    pressed = st.button(
        "Compare", type="primary", icon=":material/play_arrow:", width="stretch", key="compare-start",
        disabled=not (budgets and methods),
    )  # fmt: skip
    if not pressed:
        return None
    return RunConfig(
        dataset=config,
        job=CompareJob(
            methods=methods,
            budgets=budgets,
            rounds=rounds,
            seeds=seeds,
            params=params,
            learners=learners,
            finetune=finetune,
            fixed_pool=fixed_pool,
        ),
        sketch=sketch,
        warm_up_rows=warm_up_rows,
    )


def _how_many(dataset: "Dataset", job: CompareJob | None, key: str) -> tuple[str, int, int]:
    """Draw the fields of numbers: budgets as typed, seeds, rounds."""
    left, middle, right = st.columns([2, 1, 1])
    text = left.text_input(
        "Budgets: points to pick",
        value=", ".join(map(str, job.budgets)) if job else suggest_budgets(dataset.pool_size, dataset.n_classes),
        key=f"{key}:budgets",
        persist_state="session",
    )
    seeds = middle.number_input(
        "Seeds", 1, MAX_SEEDS, job.seeds if job else _SEEDS, key=f"{key}:seeds", persist_state="session",
        help="Repetitions; the intervals are over them. Below five there are none; eight or more say something.",
    )  # fmt: skip
    rounds = right.number_input(
        "Rounds", 1, MAX_ROUNDS, job.rounds if job else 1, key=f"{key}:rounds", persist_state="session",
        help=ROUNDS_HELP,
    )  # fmt: skip
    return text, int(seeds), int(rounds)


def grouped_reasons(specs: Iterable["MethodSpec"], task: "Task", *, in_rounds: bool = False) -> list[str]:
    """Why methods are off, one line a reason: "Entropy, Margin: needs class labels; …"."""
    groups: dict[str, list[str]] = {}
    for spec in specs:
        if reason := _off(spec, task, in_rounds):
            groups.setdefault(reason.removeprefix(spec.title).strip(), []).append(spec.title)
    return [f"{', '.join(titles)}: {reason}" for reason, titles in groups.items()]


def _off(spec: "MethodSpec", task: "Task", in_rounds: bool) -> str | None:
    """Why a method cannot run here; None when it can."""
    lacking = "needs a label in every row, and in rounds only the points picked so far have one"
    return spec.missing(task) or (lacking if in_rounds and spec.needs_every_label else None)


def starters(specs: Sequence["MethodSpec"]) -> tuple[str, ...]:
    """Methods ticked at first: the paper's, uniform and the default of each league."""
    return tuple(spec.key for spec in specs if spec.recommended or spec.key in _STARTERS)


def _methods(
    dataset: "Dataset", specs: Sequence["MethodSpec"], start: Sequence[str], key: str, *, in_rounds: bool
) -> tuple[str, ...]:
    """Checkboxes by family, folded where none is ticked at first; a method that cannot run here is off."""
    ticked: list[str] = []
    for family, members in by_family(specs).items():
        if any(spec.key in start for spec in members):
            st.caption(family)
            area = st.container(horizontal=True, gap="small")
        else:
            area = st.expander(family).container(horizontal=True, gap="small")
        with area:
            ticked += [
                spec.key
                for spec in members
                if _checkbox(spec, spec.key in start, key, off=_off(spec, dataset.task, in_rounds), in_rounds=in_rounds)
            ]
    for line in grouped_reasons(specs, dataset.task, in_rounds=in_rounds):
        st.caption(f":material/block: {escape(line)}.")
    if any(spec.uses_labels for spec in specs) and not in_rounds:
        st.caption("† sees the pool's labels: it saves training, not labelling, and is ranked apart.")
    method_notes(specs)
    return tuple(ticked)


def _checkbox(spec: "MethodSpec", start: bool, key: str, *, off: str | None, in_rounds: bool) -> bool:
    ticked = st.checkbox(
        spec.title + (" †" if spec.uses_labels and not in_rounds else ""),
        value=start and off is None,
        key=f"{key}:method:{spec.key}",
        help=spec.summary,
        disabled=off is not None,
        persist_state="session",
    )
    return ticked and off is None  # what was ticked before stays so, for when it can run again


def _options(
    specs: Sequence["MethodSpec"], task: "Task", given: RunConfig | None, key: str, *, in_rounds: bool
) -> tuple[dict[str, dict[str, Any]], int | None]:
    """The options of the ticked methods that differ from the defaults, and the size of the warm-up."""
    found: dict[str, dict[str, Any]] = {}
    with_options = [spec for spec in specs if spec.params.model_fields]
    asked = [] if in_rounds else [spec for spec in specs if spec.trains_head(task)]  # in rounds on the labels so far
    if not with_options and not asked:
        return found, None
    job = given.job if given and isinstance(given.job, CompareJob) else None
    with st.expander("Options of the methods", icon=":material/tune:"):
        warm_up_rows = warm_up_form(asked, task, key=key, given=given.warm_up_rows if given and job else None)
        for spec in with_options:
            st.markdown(f"**{escape(spec.title)}**")
            values = params_form(spec, key=key, given=job.params.get(spec.key) if job else None)
            if values:
                found[spec.key] = values
    return found, warm_up_rows
