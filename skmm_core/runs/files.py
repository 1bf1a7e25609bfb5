"""The files of a run folder: their names, and how they are read.

`result.json` is written last: a run that died half-way never looks done.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from skmm_core.config import RunConfig
from skmm_core.errors import InputError
from skmm_core.storage import write_json

if TYPE_CHECKING:
    import pandas as pd

CONFIG, CARD, RESULT, LOG, REPORT = "config.json", "run.json", "result.json", "log.jsonl", "report.html"
SCORES_CSV, SUMMARY_CSV = "scores.csv", "summary.csv"
COMPARE_STATE = "compare.json"
SELECTION_CSV, SELECTION_NPY, DIAGNOSTICS = "selection.csv", "selection.npy", "diagnostics.npz"
LABELS_CSV = "labels_used.csv"  # the copy of those that a selection knew
PREDICTIONS_CSV = "predictions.csv"
FEATURES, THUMBNAILS = "features.npz", "thumbnails.npz"
TABLES = ("selection", "scores", "map", "trace")
ESTIMATE_TABLES = ("predictions", "mistakes", "curve")
RESULT_FILES = (
    RESULT,
    SELECTION_CSV,
    SELECTION_NPY,
    DIAGNOSTICS,
    SUMMARY_CSV,
    FEATURES,
    THUMBNAILS,
    REPORT,
    PREDICTIONS_CSV,
    *(f"{table}.parquet" for table in (*TABLES, *ESTIMATE_TABLES)),
)
RUN_FILES = (CONFIG, CARD, LOG, LABELS_CSV, SCORES_CSV, COMPARE_STATE, *RESULT_FILES)
Table = Literal["selection", "scores", "map", "trace", "predictions", "mistakes", "curve"]


class RunCard(BaseModel):
    """What `run.json` says: whose folder this is, so that the index can be rebuilt from the folders alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    name: str
    fingerprint: str
    created: float


def write_config(folder: Path, config: RunConfig) -> None:
    """Write `config.json`."""
    write_json(folder / CONFIG, config.model_dump(mode="json"))


def read_config(folder: Path) -> RunConfig:
    """Read `config.json`.

    Raises:
        InputError: the folder is no run folder, or its config cannot be read.
    """
    path = folder / CONFIG
    try:
        return RunConfig.stored(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{folder} is not a run folder: it has no {CONFIG}") from None
    except ValidationError as error:
        raise InputError(f"{path} cannot be used: {first_problem(error)}; make the run again") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None


def first_problem(error: ValidationError) -> str:
    """The first problem of a pydantic error in one line: where, what."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    message = " ".join(first["msg"].split())
    return f"{where}: {message}" if where else message


def read_card(folder: Path) -> RunCard | None:
    """Read `run.json`; None when it is missing or damaged."""
    try:
        return RunCard.model_validate_json((folder / CARD).read_bytes())
    except (OSError, ValidationError):
        return None


def read_result(folder: Path) -> dict[str, Any]:
    """Read `result.json` of a finished run.

    Raises:
        InputError: the run has not finished, or the file is damaged.
    """
    path = folder / RESULT
    try:
        result = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{folder.name} has no result: the run has not finished") from None
    except (OSError, ValueError):
        raise InputError(f"{path} cannot be read; make the run again") from None
    if not isinstance(result, dict):
        raise InputError(f"{path} does not hold a result; make the run again")
    return result


def read_table(folder: Path, name: Table) -> "pd.DataFrame":
    """Read one table of a finished selection or estimate.

    Args:
        folder: the run folder.
        name: "selection" (one row a chosen point), "scores" (one row a pool point), "map" or "trace"; of an estimate
            "predictions" (one row a point without a label), "mistakes" (one row a label) or "curve".

    Raises:
        InputError: the table is missing or damaged.
    """
    import pandas as pd

    path = folder / f"{name}.parquet"
    try:
        table = pd.read_parquet(path)
        if "order" in table and table["order"].min() == 0:  # versions before counted from 0
            table["order"] += 1
        return table
    except FileNotFoundError:
        raise InputError(f"{folder.name} has no {name} table: the run has not finished") from None
    except (OSError, ValueError) as error:  # pyarrow's own errors derive from these two
        raise InputError(f"{path} cannot be read: {str(error).splitlines()[0]}; make the run again") from None


def clear_results(folder: Path) -> None:
    """Remove what an earlier run left, `result.json` first; a comparison's scores stay, it continues from them."""
    for name in RESULT_FILES:
        (folder / name).unlink(missing_ok=True)
