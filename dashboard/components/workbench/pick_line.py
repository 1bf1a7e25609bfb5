"""The one line that stays in sight: how many points, with which method, what for; and Pick."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.components.shared.shortcuts import PICK
from dashboard.components.shared.theme import escape, fmt_int
from dashboard.components.workbench.drawer import drawer
from dashboard.components.workbench.known_labels import known_so_far
from dashboard.services.projects import not_left
from skmm_core.config import DatasetConfig, RunConfig, SelectJob
from skmm_core.projects import Project, ProjectState

if TYPE_CHECKING:
    from skmm_core.data import Dataset, KnownTargets, Task
    from skmm_core.methods import MethodSpec

LABELLING, TRAINING = "Label them next", "Train on fewer"
_GOAL_HELP = (
    "Label them next: labels are still to be made, so only methods that look at no labels but those given so far are "
    "offered. Train on fewer: labels are known, and fewer points make training cheaper."
)
_DEFAULT_BUDGET = 100
_RECOMMENDED = "recommended"


def offered(specs: Sequence["MethodSpec"], league: str, known: "KnownTargets | None" = None) -> list["MethodSpec"]:
    """Methods of a league: any method can save training; those that read at most the labels so far save labelling.

    Args:
        specs: all methods.
        league: what the points are for.
        known: labels so far, where only some points have one.
    """
    return [
        spec
        for spec in specs
        if league == TRAINING or not spec.uses_labels or (known is not None and not spec.needs_every_label)
    ]


def recommended(ready: Sequence["MethodSpec"], league: str) -> str:
    """Key of the league's default among the methods that can run: to save labelling, one that looks at no label."""
    for spec in reversed(ready):
        if spec.recommended and (league == TRAINING or not spec.uses_labels):
            return spec.key
    return ready[0].key


def split_by_need(
    specs: Sequence["MethodSpec"], task: "Task", known: "KnownTargets | None" = None
) -> tuple[list["MethodSpec"], list[tuple["MethodSpec", str]]]:
    """Methods that can run, and the others with what they miss.

    Args:
        specs: methods.
        task: of the dataset.
        known: labels so far, where only some points have one; they then say what the task is.
    """
    ready, blocked = [], []
    for spec in specs:
        reason = spec.missing(task) if known is None else spec.lacking(known)
        if reason is None:
            ready.append(spec)
        else:
            blocked.append((spec, reason))
    return ready, blocked


