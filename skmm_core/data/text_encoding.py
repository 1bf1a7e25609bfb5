"""Encodings of text files: UTF-8 is read, UTF-16 and UTF-32 where the file says so, others are only shown."""

import codecs
import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from skmm_core.errors import InputError

# Marks at the start of a file; that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHERS = {"GB18030": "gb18030", "Shift-JIS": "cp932", "EUC-KR": "cp949", "Windows-1252": "cp1252"}
_BLOCK = 1 << 20
_SHOWN = 24
_SAMPLE_LINES = 1000


@contextlib.contextmanager
def utf8_file(path: Path, where: str) -> Iterator[tuple[Path, str | None]]:
    """The file itself, or the same text in UTF-8, while the block lasts; and the encoding if it is another.

    Args:
        path: of a plain file.
        where: name for messages.

    Raises:
        InputError: the file is damaged text of the encoding that its first bytes state.
    """
    with path.open("rb") as file:
        start = file.read(4)
    encoding = next((name for mark, name in _MARKS if start.startswith(mark)), None)
    if encoding is None:
        yield path, None
        return
    with tempfile.TemporaryDirectory(prefix="skmm-") as folder:
        found = Path(folder) / path.name
        try:
            with (
                path.open(encoding=encoding, newline="") as source,
                found.open("w", encoding="utf-8", newline="") as out,
            ):
                shutil.copyfileobj(source, out, _BLOCK)
        except UnicodeError:
            raise InputError(
                f"{where} begins as {encoding.upper()} text but is none; save it with the encoding UTF-8"
            ) from None
        yield found, encoding.upper()


def not_utf8(path: Path, where: str) -> InputError | None:
    """What to say of a file that is not UTF-8: the first such line, and what it says in encodings that fit.

    Which of them is meant is for a person to see: nearly all bytes are text in each, but another text.

    Args:
        path: of a plain file.
        where: name for messages.

    Returns:
        None where the file is UTF-8.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                rest = [line, *(more for _, more in zip(range(_SAMPLE_LINES), file, strict=False))]
                return InputError(f"{where}: line {number} is not UTF-8 text{_readings(rest)}")
    return None


def _readings(lines: list[bytes]) -> str:
    """What the first of lines says in each encoding that fits all of them, and how to save the file."""
    fitting = {}
    for name, codec in _OTHERS.items():
        with contextlib.suppress(UnicodeDecodeError):
            text = b"".join(lines).decode(codec).splitlines()[0]
            odd = next((place for place, sign in enumerate(text) if ord(sign) > 127), 0)
            fitting[name] = text[max(0, odd - 4) : odd + _SHOWN].strip()
    if not fitting:
        return "; save the file with the encoding UTF-8 (in Excel: CSV UTF-8)"
    told = ", ".join(f"in {name} {text!r}" for name, text in fitting.items())
    shell = f"iconv -f {_OTHERS[next(iter(fitting))].upper()} -t UTF-8 OLD > NEW"
    return (
        f"; it reads {told}; save the file with the encoding UTF-8 (in Excel: CSV UTF-8; in a shell, such as {shell})"
    )
