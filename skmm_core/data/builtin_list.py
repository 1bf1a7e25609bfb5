"""The built-in datasets as lists, forms and checks see them: names, sizes and options.

Nothing here imports torch, so that `--help` answers and a wrong budget is refused before it is loaded.
"""

from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from skmm_core.data.task import Task
from skmm_core.errors import InputError


class GmmOptions(BaseModel):
    """Options of the Gaussian mixture; see :func:`gaussian_mixture`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    N: int = Field(2000, ge=3, le=10_000_000, description="Rows of the pool; a third as many again for each held part.")
    r: int = Field(2400, ge=1, le=65_536, description="Dimensions.")
    clusters: int = Field(8, ge=2, description="Clusters, each on its own axis.")
    K: int = Field(8, ge=1, le=1_000_000, description="Centres lie K·U{1..K} from the origin.")
    std_max: float = Field(0.04, ge=0, allow_inf_nan=False, description="A cluster's spread is std_max·U(0, 1).")
    label_noise: float = Field(0.0, ge=0, allow_inf_nan=False, description="Standard deviation of noise on targets.")
    seed: int = Field(0, ge=0, description="Of the generator.")


class SplitOptions(BaseModel):
    """How the sets that come with scikit-learn are split; the defaults give the split that reported numbers are of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(
        0, ge=0, description="Of the split into 60 % to pick from, 20 % for validation, 20 % for the test."
    )
    validation: bool = Field(
        True, description="Whether there are validation rows; without, they are test rows, so no more labels are read."
    )


_Options = TypeVar("_Options", bound=BaseModel)


@dataclass(frozen=True)
class BuiltinInfo:
    """What a list of datasets shows.

    Attributes:
        name: what `--dataset` takes.
        title: for people.
        description: one line.
        task: what the targets ask for.
        rows: rows in all, with the default options.
        pool: rows to pick from, with the default options.
        dims: columns, with the default options.
        options: defaults by option name; empty when there are none.
    """

    name: str
    title: str
    description: str
    task: Task
    rows: int
    pool: int
    dims: int
    options: dict[str, Any] = field(default_factory=dict)


BUILTINS: tuple[BuiltinInfo, ...] = (
    BuiltinInfo(
        "gmm",
        "Gaussian mixture",
        "The synthetic regression of the SkMM paper: well-separated clusters of random size and spread.",
        Task.REGRESSION,
        rows=3334,
        pool=2000,
        dims=2400,
        options=GmmOptions().model_dump(),
    ),
    BuiltinInfo(
        "digits",
        "Handwritten digits",
        "8 × 8 images of the digits 0 to 9 (UCI, with scikit-learn).",
        Task.CLASSIFICATION,
        rows=1797,
        pool=1078,
        dims=64,
        options=SplitOptions().model_dump(),
    ),
    BuiltinInfo(
        "diabetes",
        "Diabetes progression",
        "Ten measurements of 442 patients, and the disease one year later (Efron et al. 2004, with scikit-learn).",
        Task.REGRESSION,
        rows=442,
        pool=265,
        dims=10,
        options=SplitOptions().model_dump(),
    ),
)


def is_builtin(source: str) -> bool:
    """Whether a dataset source such as "gmm:N=500" names a built-in set."""
    return source.partition(":")[0] in {info.name for info in BUILTINS}


def named(source: str) -> tuple[str, str]:
    """The name and the options of a dataset source such as "gmm:N=500".

    Raises:
        InputError: no built-in set is called so; the message lists them.
    """
    name, _, options = source.partition(":")
    if not is_builtin(source):
        known = ", ".join(info.name for info in BUILTINS)
        raise InputError(f"there is no built-in dataset {name!r}; the built-ins are {known}")
    return name, options


def builtin_pool_size(source: str) -> int:
    """N, the rows to pick from, of a built-in set with its options.

    Raises:
        InputError: unknown name, option or value; the message lists what there is.
    """
    name, options = named(source)
    if name == "gmm":
        return parse_options(name, options, GmmOptions).N
    parse_options(name, options, SplitOptions)
    return next(info.pool for info in BUILTINS if info.name == name)


def parse_options(name: str, text: str, model: type[_Options]) -> _Options:
    """Read the options after a built-in's name, such as "N=2000,seed=3".

    Raises:
        InputError: an unknown option, one twice or without a value, or a value out of range.
    """
    defaults = model().model_dump()
    chosen: dict[str, str] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = (piece.strip() for piece in item.partition("="))
        if key not in defaults:
            raise InputError(f"{name} has no option {key!r}; the options are {', '.join(defaults)}")
        if not equals:
            raise InputError(f"{name} option {key!r} has no value; write it as {key}={defaults[key]}")
        if key in chosen:
            raise InputError(f"{name} option {key!r} is given twice; give it once")
        chosen[key] = value
    try:
        return model.model_validate(chosen)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{name} option {first['loc'][0]}={first['input']}: {first['msg'].lower()}") from None
