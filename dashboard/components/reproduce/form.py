"""The form that runs one of the paper's experiments again."""

from pathlib import Path

import streamlit as st

from dashboard.components.shared.theme import escape
from dashboard.services.sources import data_roots, server_path
from skmm_core.config import DatasetConfig, PaperJob, RunConfig
from skmm_core.data import holds_features
from skmm_core.errors import InputError
from skmm_core.paper import Experiment, plan


def reproduce_form(experiment: Experiment) -> RunConfig | None:
    """Ask what to run; the config once the button was pressed.

    Raises:
        InputError: the path that was given cannot be used.
    """
    key = f"reproduce:{experiment.key}"
    dataset: DatasetConfig | None = DatasetConfig(source="gmm")
    given: dict[str, object] = {}
    if experiment.needs_data:
        st.markdown(f"**Where the images come from.** {escape(experiment.origin)}")
        dataset, given = _data(key)
    left, right = st.columns(2)
    seeds = left.number_input(
        "Seeds of the selection", 1, 100, 8 if not experiment.needs_data else 3, key=f"{key}:seeds"
    )
    draws = 3
    if not experiment.needs_data:
        draws = right.number_input("Draws of the mixture", 1, 100, draws, key=f"{key}:draws")
    budgets = st.multiselect("Points n", experiment.budgets, default=experiment.budgets, key=f"{key}:budgets")
    titles = {row.key: row.title + (" †" if row.label_aware else "") for row in experiment.rows}
    rows = st.multiselect(
        "Rows", list(titles), default=list(titles), format_func=lambda row: titles[row], key=f"{key}:rows"
    )
    job = PaperJob.model_validate({
        "experiment": experiment.key,
        "methods": () if len(rows) == len(titles) else rows,
        "budgets": () if len(budgets) == len(experiment.budgets) else budgets,
        "seeds": int(seeds),
        "data_seeds": int(draws),
        **given,
    })  # fmt: skip
    ready = dataset is not None and bool(rows) and bool(budgets)
    if ready:
        st.caption(f"{plan(job).cells:,} selections to make and score. Uniform is always among the rows.")
    pressed = st.button("Run", type="primary", icon=":material/play_arrow:", disabled=not ready, key=f"{key}:run")
    return RunConfig(dataset=dataset, job=job) if pressed and dataset is not None else None


def _data(key: str) -> tuple[DatasetConfig | None, dict[str, object]]:
    """The folder of images or the file of features, and how images are encoded."""
    roots = data_roots()
    if not roots:
        st.info(
            "Server paths are off. Start the dashboard with `SKMM_DATA_ROOTS` set to the folder that holds the images, "
            "or run the command below in a shell.",
            icon=":material/lock:",
        )
        return None, {}
    text = st.text_input("Folder or archive of the images, or a file of features", key=f"{key}:path").strip()
    if not text:
        st.caption(f"Files under {', '.join(escape(str(root)) for root in roots)} can be read.")
        return None, {}
    path = server_path(text)
    if not path.exists():
        raise InputError(f"{text[:200]} is not there; give a folder, a zip or tar file or a file of features")
    if holds_features(path.name):
        test = st.text_input("File with the test rows", key=f"{key}:test").strip()
        return DatasetConfig(source=str(path), test=str(server_path(test)) if test else None), {}
    return DatasetConfig(source=str(path)), _encoder(key)


def _encoder(key: str) -> dict[str, object]:
    left, right = st.columns(2)
    model = left.text_input("open_clip model", value="ViT-B-32", key=f"{key}:model").strip()
    weights = right.text_input("Weights: a tag, or a file on the server", value="openai", key=f"{key}:weights").strip()
    if "/" in weights or Path(weights).suffix:
        weights = str(server_path(weights))
    layers = st.pills(
        "Finetune too", [1, 2], selection_mode="multi", key=f"{key}:finetune",
        format_func=lambda count: "last layer" if count == 1 else "last two layers",
    )  # fmt: skip
    return {"model": model, "pretrained": weights or None, "finetune": tuple(sorted(layers))}
