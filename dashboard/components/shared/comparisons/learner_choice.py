"""The learner that scores are shown under: one choice, kept for the session, on whichever page it is made."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from skmm_core.probes import learner_summary, learner_title, main_learner

_HELP = (
    "What was trained on every selection and scored on the test rows. All that is shown is under this one; means, "
    "tests and savings are never mixed over learners."
)


def choose_learner(learners: Sequence[str]) -> str:
    """The choice, with what the learner does; not drawn where there is only one.

    Args:
        learners: keys of those that were scored, in the order of the table of learners.
    """
    if len(learners) == 1:
        return learners[0]
    chosen = st.segmented_control(
        "Learner", learners, default=main_learner(learners), required=True, key=_key(learners), help=_HELP,
        format_func=learner_title, persist_state="session",
    )  # fmt: skip
    learner = str(chosen or main_learner(learners))
    st.caption(learner_summary(learner))
    return learner


def learner_given(learners: Sequence[str]) -> str:
    """The choice as it was made last among these learners; the main one before any was made."""
    kept = st.session_state.get(_key(learners))
    return str(kept) if kept in learners else main_learner(learners)


def learners_in(result: Mapping[str, Any], single: str) -> tuple[str, ...]:
    """Learners of a comparison's `result.json`; `single` for a result of an earlier version, which had one."""
    return tuple(result.get("learners") or (single,))


def result_under(result: Mapping[str, Any], learner: str) -> dict[str, Any]:
    """`result.json` of a comparison with the scores, savings and tests of one learner at its top."""
    return {**result, **result.get("by_learner", {}).get(learner, {}), "learner": learner}


def _key(learners: Sequence[str]) -> str:
    return f"learner:{','.join(learners)}"  # comparisons under other learners have a choice of their own
