"""A run as one zip file, to carry it to another machine: packed, and checked before it is taken in.

A bundle may come from a stranger. Only plain files with the names of a run folder are taken, in bounded size; nothing
is unpickled; the config must hash to the id it claims; the report, which is a web page, is left out and made anew from
the data by whoever asks for the import.
"""

import json
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from skmm_core.config import RunConfig
from skmm_core.errors import InputError
from skmm_core.runs.files import CARD, CONFIG, LOG, REPORT, RESULT, RUN_FILES, RunCard, first_problem, read_result
from skmm_core.runs.record import run_id
from skmm_core.storage import write_file

_LARGEST_FILE, _LARGEST_BUNDLE = 1 << 30, 2 << 30  # bytes
_LARGEST_RATIO, _SMALL = 200, 1 << 20  # text of a run packs about tenfold; deflate could reach a thousandfold
_CHUNK = 1 << 20
# Makes the report of a folder from its config and result; it fails when the files do not fit together.
WriteReport = Callable[[Path, RunConfig, Mapping[str, Any]], object]


def pack(folder: Path, path: Path) -> None:
    """Write the files of a run folder to a zip file, in one step.

    Raises:
        InputError: the zip file cannot be written.
    """

    def write(temporary: Path) -> None:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in RUN_FILES:
                if (folder / name).is_file():
                    archive.write(folder / name, name)

    try:
        write_file(path, write)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None


@contextmanager
def unpacked(path: Path, home: Path, write_report: WriteReport) -> Iterator[tuple[Path, RunCard, RunConfig]]:
    """Unpack a bundle into a temporary folder under `home` and check it.

    Args:
        path: the zip file.
        home: of the run store.
        write_report: makes the report of a finished run anew.

    Yields:
        The folder (the caller may move it away), its card and its config.

    Raises:
        InputError: the file is no bundle, or is not safe to take.
    """
    folder = Path(tempfile.mkdtemp(prefix=".import-", dir=home))
    folder.chmod(0o755)
    try:
        _extract(path, folder)
        card, config = _identity(path, folder)
        _check_contents(path, folder)
        if (folder / RESULT).exists():
            _check_result(path, folder, card, config, write_report)
        yield folder, card, config
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _extract(path: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_members(path, members)
            for member in members:
                if member.filename != REPORT:
                    _copy(archive, member, folder / member.filename)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist") from None
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path} is not a run bundle: {reason}") from None


def _check_members(path: Path, members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename for member in members]
    for member in members:
        if member.filename not in RUN_FILES:
            raise InputError(f"{path} is not a run bundle: it holds {member.filename[:80]!r}, which no run has")
        if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
            raise InputError(f"{path} is refused: {member.filename} in it is not a plain file")
        if member.file_size > min(_LARGEST_FILE, max(_SMALL, _LARGEST_RATIO * member.compress_size)):
            raise InputError(f"{path} is refused: {member.filename} in it unpacks to {member.file_size:,} bytes")
    if len(set(names)) != len(names):
        raise InputError(f"{path} is refused: it holds one name twice")
    if sum(member.file_size for member in members) > _LARGEST_BUNDLE:
        raise InputError(f"{path} is refused: it unpacks to more than {_LARGEST_BUNDLE >> 30} GiB")
    if missing := [name for name in (CONFIG, CARD) if name not in names]:
        raise InputError(f"{path} is not a run bundle: it has no {missing[0]}")


def _copy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    """Copy one member, never more bytes than its header says (zipfile then finds a wrong checksum or size)."""
    left = member.file_size
    with archive.open(member) as source, target.open("wb") as file:
        while chunk := source.read(min(_CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                raise zipfile.BadZipFile(f"{member.filename} is larger than it says")
            file.write(chunk)


def _identity(path: Path, folder: Path) -> tuple[RunCard, RunConfig]:
    try:
        card = RunCard.model_validate_json((folder / CARD).read_bytes())
        config = RunConfig.stored((folder / CONFIG).read_bytes())
    except ValidationError as error:
        raise InputError(f"{path} is not a run bundle: {first_problem(error)}") from None
    if card.id != run_id(config, card.fingerprint):
        raise InputError(f"{path} is refused: its config does not belong to run {card.id[:12]!r}")
    return card, config


def _check_contents(path: Path, folder: Path) -> None:
    """Read every file once, so that a page never meets a damaged one."""
    for file in sorted(folder.iterdir()):
        try:
            _check_file(file)
        except (ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(f"{path} is refused: {file.name} in it cannot be read: {reason}") from None


def _check_result(path: Path, folder: Path, card: RunCard, config: RunConfig, write_report: WriteReport) -> None:
    """Check that the result is the config's; the report is made anew, which also shows that the files fit together."""
    result = read_result(folder)
    if result.get("fingerprint") != card.fingerprint or result.get("kind") != config.job.kind:
        raise InputError(f"{path} is refused: its result belongs to another config or other data")
    try:
        write_report(folder, config, result)
    except Exception as error:  # whatever a made-up result breaks in the report, a page would meet next
        raise InputError(f"{path} is refused: its results do not fit together ({type(error).__name__})") from None


def _check_file(file: Path) -> None:
    if file.suffix == ".parquet":
        import pyarrow.parquet

        pyarrow.parquet.read_table(file)
    elif file.suffix in (".npz", ".npy"):
        import numpy as np

        loaded = np.load(file, allow_pickle=False)
        if file.suffix == ".npz":
            with loaded:
                for name in loaded.files:
                    loaded[name]
    elif file.name == LOG or file.suffix == ".csv":
        file.read_text(encoding="utf-8")
    elif not isinstance(json.loads(file.read_bytes()), dict):
        raise ValueError("not a JSON object")
