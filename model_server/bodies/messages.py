"""What an Arrow stream would unpack to, read from the messages before any of them is unpacked."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from model_server.errors import BadRequest

# Slots of the tables in Arrow's Message.fbs.
_HEADER = 2
_LENGTH, _BUFFERS, _COMPRESSION = 0, 2, 3
_DATA = 1
_DICTIONARY, _BATCH = "dictionary", "record batch"


def unpacked(body: bytes, columns: int) -> int:
    """The bytes that a stream unpacks to, rows at 8 bytes for each of *columns*; raises ValueError or BadRequest.

    Each batch counts its dictionaries anew, since it looks through them.
    """
    total = dictionaries = 0
    for kind, flat, content in _messages(body):
        if kind not in (_DICTIONARY, _BATCH):
            continue
        try:
            table = _table(flat, struct.unpack_from("<I", flat, 0)[0], _HEADER)
            batch = _table(flat, table, _DATA) if kind == _DICTIONARY else table
            rows = _number(flat, batch, _LENGTH, "<q")
            size = _buffers(flat, batch, content)
        except (struct.error, IndexError) as error:
            raise ValueError("a message cannot be read") from error
        if rows < 0:
            raise ValueError(f"a message has {rows} rows")
        if kind == _DICTIONARY:
            dictionaries += size + rows * 8
            total += size
        else:
            total += size + rows * columns * 8 + dictionaries
    return total


def _messages(body: bytes) -> Iterator[tuple[str, bytes, Any]]:
    import pyarrow as pa  # noqa: PLC0415  other formats do without

    # Its own iterator ends in silence where a message is broken.
    reader = pa.ipc.MessageReader.open_stream(pa.BufferReader(body))
    while True:
        try:
            message = reader.read_next_message()
        except StopIteration:
            return
        yield message.type, bytes(message.metadata), message.body


def _buffers(flat: bytes, batch: int, content: Any) -> int:
    """The bytes of a batch's buffers, as their own first eight say where they are compressed."""
    at = _field(flat, batch, _BUFFERS)
    if not at:
        return 0
    vector = at + struct.unpack_from("<I", flat, at)[0]
    (count,) = struct.unpack_from("<I", flat, vector)
    spans = struct.iter_unpack("<qq", flat[vector + 4 : vector + 4 + 16 * count])
    packed = bool(_field(flat, batch, _COMPRESSION))
    return sum(_size(content, start, length, packed=packed) for start, length in spans)


def _size(content: Any, start: int, length: int, *, packed: bool) -> int:
    if start < 0 or length < 0 or start + length > (content.size if content else 0):
        raise BadRequest("malformed", "the body is not an Arrow stream: a buffer lies outside of its message")
    if not packed or length < 8:
        return length
    (size,) = struct.unpack("<q", content.slice(start, 8).to_pybytes())
    return length if size == -1 else max(size, 0)


def _field(flat: bytes, table: int, slot: int) -> int:
    """Where a table of a flatbuffer has a field; 0 where it has none."""
    vtable = table - struct.unpack_from("<i", flat, table)[0]
    place = 4 + 2 * slot
    if vtable < 0 or place >= struct.unpack_from("<H", flat, vtable)[0]:
        return 0
    offset = struct.unpack_from("<H", flat, vtable + place)[0]
    return table + offset if offset else 0


def _table(flat: bytes, table: int, slot: int) -> int:
    at = _field(flat, table, slot)
    if not at:
        raise ValueError("a message has no batch")
    return at + struct.unpack_from("<I", flat, at)[0]


def _number(flat: bytes, table: int, slot: int, form: str) -> int:
    at = _field(flat, table, slot)
    return struct.unpack_from(form, flat, at)[0] if at else 0
