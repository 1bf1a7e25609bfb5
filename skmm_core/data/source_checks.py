"""What can be refused of a source before anything is read: no such file or set, options that do not go with it.

Nothing here imports torch, so that a slip is answered at once.
"""

from collections.abc import Iterable
from pathlib import Path

from skmm_core.config import DatasetConfig
from skmm_core.data.builtin_list import BUILTINS, builtin_pool_size, is_builtin
from skmm_core.data.file_limits import check_file, file_path
from skmm_core.data.formats import FILE_KINDS, IN_BLOCKS, array_parts, is_table, kind_of
from skmm_core.errors import InputError


def check_source(config: DatasetConfig) -> None:
    """Refuse a source that is not there or cannot be read so.

    Raises:
        InputError: one line that says what is wrong and what to do.
    """
    if is_builtin(config.source):
        refuse_file_options(config)
        builtin_pool_size(config.source)
        return
    refuse_other_kinds_options(config, path_of(config.source))
    if config.labels is not None:
        check_file(file_path(config.labels), kinds=(".npy",))
    if config.test is not None and not file_path(config.test).is_dir():
        check_file(file_path(config.test))


def check_budgets(config: DatasetConfig, budgets: Iterable[int]) -> None:
    """Refuse budgets that no pool of this source has, as far as that is known before it is read.

    Raises:
        InputError: one is below 1, or above the pool of a built-in set.
    """
    size = builtin_pool_size(config.source) if is_builtin(config.source) else None
    for budget in budgets:
        if size is not None:
            check_budget_fits(budget, size)
        elif budget < 1:
            raise InputError(f"budget {budget} is below 1; say how many points to pick")


def check_budget_fits(budget: int, size: int, *, whole: int | None = None) -> None:
    """Refuse a budget outside 1..N.

    Args:
        budget: points to pick.
        size: N.
        whole: rows of a pool of which memory holds only N; None where it holds all.

    Raises:
        InputError: it is; the message gives N.
    """
    if 1 <= budget <= size:
        return
    if whole is not None:
        raise InputError(
            f"budget {budget:,} is outside 1..{size:,}, the points that are held of {whole:,}; hold more (--candidates)"
        )
    raise InputError(f"budget {budget} is outside 1..{size}; the pool has {size} points")


def path_of(source: str) -> Path:
    """The file or folder that a source names.

    Raises:
        InputError: there is none, or it cannot be read.
    """
    path = file_path(source)
    named = kind_of(path) in FILE_KINDS or path.exists()
    if not named and (not path.suffix or ":" in source):  # an option such as std_max=0.1 looks like a suffix
        names = ", ".join(info.name for info in BUILTINS)
        raise InputError(
            f"there is no built-in dataset {source.partition(':')[0]!r} and no such file; "
            f"the built-ins are {names}, files end in {', '.join(FILE_KINDS)}"
        )
    if not path.is_dir():
        check_file(path, held=kind_of(path) not in IN_BLOCKS)
    return path


def refuse_file_options(config: DatasetConfig) -> None:
    """Refuse what only files have where the set is built in.

    Raises:
        InputError: such an option is given.
    """
    options = ("test", "labels", "target", "id", "features", "text", "ignore", "unlabelled", "holdout", "candidates")
    for option in options:
        if getattr(config, option) is not None:
            raise InputError(f"{config.source} is built in, with its own targets and split; leave out --{option}")
    if config.labelled_only:
        raise InputError(f"{config.source} is built in, and every row of it has a target; leave out --labelled-only")
    if config.scale_columns:
        raise InputError(f"{config.source} is built in, with columns as they should be; leave out --scale-columns")


def refuse_other_kinds_options(config: DatasetConfig, path: Path) -> None:
    """Refuse options that files of this kind do not have.

    Raises:
        InputError: such an option is given.
    """
    arrays = array_parts(path)
    kind = kind_of(arrays[0] if arrays else path)
    if config.labels is not None and kind != ".npy":
        raise InputError(f"{path.name}: --labels goes with npy files only; a {kind} file holds its own targets")
    if config.candidates is not None and not path.is_dir() and kind not in IN_BLOCKS:
        raise InputError(
            f"{path.name}: a {kind} file is read whole; --candidates goes with npy and parquet, files and folders"
        )
    for option in ("target", "id", "features"):
        if getattr(config, option) is not None and kind == ".npy":
            raise InputError(f"{path.name}: --{option} names a column or an array, and a .npy file is one array")
    for option in ("ignore", "text"):
        if getattr(config, option) is not None and (arrays or not is_table(path)):
            raise InputError(f"{path.name}: --{option} names columns of a table; a {kind} file has none")
