"""Packed text files (gz, zst, bz2), unpacked to a temporary file that may not grow beyond the limit."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from skmm_core.data.file_limits import max_megabytes
from skmm_core.data.formats import packing_of
from skmm_core.data.table_file import short
from skmm_core.errors import InputError

_CODECS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}
_BLOCK = 1 << 22


@contextlib.contextmanager
def plain_file(path: Path) -> Iterator[Path]:
    """The file itself, or what is packed in it, while the block lasts.

    Raises:
        InputError: it is damaged, or unpacks to more than may be read.
    """
    packing = packing_of(path)
    if packing is None:
        yield path
        return
    limit = max_megabytes()
    with tempfile.TemporaryDirectory(prefix="skmm-") as folder:
        plain = Path(folder) / path.name.removesuffix(path.suffix)
        try:
            with pa.input_stream(str(path), compression=_CODECS[packing]) as packed, plain.open("wb") as out:
                size = 0
                while block := packed.read(_BLOCK):
                    size += len(block)
                    if size > limit << 20:
                        raise InputError(
                            f"{path.name} unpacks to more than the limit of {limit:,} MB; keep fewer rows or columns, "
                            "or raise SKMM_MAX_FILE_MB"
                        )
                    out.write(block)
        except (pa.ArrowException, OSError, EOFError) as error:
            raise InputError(
                f"{path.name} is truncated or not a {packing} file ({short(error)}); copy it again, or pack it again"
            ) from None
        if not size:
            raise InputError(f"{path.name} holds an empty file; save it again")
        yield plain