def default_budget(size: int) -> int:
    """100 points, of a small pool a tenth: never so many that nothing is left to tell picks from."""
    return max(1, min(_DEFAULT_BUDGET, max(size // 10, min(10, size // 2))))


def status(state: ProjectState, size: int) -> str:
    """Where a pool stands: "batch 2 · 100 labelled · 2,900 left"."""
    touched = {*state.labels, *state.batch_of, *state.skipped}
    if not touched:
        return f"{fmt_int(size)} points"
    parts = [f"batch {len(state.batches)}"] if state.batches else []
    parts.append(f"{fmt_int(len(state.labels))} labelled")
    parts += [f"{fmt_int(len(state.pending))} waiting"] if state.pending else []
    return " · ".join([*parts, f"{fmt_int(max(0, size - len(touched)))} left"])


def pick_line(
    dataset: "Dataset",
    config: DatasetConfig,
    specs: Sequence["MethodSpec"],
    given: RunConfig | None,
    project: Project | None,
    state: ProjectState,
) -> RunConfig | None:
    """Draw the line and its drawer.

    Args:
        dataset: to pick from.
        config: how it was read.
        specs: all methods.
        given: a run of this dataset to start from, or None for defaults.
        project: of the pool, or None while there is none.
        state: of the project.

    Returns:
        The run to start when Pick was pressed in this run of the script, else None.
    """
    job = given.job if given and isinstance(given.job, SelectJob) else None
    key = f"pick:{dataset.fingerprint[-12:]}"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="pick-line"):
        budget_place, method_place = st.container(width=120), st.container(width=290)
        league = st.segmented_control(
            "What are the points for?", (LABELLING, TRAINING), default=_league_of(dataset, given, specs), required=True,
            key=f"{key}:league", persist_state="session", help=_GOAL_HELP, width="content",
        ) or LABELLING  # fmt: skip
        next_ = league == LABELLING
        taken = len(not_left(dataset, state)) if next_ else 0
        most = max(1, dataset.pool_size - taken)
        budget = int(
            budget_place.number_input(
                "Points to pick", min_value=1, max_value=most,
                value=min(job.budget if job else default_budget(dataset.pool_size), most),
                step=1, key=f"{key}:budget:{most}", persist_state="session",
            )
        )  # fmt: skip
        known = known_so_far(dataset, config, project if next_ else None, state)
        specs = [spec for spec in specs if dataset.whole is None or spec.beyond_memory]
        ready, blocked = split_by_need(offered(specs, league, known), dataset.task, known)
        with method_place:
            spec = _method(ready, recommended(ready, league), job, f"{key}:{league}")
        options = drawer(dataset, spec, blocked, given, key=key, training=not next_, partly=known is not None)
        pressed = st.button(
            f"Pick {'the next ' if taken else ''}{fmt_int(budget)}",
            type="primary",
            icon=":material/play_arrow:",
            key="pick",
            shortcut=PICK,
        )
        st.caption(f"**{escape(dataset.name)}** · {status(state, dataset.whole_size)}", width="content")
    if not pressed:
        return None
    chosen = select_job(dataset, spec.key, budget, options.params, options.seed, project, state, next_=next_)
    return RunConfig(
        dataset=config, job=chosen, sketch=options.sketch, gradient=options.gradient, warm_up_rows=options.warm_up_rows
    )


def select_job(
    dataset: "Dataset",
    method: str,
    budget: int,
    params: dict[str, object],
    seed: int,
    project: Project | None,
    state: ProjectState,
    *,
    next_: bool,
) -> SelectJob:
    """The job that picks, around what the project decided.

    Args:
        dataset: to pick from.
        method: key.
        budget: new points.
        params: options of the method.
        seed: of its draws.
        project: of the pool, or None.
        state: of the project.
        next_: whether points that are labelled or wait for a label are given, so that the next batch is picked.
    """
    rows = dataset.rows.tolist()
    row_of = {dataset.ids[place]: rows[place] for place in dataset.split.train.tolist()}
    gone = {*state.labels, *state.batch_of, *state.skipped} if next_ else set()
    pinned = tuple(row_of[item] for item in state.pinned if item in row_of and item not in gone)
    if next_ and project is not None and (gone or state.barred):  # the table names the barred ones too
        labels = str(project.snapshot())
        return SelectJob(method=method, budget=budget, params=params, seed=seed, include=pinned, labels=labels)
    barred = tuple(row_of[item] for item in state.barred if item in row_of)
    return SelectJob(method=method, budget=budget, params=params, seed=seed, include=pinned, exclude=barred)


def _league_of(dataset: "Dataset", given: RunConfig | None, specs: Sequence["MethodSpec"]) -> str:
    """What the run to start from saves: training where it reads a label of every point."""
    from skmm_core.methods import reads_labels

    if given is None or not isinstance(given.job, SelectJob):
        return LABELLING
    if given.job.labels is not None or dataset.known_labels is not None:  # it knew some labels alone
        return LABELLING
    if given.job.method not in {spec.key for spec in specs}:  # of a package that is not installed here
        return LABELLING
    return TRAINING if reads_labels(given.job.method, given.job.params, given.gradient) else LABELLING


def _method(ready: Sequence["MethodSpec"], default: str, job: SelectJob | None, key: str) -> "MethodSpec":
    """The recommended method first, then all others; each goal has a choice of its own, and so its own default."""
    by_key = {spec.key: spec for spec in ready}
    options = [_RECOMMENDED, *(name for name in by_key if name != default)]
    start = job.method if job and job.method in options else _RECOMMENDED

    def words(name: str) -> str:
        return f"Recommended: {by_key[default].title}" if name == _RECOMMENDED else by_key[name].title

    picked = st.selectbox(
        "Method", options, index=options.index(start), format_func=words, key=f"{key}:method", persist_state="session",
    )  # fmt: skip
    return by_key[default if picked == _RECOMMENDED else picked]
