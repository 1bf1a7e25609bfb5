"""Which learners score the selections of a comparison."""

from collections.abc import Sequence
from typing import get_args

import streamlit as st

from skmm_core.config import FinetuneParams, Learner
from skmm_core.errors import InputError
from skmm_core.probes import FINETUNE, cheap_learners, learner_summary, learner_title


def learners_form(task: str, *, key: str, given: Sequence[str]) -> tuple[str, ...]:
    """Draw the choice of all learners that fit a task and train no network.

    Args:
        task: "classification" or "regression".
        key: of the widget.
        given: learners of a comparison to start from; empty for all that fit.

    Returns:
        Keys, in the order of the table of learners; empty where none is left.
    """
    fitting = cheap_learners(task)
    chosen = st.multiselect(
        "Learners",
        fitting,
        default=[learner for learner in fitting if learner in given] if given else list(fitting),
        format_func=learner_title,
        key=key,
        persist_state="session",
        placeholder="none of these",
        help="What is trained on every selection and scored on the test rows: which picks are best depends on it.\n\n"
        + "\n\n".join(f"**{learner_title(learner)}**: {learner_summary(learner)}" for learner in fitting),
    )
    return tuple(learner for learner in fitting if learner in chosen)


def asked_learners(cheap: Sequence[str], finetune: FinetuneParams | None, task: str) -> tuple[Learner, ...]:
    """The learners of the job: empty where all that fit are asked for.

    Raises:
        InputError: none is chosen.
    """
    if not cheap and finetune is None:
        raise InputError("no learner is chosen; choose at least one to score the selections with")
    if tuple(cheap) == cheap_learners(task):
        return ()
    asked = {*cheap, *([] if finetune is None else [FINETUNE])}
    return tuple(key for key in get_args(Learner) if key in asked)
