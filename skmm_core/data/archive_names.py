"""Names in a zip file: what the archive says of them, else the code page in which they read best.

A zip says of a name that it is UTF-8 (flag, or the Unicode path field 0x7075 of Info-ZIP, APPNOTE 4.6.9), or it says
nothing. Then the bytes are UTF-8 all the same, as many programs write it, or in the code page of the Windows that made
the archive. All names are judged together: each code page is a simple model of which signs are common in it, and the
one under which the bytes are most likely is taken.
"""

import math
import re
import struct
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from zipfile import ZipInfo

from skmm_core.data.skipped import counted

_UTF8_FLAG = 0x800
_UNICODE_PATH = 0x7075
_UNIX = (3, 19)  # makers of archives that write UTF-8; the others write the code page of their machine
_UNREADABLE = -40.0  # log likelihood of a byte that a code page does not have
_MOST_JUDGED = 300  # parts of names; more say nothing new
_LONGEST_JUDGED = 200  # bytes; a longer part is refused anyway
_LETTER = re.compile(r"[A-Za-z]")
_ASCII_SIGN = re.compile(r"[@\[\\\]^`{|}~]")


@dataclass(frozen=True)
class Names:
    """Names of members.

    Attributes:
        names: of each member, in the order of the table of contents; not yet checked for being harmless.
        notes: what a person should know of how they were read.
    """

    names: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _CodePage:
    """A model of names in one code page.

    Attributes:
        codec: as Python calls it.
        title: for people.
        prior: log of how common such archives are, relative to the first.
        ascii_share: share of ASCII letters among all signs.
        sign: log likelihood of a sign beyond ASCII, given it and its bytes.
    """

    codec: str
    title: str
    prior: float
    ascii_share: float
    sign: Callable[[str, bytes], float]


def read_names(infos: Sequence[ZipInfo]) -> Names:
    """Decode the names of all members.

    Args:
        infos: the table of contents.
    """
    told = [_told(info) for info in infos]
    raw = [b"" if name is not None else _raw(info) for name, info in zip(told, infos, strict=True)]
    unmarked = [name for name in raw if not name.isascii()]
    if not unmarked:
        names = [name if name is not None else info.orig_filename for name, info in zip(told, infos, strict=True)]
        return Names(tuple(names), ())
    makers = {info.create_system for info, name in zip(infos, raw, strict=True) if not name.isascii()}
    judged = _judged(unmarked)
    if all(map(_is_utf8, judged)) and (makers.issubset(_UNIX) or any(map(_looks_like_utf8, judged))):
        return Names(tuple(_filled(told, [_decoded(name, "utf-8") for name in raw])), ())
    page = max(_PAGES, key=lambda page: page.prior + sum(_likelihood(page, part) for part in judged))
    count = counted(len(unmarked), "name", "names")
    note = (
        f"{count} in the zip file without the mark of UTF-8: read as {page.title}. If they look wrong, pack it again "
        "with UTF-8 names."
    )
    return Names(tuple(_filled(told, [_decoded(name, page.codec) for name in raw])), (note,))


def _filled(told: Iterable[str | None], read: Iterable[str]) -> Iterable[str]:
    return (name if name is not None else other for name, other in zip(told, read, strict=True))


def _told(info: ZipInfo) -> str | None:
    """The name as the archive says it is, or None when it does not say in which encoding it is."""
    if info.flag_bits & _UTF8_FLAG:
        return info.orig_filename
    raw, extra, start = _raw(info), info.extra, 0
    while start + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, start)
        start += 4 + size
        if kind != _UNICODE_PATH:
            continue
        # The field holds a checksum of the plain name, so that it is void where a program renamed the member.
        field = extra[start - size : start]
        if field[:5] == b"\1" + struct.pack("<L", zlib.crc32(raw)) and _is_utf8(field[5:]):
            return field[5:].decode()
    return None


def _raw(info: ZipInfo) -> bytes:
    """The bytes of a name without the flag, which zipfile takes for code page 437."""
    return info.orig_filename.encode("cp437")


