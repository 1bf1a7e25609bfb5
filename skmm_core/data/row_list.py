"""Lists of rows of the input file, as people write them: "3,8-12", or a file.

Nothing here imports torch, and numpy for files alone; the command line and the printed command read and write rows
through here.
"""

from collections.abc import Iterable
from pathlib import Path

from skmm_core.errors import InputError

_SUFFIXES = (".npy", ".csv", ".txt")
_MOST = 10_000_000


def row_text(rows: Iterable[int]) -> str:
    """Distinct rows, ascending, runs of three or more joined: (3, 8, 9, 10) → "3,8-10"."""
    parts: list[list[int]] = []
    for row in sorted(set(rows)):
        if parts and row == parts[-1][1] + 1:
            parts[-1][1] = row
        else:
            parts.append([row, row])
    return ",".join(
        str(low) if low == high else f"{low}-{high}" if high - low > 1 else f"{low},{high}" for low, high in parts
    )


def read_rows(flag: str, text: str) -> tuple[int, ...]:
    """Read what :func:`row_text` writes, or a file that holds rows.

    Args:
        flag: that the text belongs to, for messages.
        text: rows and ranges with commas between; or an npy file of whole numbers, a csv file with a column `row` (such
            as a selection's) or one column, or a txt file of one row a line.

    Raises:
        InputError: it is neither; the message shows what to write.
    """
    if text.lower().endswith(_SUFFIXES):
        return _from_file(flag, Path(text).expanduser())
    rows: list[int] = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        low, dash, high = word.partition("-")
        if not low.isdecimal() or (dash and not high.isdecimal()) or (dash and int(high) < int(low)):
            raise InputError(f"{flag}: {word!r} is no row or range; write for example {flag} 3,8-12, or name a file")
        if int(high or low) - int(low) > _MOST:
            raise InputError(f"{flag}: {word!r} names over {_MOST:,} rows; name fewer")
        rows += range(int(low), int(high or low) + 1)
    return tuple(rows)


def _from_file(flag: str, path: Path) -> tuple[int, ...]:
    import numpy as np

    try:
        if path.suffix.lower() == ".npy":
            values = np.load(path, allow_pickle=False)
        elif path.suffix.lower() == ".txt":
            values = np.loadtxt(path, dtype=np.float64, ndmin=1)
        else:
            import pandas as pd

            table = pd.read_csv(path)
            values = (table["row"] if "row" in table else table.iloc[:, 0]).to_numpy()
        numbers = np.asarray(values, dtype=np.float64).ravel()
    except FileNotFoundError:
        raise InputError(f"{flag}: {path} was not found; name a file of rows, or write for example 3,8-12") from None
    except (OSError, ValueError, IndexError, TypeError) as error:
        raise InputError(f"{flag}: {path.name} cannot be read as rows: {str(error).splitlines()[0][:120]}") from None
    if not np.isfinite(numbers).all() or (numbers < 0).any() or (numbers != np.floor(numbers)).any():
        raise InputError(f"{flag}: {path.name} holds values that are no rows; rows are whole numbers from 0")
    return tuple(int(number) for number in numbers)
