"""What packed columns of an Arrow file unpack to, read from its messages before anything is unpacked.

pyarrow takes the memory that every packed buffer declares; a small file may declare far more than it holds. The layout
of messages is that of Message.fbs of Apache Arrow, in the encoding of FlatBuffers.
"""

import struct
from pathlib import Path

import pyarrow as pa

_MAGIC = b"ARROW1"
_FILE_START = 8  # magic and padding, then the same messages as in a stream
_DICTIONARY, _RECORDS = 2, 3  # MessageHeader
ERRORS = (struct.error, IndexError)


def unpacked_bytes(path: Path) -> int:
    """Bytes that all buffers of a file or stream take in memory.

    Raises:
        pa.ArrowInvalid, OSError, or one of ERRORS: it is damaged.
    """
    total = 0
    with pa.memory_map(str(path)) as source:
        start = _FILE_START if source.read(len(_MAGIC)) == _MAGIC else 0
        source.seek(start)
        messages = pa.ipc.MessageReader.open_stream(source)
        while True:
            try:
                message = messages.read_next_message()
            except StopIteration:
                return total
            total += _message_bytes(message.metadata.to_pybytes(), message.body)


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
