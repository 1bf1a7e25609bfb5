"""Feather files of version 1, which pyarrow reads without checking them: read in a process of their own.

A damaged one ends that process, and not the one that serves a page.
"""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from skmm_core.errors import InputError

MARK = b"FEA1"
_SECONDS = 300
_CONVERT = """
import sys, warnings
warnings.simplefilter("ignore")
import pyarrow as pa, pyarrow.feather as feather
table = feather.read_table(sys.argv[1], use_threads=False)
table.validate(full=True)
with pa.ipc.new_file(sys.argv[2], table.schema) as out:
    out.write_table(table)
"""


@contextlib.contextmanager
def as_arrow_file(path: Path) -> Iterator[Path]:
    """The same table as an Arrow file, while the block lasts.

    Raises:
        InputError: it is damaged.
    """
    with tempfile.TemporaryDirectory(prefix="skmm-") as folder:
        made = Path(folder) / "table.arrow"
        try:
            subprocess.run(
                [sys.executable, "-c", _CONVERT, str(path.resolve()), str(made)],
                check=True,
                capture_output=True,
                timeout=_SECONDS,
            )
        except (OSError, subprocess.SubprocessError):
            raise InputError(
                f"{path.name} is truncated or not a feather file; copy it again, or save it again as parquet"
            ) from None
        yield made
