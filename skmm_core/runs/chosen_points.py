"""The chosen points of a run as a plain table for people and other programs."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

OF_FILE = " (file)"  # behind the name of a column of the upload that is a name of ours too
_ONLY_PARQUET = ("position", "target", "label")


def as_csv(chosen: "pd.DataFrame") -> "pd.DataFrame":
    """The table of a selection as its csv file has it.

    Args:
        chosen: of `selection.parquet`, all or some rows of it.

    Returns:
        Columns order, id, row, weight, score, batch, text where there are texts, and those of the upload under their
        own names, where these are none of the former.
    """
    plain = chosen.drop(columns=[name for name in _ONLY_PARQUET if name in chosen])
    names = {name: name.removesuffix(OF_FILE) for name in map(str, plain) if name.endswith(OF_FILE)}
    return plain.rename(columns={name: short for name, short in names.items() if short not in plain})
