"""What a Parquet file would unpack to, read from the headers of its pages before any of them is unpacked.

The footer's sizes are only told; the reader makes room for what the header of each page says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from model_server.errors import TooLarge

FOOTER_BYTES = 1024 * 1024
"""A footer that says little of many columns takes a hundred times its size."""
PAGES_BYTES = 1024 * 1024
"""Of the headers of all pages together, but never more than the file: several columns can claim the same pages."""
_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
_PREFIXED = 7
"""The encoding of texts by what they share with the one before: a few bytes can stand for any number of long texts."""
_PADDING = 100  # old writers left so much out of a column's size
_DEEPEST = 16
# Fields of parquet.thrift, by their numbers.
_GROUPS, _COLUMNS, _ROWS, _ABOUT = 4, 1, 3, 3
_PATH, _VALUES, _SIZE, _DATA_AT, _DICTIONARY_AT = 3, 5, 7, 9, 11

Header = dict[int, Any]
Bytes = bytes | memoryview


def unpacked(body: bytes, names: Sequence[str], batch_rows: int) -> int:
    """The bytes that the columns *names* unpack to, rows at 8 bytes a value; raises ValueError or TooLarge."""
    try:
        pages = _Pages(body)
        return sum(_of_group(pages, group, names, batch_rows) for group in _footer(body).get(_GROUPS, ()))
    except (IndexError, KeyError, TypeError, AttributeError) as error:
        raise ValueError("its footer or the header of a page cannot be read") from error


def _footer(body: bytes) -> Header:
    # pyarrow ends the process where statistics of a column contradict each other, so it is not asked.
    length = int.from_bytes(body[-8:-4], "little")
    if length > FOOTER_BYTES:
        raise TooLarge("too_large", f"the Parquet footer has {length} bytes; at most {FOOTER_BYTES} are read")
    return _struct(body, len(body) - 8 - length, 0)[0]


def _of_group(pages: _Pages, group: Header, names: Sequence[str], batch_rows: int) -> int:
    rows = group[_ROWS]
    if rows < 0:
        raise ValueError(f"a row group has {rows} rows")
    columns = [column[_ABOUT] for column in group[_COLUMNS]]
    wanted = {name.encode() for name in names}
    read = (_of_column(pages, column, 1 + rows // batch_rows) for column in columns if column[_PATH][0] in wanted)
    return rows * len(names) * 8 + sum(read)


def _of_column(pages: _Pages, column: Header, batches: int) -> int:
    total = 0
    for header in pages.of(column):
        size = header[2]
        if header.get(1) == _DICTIONARY:
            if not 0 <= header[7][1] <= max(size, 0):
                raise ValueError("a dictionary has more entries than bytes")
            size *= batches  # each batch looks through it
        elif _encoding(header) == _PREFIXED:
            raise ValueError("texts are written as DELTA_BYTE_ARRAY; write them plain or with a dictionary")
        total += size
    return total


def _encoding(header: Header) -> int:
    return header[8][4] if header.get(1) == _DATA_V2 else header[5][2] if header.get(1) == _DATA else 0


class _Pages:
    """The headers of a file's pages, until those that were read have more than PAGES_BYTES."""

    def __init__(self, body: bytes) -> None:
        self._body = memoryview(body)
        self._left = min(PAGES_BYTES, len(body))

    def of(self, column: Header) -> Iterator[Header]:
        """Those that the reader will meet in *column*; raises TooLarge."""
        position = column[_DATA_AT]
        if 0 < column.get(_DICTIONARY_AT, 0) < position:
            position = column[_DICTIONARY_AT]
        if position < 0:
            raise ValueError("a column begins before the file")
        end = min(len(self._body), position + column[_SIZE] + _PADDING)
        values = 0
        while values < column[_VALUES] and position < end:
            header, length = self._read(position)
            values += header[8][1] if header.get(1) == _DATA_V2 else header[5][1] if header.get(1) == _DATA else 0
            if header[2] < 0 or header[3] < 0:
                raise ValueError("a page has a negative size")
            position += length + header[3]
            yield header

    def _read(self, position: int) -> tuple[Header, int]:
        window = self._body[position : position + self._left]
        try:
            header, length = _struct(window, 0, 0)
        except IndexError:
            if len(window) < self._left:
                raise
            sentence = f"the headers of its pages have more than {PAGES_BYTES} bytes; write larger pages"
            raise TooLarge("too_large", sentence) from None
        self._left -= length
        return header, length


def _struct(body: Bytes, at: int, depth: int) -> tuple[Header, int]:
    """A struct of Thrift's compact protocol: its fields by number, and where it ends."""
    if depth > _DEEPEST:
        raise ValueError("a header is too deep")
    fields: Header = {}
    number = 0
    while byte := body[at]:
        at += 1
        if byte >> 4:
            number += byte >> 4
        else:
            number, at = _integer(body, at)
        kind = byte & 15
        if kind in (1, 2):
            fields[number] = kind == 1
        else:
            fields[number], at = _value(body, at, kind, depth)
    return fields, at + 1


def _value(body: Bytes, at: int, kind: int, depth: int) -> tuple[Any, int]:
    match kind:
        case 3:
            return body[at], at + 1
        case 4 | 5 | 6:
            return _integer(body, at)
        case 7:
            return body[at + 7], at + 8  # nobody asks for its value, but a list of them has to end with the file
        case 8:
            length, at = _varint(body, at)
            return body[at : at + length], at + length
        case 9 | 10:
            return _list(body, at, depth)
        case 12:
            return _struct(body, at, depth + 1)
        case _:
            raise ValueError(f"a header has a field of kind {kind}")


def _list(body: Bytes, at: int, depth: int) -> tuple[list[Any], int]:
    count, kind = body[at] >> 4, body[at] & 15
    at += 1
    if count == 15:
        count, at = _varint(body, at)
    values = []
    for _ in range(count):
        value, at = (body[at] == 1, at + 1) if kind in (1, 2) else _value(body, at, kind, depth)
        values.append(value)
    return values, at


def _integer(body: Bytes, at: int) -> tuple[int, int]:
    value, at = _varint(body, at)
    return (value >> 1) ^ -(value & 1), at


def _varint(body: Bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = body[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a number in a header is too long")
