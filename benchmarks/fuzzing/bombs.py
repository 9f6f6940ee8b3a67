"""Small or lawful-looking bodies that would cost much: each has to be refused, or answered within what is allowed."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.fuzzing.rows import npy
from model_server import media

MB = 1 << 20


class Bomb(NamedTuple):
    """A body, its type, what else is said with it, and the statuses that are right."""

    name: str
    kind: str
    make: Callable[[], bytes]
    right: tuple[int, ...]
    accept: str = "*/*"
    encoding: str = ""


def bombs() -> Iterator[Bomb]:
    """All of them."""
    partial = "application/json; partial=true"
    yield Bomb("25 MB of empty JSON lists", media.JSON, lambda: _repeated(b"[],", 25 * MB - 9), (422,))
    yield Bomb(
        "the same, rows that fail wanted", media.JSON, lambda: _repeated(b"[],", 25 * MB - 9), (413, 422), partial
    )
    yield Bomb("25 MB of JSON objects", media.JSON, lambda: _repeated(b'{"a":1},', 25 * MB - 9), (422,))
    yield Bomb("26 MB of JSON", media.JSON, lambda: b"[" + b" " * (26 * MB), (413,))
    yield Bomb("JSON 1,000 lists deep", media.JSON, lambda: b"[" * 1000 + b"]" * 1000, (400, 422))
    yield Bomb("50 million rows of CSV that fail, wanted", media.CSV, lambda: b"1\n" * (50 * MB), (413, 422), partial)
    yield Bomb("one line of CSV, 99 MB of commas", media.CSV, lambda: b"," * (99 * MB), (413,))
    yield Bomb("an open quote before 99 MB of lines", media.CSV, lambda: b'3,"' + b"red\n" * (24 * MB), (413, 422))
    yield Bomb("one line of JSON, 99 MB", media.JSON_LINES, lambda: b"[" + b"1," * (49 * MB), (413,))
    yield Bomb("99 MB of empty JSON lines", media.JSON_LINES, lambda: b"[]\n" * (33 * MB), (422,))
    yield Bomb("gzip of 1 GB of line ends", media.CSV, lambda: _gzipped(b"\n" * MB, 1024), (413,), encoding="gzip")
    yield Bomb("gzip of 1 GB of rows", media.CSV, lambda: _gzipped(b"3,red\n" * MB, 171), (413,), encoding="gzip")
    yield Bomb("5 million gzip members of nothing", media.CSV, _members, (413,), encoding="gzip")
    yield Bomb("npy of 2^62 rows", media.NPY, lambda: _npy("(4611686018427387904, 2)", "<f8"), (400,))
    yield Bomb(
        "npy of 2^40 rows of nothing",
        media.NPY,
        lambda: _npy("(1099511627776,)", "[('size','S0'),('colour','S0')]"),
        (400,),
    )
    yield Bomb("npy with a header 9,000 brackets deep", media.NPY, lambda: _npy("(" * 9000, "<f8"), (400,))
    yield Bomb(
        "Parquet, one page of 1 GB of zeros",
        media.PARQUET,
        lambda: _parquet(pa.table({"size": np.zeros(128 * MB), "colour": _texts(b"red", 128 * MB)})),
        (413,),
    )
    yield Bomb("Parquet that lies about a page's size", media.PARQUET, _lying_page, (400, 413))
    yield Bomb(
        "Parquet, 100 million rows in half a MB",
        media.PARQUET,
        lambda: _parquet(pa.table({"size": pa.nulls(100 * MB, pa.float64()), "colour": _texts(b"red", 100 * MB)})),
        (413,),
    )
    yield Bomb(
        "Parquet, one long text for 100,000 rows", media.PARQUET, lambda: _parquet(_long_text(100_000)), (413, 422)
    )
    yield Bomb("Parquet, a page's header with 2^60 doubles", media.PARQUET, _endless_header, (400,))
    yield Bomb("Parquet, 8 million pages of nothing", media.PARQUET, lambda: _empty_pages(8_000_000), (413,))
    yield Bomb("Parquet, 3,000 groups of a row", media.PARQUET, lambda: _groups(3000), (200,))
    yield Bomb("Arrow, 400,000 batches of nothing", media.ARROW, lambda: _batches(0, 400_000), (400,))
    yield Bomb("Arrow, 400,000 batches of a row", media.ARROW, lambda: _batches(1, 400_000), (200,))
    yield Bomb("Parquet, texts by prefix", media.PARQUET, _prefixed, (400, 413))
    yield Bomb(
        "Arrow, zstd of 1 GB of zeros",
        media.ARROW,
        lambda: _arrow(
            pa.table(
                {
                    "size": np.zeros(64 * MB),
                    "colour": pa.DictionaryArray.from_arrays(np.zeros(64 * MB, np.int8), ["red"]),
                }
            ),
            "zstd",
        ),
        (413,),
    )
    yield Bomb("Arrow, 2^40 rows of nulls", media.ARROW, _null_rows, (400, 413))
    yield Bomb(
        "Arrow, one long text for a million rows", media.ARROW, lambda: _arrow(_long_text(1_000_000), None), (422,)
    )


def _repeated(item: bytes, size: int) -> bytes:
    return b"[" + (item * (size // len(item)))[:-1] + b"]"


def _gzipped(part: bytes, times: int) -> bytes:
    return gzip.compress(part) * times  # members follow each other


def _members() -> bytes:
    return gzip.compress(b"") * (5 * MB)


def _npy(shape: str, descr: str) -> bytes:
    quoted = descr if descr.startswith("[") else repr(descr)
    header = f"{{'descr': {quoted}, 'fortran_order': False, 'shape': {shape}}}".encode()
    return npy(np.zeros(1))[:8] + struct.pack("<H", len(header)) + header


def _texts(text: bytes, count: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(np.zeros(count, np.int8), [text.decode()])


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(
        table, sink, compression="zstd", data_page_size=1 << 30, row_group_size=1 << 30, write_batch_size=1 << 27
    )
    return sink.getvalue().to_pybytes()


def _arrow(table: pa.Table, compression: str | None) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes()


def _long_text(count: int) -> pa.Table:
    return pa.table({"size": np.zeros(count), "colour": _texts(b"x" * (10 * MB), count)})


def _lying_page() -> bytes:
    """A page of 16 rows whose header says that it unpacks to 2 GB."""
    honest = _parquet(pa.table({"size": np.zeros(16), "colour": ["red"] * 16}))
    at = honest.index(b"\x15\x00\x15") if b"\x15\x00\x15" in honest else 4
    end = at + 3
    while honest[end] & 128:
        end += 1
    return honest[: at + 3] + b"\xfe\xff\xff\xff\x0f" + honest[end + 1 :]


def _endless_header() -> bytes:
    """A page whose header has a field more: a list that says that it has 2^60 numbers of eight bytes."""
    honest = _parquet(pa.table({"size": np.zeros(16), "colour": ["red"] * 16}))
    return honest[:4] + b"\x19\xf7" + b"\x80" * 8 + b"\x10" + honest[15:]


def _empty_pages(count: int) -> bytes:
    """A column that begins with pages of no values and no bytes."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"size": np.zeros(16), "colour": ["red"] * 16}), sink, use_dictionary=False)
    honest = sink.getvalue().to_pybytes()
    at = len(honest) - 8 - int.from_bytes(honest[-8:-4], "little")
    nothing = b"\x15\0\x15\0\x15\0\x2c\x15\0\x15\0\0\0"
    size = pq.ParquetFile(pa.BufferReader(honest)).metadata.row_group(0).column(0).total_compressed_size
    # The column's size, before where it begins.
    told, more = (b"\x16" + _varint(each << 1) + b"\x26\x08" for each in (size, size + count * len(nothing)))
    footer = honest[at:-8].replace(told, more)
    return b"PAR1" + nothing * count + honest[4:at] + footer + struct.pack("<I", len(footer)) + b"PAR1"