def _judged(names: Iterable[bytes]) -> list[bytes]:
    """Distinct parts of names beyond ASCII, without the ending of the file."""
    parts: dict[bytes, None] = {}
    for name in names:
        folders, _, last = name.rpartition(b"/")
        stem = last.rpartition(b".")[0] or last
        own = (part for part in (*folders.split(b"/"), stem) if not part.isascii() and len(part) <= _LONGEST_JUDGED)
        parts |= dict.fromkeys(own)
        if len(parts) >= _MOST_JUDGED:
            break
    return list(parts)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _looks_like_utf8(raw: bytes) -> bool:
    """Whether bytes that are valid UTF-8 are so hardly by chance: a long sequence, several, or one beside a letter.

    Two bytes of a Chinese sign alone may be the UTF-8 of a Latin letter.
    """
    text = raw.decode()
    beyond = [mark for mark in text if not mark.isascii()]
    return len(beyond) > 1 or any(ord(mark) > 0x7FF for mark in beyond) or bool(_LETTER.search(text))


def _decoded(raw: bytes, codec: str) -> str:
    """The name, each part as UTF-8 where it can hardly be anything else: another program may have added to the zip."""
    parts = []
    for part in raw.split(b"/"):  # "/" is the second byte of no sign
        if _is_utf8(part) and (part.isascii() or _surely_utf8(part)):
            parts.append(part.decode())
            continue
        try:
            parts.append(part.decode(codec))
        except UnicodeDecodeError:
            parts.append(part.decode("cp437"))
    return "/".join(parts)


def _surely_utf8(raw: bytes) -> bool:
    return sum(ord(mark) > 0x7FF for mark in raw.decode()) > 0 or sum(mark > 0x7F for mark in raw) > 4


def _likelihood(page: _CodePage, raw: bytes) -> float:
    """Log likelihood of a part of a name."""
    try:
        text = raw.decode(page.codec)
    except UnicodeDecodeError:
        return _UNREADABLE * sum(byte > 0x7F for byte in raw)
    letters = len(_LETTER.findall(text)) * math.log(page.ascii_share / 52)
    signs = len(_ASCII_SIGN.findall(text)) * math.log(0.005 / 14)
    return letters + signs + sum(page.sign(mark, mark.encode(page.codec)) for mark in text if not mark.isascii())


def _share(share: float, count: int) -> float:
    return math.log(share / count)


def _gbk(mark: str, raw: bytes) -> float:
    if len(raw) < 2 or raw[1] < 0xA1 or not 0xA1 <= raw[0] <= 0xF7:
        return _share(0.02, 18_000)
    if raw[0] < 0xB0:
        return _share(0.03, 700)  # punctuation, wide letters
    return _share(0.9, 3755) if raw[0] <= 0xD7 else _share(0.05, 3008)  # levels 1 and 2 of GB 2312


def _shift_jis(mark: str, raw: bytes) -> float:
    if "\u3041" <= mark <= "\u30ff":
        return _share(0.5, 170)
    if len(raw) == 1:
        return _share(0.005, 63)  # katakana of half width
    return _share(0.45, 2965) if b"\x88\x9f" <= raw <= b"\x98\x72" else _share(0.05, 4000)


def _big5(mark: str, raw: bytes) -> float:
    return _share(0.95, 5401) if 0xA4 <= raw[0] <= 0xC6 else _share(0.05, 8000)


def _korean(mark: str, raw: bytes) -> float:
    hangul = len(raw) == 2 and 0xB0 <= raw[0] <= 0xC8 and raw[1] >= 0xA1
    return _share(0.95, 2350) if hangul else _share(0.05, 15_000)


def _russian(mark: str, raw: bytes) -> float:
    return _share(0.9, 66) if "\u0400" <= mark <= "\u045f" else _share(0.001, 60)


def _western(mark: str, raw: bytes) -> float:
    if not unicodedata.name(mark, "").startswith("LATIN"):
        return _share(0.0005, 60)
    return _share(0.05, 30) if mark.islower() else _share(0.01, 30)


_PAGES = (
    _CodePage("gbk", "GBK (Chinese)", 0.0, 0.15, _gbk),
    _CodePage("cp932", "Shift-JIS (Japanese)", -1.0, 0.15, _shift_jis),
    _CodePage("cp437", "code page 437 (Western European)", 0.0, 0.95, _western),
    _CodePage("cp850", "code page 850 (Western European)", -1.0, 0.95, _western),
    _CodePage("cp1252", "Windows-1252 (Western European)", -2.0, 0.95, _western),
    _CodePage("cp950", "Big5 (Chinese)", -2.0, 0.15, _big5),
    _CodePage("cp949", "code page 949 (Korean)", -4.0, 0.15, _korean),
    _CodePage("cp866", "code page 866 (Russian)", -3.0, 0.1, _russian),
)
