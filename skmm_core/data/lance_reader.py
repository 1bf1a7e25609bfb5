"""Lance tables: a folder `NAME.lance`, or a LanceDB folder that holds one. Needs pylance."""

from pathlib import Path
from typing import Any

from skmm_core.data.arrow_reader import check_total, table_of
from skmm_core.data.file_limits import check_array_size
from skmm_core.data.formats import FORMATS
from skmm_core.data.parquet_reader import ERRORS
from skmm_core.data.table_file import AsText, Reader, TableFile, listed, short
from skmm_core.errors import InputError

_ENDING = ".lance"


def _is_lance(path: Path) -> bool:
    return path.is_dir() and (_is_table(path) or bool(_tables(path)))


def _is_table(folder: Path) -> bool:
    return (folder / "_versions").is_dir()


def _tables(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob(f"*{_ENDING}") if _is_table(path))


def _read(path: Path, _: AsText) -> TableFile:
    """Read the current version of a table, in its current order: an updated row stands last and keeps its id."""
    folder = _one_table(path)
    check_total([file for file in folder.rglob("*") if file.is_file()], folder.name)
    lance = _library(folder)
    try:
        dataset = lance.dataset(str(folder))
        rows = dataset.count_rows()
        numbers = sum(_numbers(kind) for kind in dataset.schema.types)
    except (*ERRORS, ValueError, RuntimeError) as error:
        raise _damaged(folder, error) from None
    check_array_size(folder.name, (rows, max(1, numbers)), 4)
    try:
        table = dataset.to_table()
        table.validate(full=True)
    except (*ERRORS, ValueError, RuntimeError) as error:
        raise _damaged(folder, error) from None
    order = "rows in the table's current order, where an updated row stands last"
    return table_of(table, folder.name, f"Lance, version {dataset.version}, {order}")


def _numbers(kind: Any) -> int:
    """Numbers a row of a column of this type, as far as the type tells."""
    return int(getattr(kind, "list_size", 1))


def _one_table(path: Path) -> Path:
    if _is_table(path):
        return path
    found = _tables(path)
    if len(found) > 1:
        names = listed([each.name for each in found])
        raise InputError(f"{path.name} holds {len(found):,} tables: {names}; name one of these folders")
    return found[0]


def _library(folder: Path) -> Any:
    try:
        import lance
    except ImportError:
        install = next(form.install for form in FORMATS if form.key == "lance")
        raise InputError(
            f"{folder.name}: reading a Lance table needs pylance; install it with: {install}, or save the table as "
            "parquet (in LanceDB: pyarrow.parquet.write_table(table.to_arrow(), 'NAME.parquet'))"
        ) from None
    return lance


def _damaged(folder: Path, error: Exception) -> InputError:
    return InputError(f"{folder.name} is damaged or not a Lance table ({short(error)}); copy it again")


READERS = {"lance": Reader(_read, finds=_is_lance)}
