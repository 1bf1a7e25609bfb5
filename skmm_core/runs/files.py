"""The files of a run folder: their names, how they are written whole or not at all, how they are read.

A file is written under a temporary name and renamed, so a reader sees the old one or the new one, never a half.
`result.json` is written last: a run that died half-way never looks done.
"""

import json
import math
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from skmm_core.config import RunConfig
from skmm_core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

CONFIG, CARD, RESULT, LOG, REPORT = "config.json", "run.json", "result.json", "log.jsonl", "report.html"
SCORES_CSV, SUMMARY_CSV = "scores.csv", "summary.csv"
COMPARE_STATE = "compare.json"
SELECTION_CSV, SELECTION_NPY, DIAGNOSTICS = "selection.csv", "selection.npy", "diagnostics.npz"
FEATURES, THUMBNAILS = "features.npz", "thumbnails.npz"
TABLES = ("selection", "scores", "map", "trace")
RESULT_FILES = (
    RESULT,
    SELECTION_CSV,
    SELECTION_NPY,
    DIAGNOSTICS,
    SUMMARY_CSV,
    FEATURES,
    THUMBNAILS,
    REPORT,
    *(f"{table}.parquet" for table in TABLES),
)
RUN_FILES = (CONFIG, CARD, LOG, SCORES_CSV, COMPARE_STATE, *RESULT_FILES)
Table = Literal["selection", "scores", "map", "trace"]


class RunCard(BaseModel):
    """What `run.json` says: whose folder this is, so that the index can be rebuilt from the folders alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    name: str
    fingerprint: str
    created: float


def home() -> Path:
    """The folder with all runs: `SKMM_HOME`, or "skmm-dashboard" in the user's data folder."""
    if given := os.environ.get("SKMM_HOME"):
        return Path(given).expanduser().absolute()
    import platformdirs

    return platformdirs.user_data_path("skmm-dashboard", appauthor=False)


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file, then put it in the place of `path` in one step.

    Raises:
        OSError: the disk is full or the folder cannot be written; `path` is untouched.
    """
    # The ending stays: numpy adds its own to a name that has another.
    temporary = path.with_name(f".{os.getpid()}-{threading.get_ident()}.{path.name}")
    try:
        write(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text in one step; see :func:`write_file`."""
    write_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8", newline="\n"))


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write strictly valid JSON in one step; NaN and infinities become null."""
    write_text(path, to_json(value, indent=1) + "\n")


def to_json(value: object, *, indent: int | None = None) -> str:
    """Strictly valid JSON: NaN and infinities, which JSON does not know, become null."""
    return json.dumps(_finite(value), indent=indent, allow_nan=False, ensure_ascii=False)


def _finite(value: object) -> object:
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return _finite(value.item())
    return value


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
        return RunConfig.model_validate_json(path.read_bytes())
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
    """Read one table of a finished selection.

    Args:
        folder: the run folder.
        name: "selection" (one row a chosen point), "scores" (one row a pool point), "map" or "trace".

    Raises:
        InputError: the table is missing or damaged.
    """
    import pandas as pd

    path = folder / f"{name}.parquet"
    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise InputError(f"{folder.name} has no {name} table: the run has not finished") from None
    except (OSError, ValueError) as error:  # pyarrow's own errors derive from these two
        raise InputError(f"{path} cannot be read: {str(error).splitlines()[0]}; make the run again") from None


def clear_results(folder: Path) -> None:
    """Remove what an earlier run left, `result.json` first; a comparison's scores stay, it continues from them."""
    for name in RESULT_FILES:
        (folder / name).unlink(missing_ok=True)
