"""What packed columns of an Arrow file unpack to, read from its messages before anything is unpacked.

pyarrow takes the memory that every packed buffer declares; a small file may declare far more than it holds. The layout
of messages is that of Message.fbs and File.fbs of Apache Arrow, in the encoding of FlatBuffers.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

_MAGIC = b"ARROW1"
_TAIL = 4 + len(_MAGIC)  # length of the footer, and the magic again
_BLOCK = 24  # bytes of Block in File.fbs
_DICTIONARY, _RECORDS = 2, 3  # MessageHeader
ERRORS = (struct.error, IndexError, EOFError)


def unpacked_bytes(path: Path) -> int:
    """Bytes that all buffers of a file or stream take in memory.

    Raises:
        pa.ArrowInvalid, OSError, or one of ERRORS: it is damaged.
    """
    with pa.memory_map(str(path)) as source:
        is_file = source.read(len(_MAGIC)) == _MAGIC
        source.seek(0)
        messages = _of_file(source) if is_file else _of_stream(source)
        return sum(_message_bytes(message.metadata.to_pybytes(), message.body) for message in messages)


def _of_stream(source: pa.NativeFile) -> Iterator[pa.Message]:
    messages = pa.ipc.MessageReader.open_stream(source)
    while True:
        try:
            yield messages.read_next_message()
        except StopIteration:
            return


def _of_file(source: pa.NativeFile) -> Iterator[pa.Message]:
    """Messages that the footer lists, as readers take them.

    What lies before them need not be a stream: polars writes no length before the schema.
    """
    size = source.size()
    source.seek(max(0, size - _TAIL))
    length = struct.unpack_from("<i", source.read(4))[0]
    if not 0 < length <= size - _TAIL:
        raise IndexError("the footer is longer than the file")
    source.seek(size - _TAIL - length)
    footer = source.read(length)
    table = _follow(footer, 0)
    for number in (2, 3):  # dictionaries, then records
        place = _field(footer, table, number)
        if not place:
            continue
        vector = _follow(footer, place)
        for block in range(struct.unpack_from("<I", footer, vector)[0]):
            start = struct.unpack_from("<q", footer, vector + 4 + _BLOCK * block)[0]
            if not 0 <= start < size:
                raise IndexError("a block lies outside of the file")
            source.seek(start)
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