def _varint(number: int) -> bytes:
    return bytes([number & 127 | 128]) + _varint(number >> 7) if number > 127 else bytes([number])


def _groups(count: int) -> bytes:
    sink = pa.BufferOutputStream()
    table = pa.table({"size": [3.0] * count, "colour": ["red"] * count})
    pq.write_table(table, sink, row_group_size=1, write_statistics=False, store_schema=False)
    return sink.getvalue().to_pybytes()


def _batches(rows: int, count: int) -> bytes:
    sink = pa.BufferOutputStream()
    batch = pa.record_batch({"size": [3.0] * rows, "colour": pa.array(["red"] * rows, pa.string())})
    if not rows:
        batch = pa.record_batch({"size": pa.array([], pa.float64()), "colour": pa.array([], pa.string())})
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
        start = sink.tell()
        stream.write_batch(batch)
        end = sink.tell()
    whole = sink.getvalue().to_pybytes()
    return whole[:start] + whole[start:end] * (count - 1) + whole[end:]


def _prefixed() -> bytes:
    sink = pa.BufferOutputStream()
    table = pa.table({"size": np.zeros(100_000), "colour": ["x" * 60_000] * 2 + ["red"] * 99_998})
    pq.write_table(table, sink, use_dictionary=False, column_encoding={"size": "PLAIN", "colour": "DELTA_BYTE_ARRAY"})
    return sink.getvalue().to_pybytes()


def _null_rows() -> bytes:
    """A batch of columns without a buffer, whose message says that it has 2^40 rows."""
    body = _arrow(pa.table({"size": pa.nulls(12_345), "colour": pa.nulls(12_345)}), None)
    return body.replace(struct.pack("<q", 12_345), struct.pack("<q", 1 << 40))
