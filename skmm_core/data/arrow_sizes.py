"""What packed columns of an Arrow file unpack to, read from its messages before anything is unpacked.

pyarrow takes the memory that every packed buffer declares; a small file may declare far more than it holds. The layout
of messages is that of Message.fbs of Apache Arrow, in the encoding of FlatBuffers.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

_MAGIC = b"ARROW1"
_DICTIONARIES, _BATCHES = 2, 3  # fields of Footer, each a list of Block
_BLOCK = 24  # bytes of a Block; the first eight are where its message starts
_DICTIONARY, _RECORDS = 2, 3  # MessageHeader
ERRORS = (struct.error, IndexError, EOFError)


def unpacked_bytes(path: Path) -> int:
    """Bytes that all buffers of a file or stream take in memory.

    Raises:
        pa.ArrowInvalid, OSError, or one of ERRORS: it is damaged.
    """
    with pa.memory_map(str(path)) as source:
        in_file = source.read(len(_MAGIC)) == _MAGIC
        messages = _in_file(source) if in_file else _in_stream(source)
        return sum(_message_bytes(message.metadata.to_pybytes(), message.body) for message in messages)


def _in_stream(source: pa.NativeFile) -> Iterator[pa.ipc.Message]:
    source.seek(0)
    messages = pa.ipc.MessageReader.open_stream(source)
    while True:
        try:
            yield messages.read_next_message()
        except StopIteration:
            return


def _in_file(source: pa.NativeFile) -> Iterator[pa.ipc.Message]:
    """Messages that the footer lists; polars writes the first one without its size, so a file is read as no stream."""
    tail = len(_MAGIC) + 4
    source.seek(source.size() - tail)
    length = struct.unpack("<i", source.read(4))[0]
    if not 0 < length <= source.size() - tail:
        raise pa.ArrowInvalid("no footer")
    source.seek(source.size() - tail - length)
    footer = source.read(length)
    table = _follow(footer, 0)
    for field in (_DICTIONARIES, _BATCHES):
        place = _field(footer, table, field)
        vector = _follow(footer, place) if place else 0
        for number in range(struct.unpack_from("<I", footer, vector)[0] if vector else 0):
            source.seek(struct.unpack_from("<q", footer, vector + 4 + _BLOCK * number)[0])
            yield pa.ipc.read_message(source)


def _message_bytes(metadata: bytes, body: pa.Buffer | None) -> int:
    message = _follow(metadata, 0)
    kind, header = _field(metadata, message, 1), _field(metadata, message, 2)
    if body is None or not kind or not header or metadata[kind] not in (_DICTIONARY, _RECORDS):
        return 0
    batch = _follow(metadata, header)
    if metadata[kind] == _DICTIONARY:
        batch = _follow(metadata, _field(metadata, batch, 1))
    buffers = _field(metadata, batch, 2)
    if not buffers:
        return 0
    vector = _follow(metadata, buffers)
    packed = bool(_field(metadata, batch, 3))
    total = 0
    for number in range(struct.unpack_from("<I", metadata, vector)[0]):
        offset, length = struct.unpack_from("<qq", metadata, vector + 4 + 16 * number)
        declared = struct.unpack_from("<q", body, offset)[0] if packed and length >= 8 else -1
        total += length if declared < 0 else declared  # -1: this buffer is not packed
    return total


def _follow(data: bytes, place: int) -> int:
    """Where the offset at a place points."""
    return place + int(struct.unpack_from("<I", data, place)[0])


def _field(data: bytes, table: int, number: int) -> int:
    """Place of a field of a table; 0 where it has none."""
    listing = table - int(struct.unpack_from("<i", data, table)[0])
    size = struct.unpack_from("<H", data, listing)[0]
    at = 4 + 2 * number
    offset = int(struct.unpack_from("<H", data, listing + at)[0]) if at < size else 0
    return table + offset if offset else 0
