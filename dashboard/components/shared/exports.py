"""A selection as files to take away, and the command that makes it again."""

import io
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import streamlit as st

from dashboard.components.shared.copy_as import copy_panel, image_format
from dashboard.components.shared.theme import fmt_int
from dashboard.services.cache import run_result, run_table, store
from skmm_core.config import SelectJob
from skmm_core.encoders import marks
from skmm_core.runs import REPORT, SELECTION_CSV, SELECTION_NPY, RunRecord, as_csv

_SAW_LABELS = "The labels of the pool were read to pick these points: they save training, not labelling."


def first_points(selection: pd.DataFrame, budget: int) -> pd.DataFrame:
    """The first `budget` chosen points, weights scaled to sum to 1 again."""
    kept = selection.sort_values("order", kind="stable").head(budget)
    return kept.assign(weight=kept["weight"] / kept["weight"].sum())


def to_csv(points: pd.DataFrame) -> bytes:
    """CSV with a header: order, id, row, weight, score, batch, text, and the columns of the upload."""
    return as_csv(points).to_csv(index=False, lineterminator="\n").encode()


def to_npy(points: pd.DataFrame) -> bytes:
    """(n,) int64 rows of the input file, in the order picked."""
    buffer = io.BytesIO()
    np.save(buffer, points["row"].to_numpy(dtype=np.int64), allow_pickle=False)
    return buffer.getvalue()


def to_parquet(points: pd.DataFrame, notes: Sequence[str] = ()) -> bytes:
    """Every column that is known of the chosen points; notes on them in the metadata of the file."""
    table = pa.Table.from_pandas(points, preserve_index=False)
    if notes:
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), b"notes": "\n".join(notes).encode()})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def to_json(points: pd.DataFrame, about: dict[str, Any]) -> bytes:
    """What was run, and the chosen points."""
    rows = json.loads(as_csv(points).to_json(orient="records", double_precision=15, date_format="iso"))
    return (json.dumps({**about, "points": rows}, indent=1) + "\n").encode()


def about_run(record: RunRecord, budget: int) -> dict[str, Any]:
    """What the JSON export says before the points."""
    return {
        "dataset": record.dataset,
        "fingerprint": record.fingerprint,
        "run": record.id,
        "budget": budget,
        "config": record.config.model_dump(mode="json"),
        "notes": run_notes(run_result(record.id)),
    }


def run_notes(result: Mapping[str, Any]) -> list[str]:
    """What whoever gets the points should know of them."""
    return [*result.get("notes", ()), *([_SAW_LABELS] if result.get("label_aware") else [])]


def file_stem(record: RunRecord, budget: int) -> str:
    """Start of the names of exported files; untrained features, and labels that were seen, are marked even there."""
    return f"{Path(record.dataset).stem.split(':')[0]}-{record.method}-{budget}{_mark(run_result(record.id))}"


def _mark(result: Mapping[str, Any]) -> str:
    untrained = "-untrained-features" if marks(result.get("notes", ())) else ""
    return untrained + ("-saw-labels" if result.get("label_aware") else "")


def export_panel(record: RunRecord, budget: int) -> None:
    """Download buttons for the first `budget` points, the whole run, and the command that repeats it."""
    job = record.config.job
    total = job.budget if isinstance(job, SelectJob) else budget
    stem = file_stem(record, budget)
    with st.container(horizontal=True, key="exports"):
        for suffix, make in _makers(record, budget, whole=budget == total).items():
            st.download_button(
                suffix.upper(),
                data=make,
                file_name=f"{stem}.{suffix}",
                mime="application/octet-stream" if suffix in ("npy", "parquet") else f"text/{suffix}",
                key=f"export-{suffix}",
                on_click="ignore",
                icon=":material/download:",
            )
        st.download_button(
            "Whole run (zip)",
            data=lambda: run_zip(record.id),
            file_name=f"{stem}-run.zip",
            mime="application/zip",
            key="export-zip",
            on_click="ignore",
            icon=":material/folder_zip:",
        )
        if (report := record.folder / REPORT).exists():
            st.download_button(
                "Report (html)",
                data=report.read_bytes,
                file_name=f"{stem}-report.html",
                mime="text/html",
                key="export-report",
                on_click="ignore",
                icon=":material/article:",
            )
    if _mark(run_result(record.id)):
        st.caption("CSV and NPY contain only rows; JSON also records the settings.")
    if budget < total:
        st.caption(f"The files hold the first {fmt_int(budget)} points in pick order.")
    copy_panel(record, f"picks the same {fmt_int(total)} points again")
    image_format()


def _makers(record: RunRecord, budget: int, *, whole: bool) -> dict[str, Callable[[], bytes]]:
    """Functions that make the file only when it is asked for; the run's own files when the whole selection is."""

    def points() -> pd.DataFrame:
        return first_points(run_table(record.id, "selection"), budget)

    return {
        "csv": (record.folder / SELECTION_CSV).read_bytes if whole else lambda: to_csv(points()),
        "json": lambda: to_json(points(), about_run(record, budget)),
        "npy": (record.folder / SELECTION_NPY).read_bytes if whole else lambda: to_npy(points()),
        "parquet": lambda: to_parquet(points(), run_notes(run_result(record.id))),
    }


def run_zip(run_id: str) -> bytes:
    """The whole run as a zip that Runs can import."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.zip"
        store().export(run_id, path)
        return path.read_bytes()
