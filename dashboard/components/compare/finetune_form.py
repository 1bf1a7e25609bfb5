"""A network finetuned on every selection of a comparison, beside the other learners."""

import streamlit as st

from dashboard.components.shared.forms import model_form
from dashboard.components.shared.theme import escape
from skmm_core.config import EmbedJob, FinetuneParams
from skmm_core.runs import RunRecord

NONE, HEAD, BLOCK = "No finetuning", "Finetuned head", "Finetuned head and last block"
_BLOCK_NEEDS = (
    "To train the last block of a network too, make the features in Data, from pictures, by an encoder other than the "
    "built-in map."
)


def network_of(made: RunRecord | None) -> EmbedJob | None:
    """The network that made the features of a dataset; None when no network did, or it is not known."""
    job = made.config.job if made else None
    return job if isinstance(job, EmbedJob) and job.reads == "pictures" and job.model != EmbedJob().model else None


def finetune_form(made: RunRecord | None, *, key: str, given: FinetuneParams | None) -> FinetuneParams | None:
    """Draw the form, folded.

    Args:
        made: the run that made the features out of pictures or texts, or None.
        key: prefix of the widgets' keys.
        given: where to start.

    Returns:
        How to finetune; None for no finetuning.
    """
    network = network_of(made)
    ways = [NONE, HEAD, *([BLOCK] if network else [])]
    start = min(given.layers if given else 0, len(ways) - 1)
    with st.expander("Finetuning", icon=":material/model_training:"):
        way = st.selectbox(
            "Selections are scored by finetuning too", ways, index=start, key=f"{key}:way", persist_state="session",
            help="A network is trained on the chosen points and scored on the test rows, beside the learners above.",
        )  # fmt: skip
        if network is None:
            st.caption(f":material/info: {_BLOCK_NEEDS}")
        if way == NONE:
            return None
        trained = "A linear head on the features"
        if way == BLOCK and network is not None:
            trained = f"A linear head and the last block of {escape(network.model)}"
        st.caption(f"{trained} is trained anew for every selection, which takes far longer than the learners above.")
        options = model_form(
            FinetuneParams,
            key=key,
            given=given.model_dump() if given else None,
            without=("layers", "images", "encoder"),
        )
    if way == BLOCK and made is not None:
        options |= {"layers": 2, "images": made.config.dataset.source, "encoder": network}
    return FinetuneParams.model_validate(options)
