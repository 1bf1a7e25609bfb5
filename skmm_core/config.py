"""What a run is asked to do: one model for the command line, the web form and `config.json`.

Nothing here imports torch, so that a page can read old runs before torch is loaded.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DatasetConfig(_Frozen):
    """Which dataset, and how to read it."""

    source: str = Field(description="Built-in name with options (gmm:N=2000,seed=3) or a file: npz, npy, csv, parquet.")
    test: str | None = Field(None, description="File with the test rows; never picked from.")
    labels: str | None = Field(None, description="npy file with the targets of an npy file of features.")
    target: str | None = Field(
        None, description="Target column of a csv or parquet file (default: label, target or y)."
    )
    id: str | None = Field(None, description="Column of a csv or parquet file with distinct row names.")
    holdout: float | None = Field(None, gt=0, lt=1, description="Fraction of the file's rows kept out for scoring.")
    task: Literal["auto", "classification", "regression"] = Field("auto", description="What the targets ask for.")
    drop_bad_rows: bool = Field(False, description="Leave out rows with NaN or infinite numbers instead of stopping.")


class SketchParams(_Frozen):
    """How gradients are sketched before moments are matched."""

    kind: Literal["gaussian", "none"] = Field(
        "gaussian", description="Random map from r to m dimensions; none keeps every dimension."
    )
    dim: int | None = Field(
        None, ge=1, le=16384, description="Sketch size m; empty takes 4 × the effective dimension, within 32..512."
    )


class SelectJob(_Frozen):
    """Pick `budget` points with one method."""

    kind: Literal["select"] = "select"
    method: str = "skmm"
    budget: int
    params: dict[str, Any] = Field(default_factory=dict)
    seed: int = 0


class CompareJob(_Frozen):
    """Score several methods at several budgets over several seeds (0 .. seeds - 1)."""

    kind: Literal["compare"] = "compare"
    methods: tuple[str, ...]
    budgets: tuple[int, ...]
    seeds: int = Field(8, ge=1, le=1000)
    params: dict[str, dict[str, Any]] = Field(default_factory=dict, description="Params by method key.")


class RunConfig(_Frozen):
    """Everything that decides the result of a run."""

    dataset: DatasetConfig
    job: Annotated[SelectJob | CompareJob, Field(discriminator="kind")]
    sketch: SketchParams = SketchParams()
    device: str = "auto"
