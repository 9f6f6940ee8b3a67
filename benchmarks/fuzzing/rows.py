"""Valid bodies of every content type: where damage begins."""

from __future__ import annotations

import csv
import io
import json
from random import Random
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from model_server import media

COLOURS = ("red", "green", "blue")
Row = dict[str, Any]


def valid(kind: str, random: Random) -> bytes:
    """A body of up to nine rows of `size` and `colour` that the model answers, written in one of many ways."""
    rows = [_row(random) for _ in range(random.randint(1, 9))]
    match kind:
        case media.JSON:
            return json.dumps(_document(rows, random)).encode()
        case media.JSON_LINES:
            return b"".join(json.dumps(_listed(row, random)).encode() + b"\n" for row in rows)
        case media.CSV:
            return _csv(rows, random)
        case media.NPY:
            return npy(_array(rows, random))
        case media.PARQUET:
            return parquet(_table(rows, random), random)
        case _:
            return arrow(_table(rows, random), random)


def npy(array: np.ndarray) -> bytes:
    """An npy file."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def parquet(table: pa.Table, random: Random) -> bytes:
    """A Parquet file by a writer of some mind."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression=random.choice(["none", "snappy", "gzip", "zstd", "lz4", "brotli"]),
        use_dictionary=random.random() < 0.7,
        version=random.choice(["1.0", "2.4", "2.6"]),
        data_page_version=random.choice(["1.0", "2.0"]),
        row_group_size=random.choice([1, 3, 1000]),
        write_statistics=random.random() < 0.5,
        store_schema=random.random() < 0.7,
    )
    return sink.getvalue().to_pybytes()


def arrow(table: pa.Table, random: Random) -> bytes:
    """An Arrow stream by a writer of some mind."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=random.choice([None, None, "lz4", "zstd"]))
    with pa.ipc.new_stream(sink, table.schema, options=options) as stream:
        stream.write_table(table, max_chunksize=random.choice([1, 3, 1000]))
    return sink.getvalue().to_pybytes()


def _row(random: Random) -> Row:
    size = random.choice([random.uniform(0, 10), random.randint(0, 10), 0, 10, 1e-300])
    return {"size": None if random.random() < 0.1 else size, "colour": random.choice(COLOURS)}


def _listed(row: Row, random: Random) -> Any:
    return random.choice([row, list(row.values()), {"features": list(row.values())}])


def _document(rows: list[Row], random: Random) -> Any:
    lists = [list(row.values()) for row in rows]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return random.choice(
        [
            {"instances": [_listed(row, random) for row in rows]},
            {"dataframe_records": rows},
            {"dataframe_split": {"columns": list(rows[0]), "data": lists}},
            {"inputs": columns},
            lists,
            rows[0],
        ]
    )


def _csv(rows: list[Row], random: Random) -> bytes:
    text = io.StringIO()
    quoting: Literal[0, 1] = csv.QUOTE_MINIMAL if random.random() < 0.5 else csv.QUOTE_ALL
    writer = csv.DictWriter(text, list(rows[0]), quoting=quoting, lineterminator=random.choice(["\n", "\r\n"]))
    header = random.random() < 0.5
    if header:
        writer.writeheader()
    # A long body is read by columns.
    writer.writerows(rows * (1 if random.random() < 0.9 else 300))
    return text.getvalue().encode()


def _array(rows: list[Row], random: Random) -> np.ndarray:
    kind = random.choice(["f8", ">f8", "f4", "f2"]), random.choice(["U5", "S5", ">U9"])
    values = [(np.nan if row["size"] is None else row["size"], row["colour"]) for row in rows]
    return np.array(values, [("size", kind[0]), ("colour", kind[1])])


def _table(rows: list[Row], random: Random) -> pa.Table:
    number = random.choice([pa.float64(), pa.float32(), pa.float16(), pa.int8()])
    text = random.choice([pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())])
    sizes = [None if row["size"] is None else int(row["size"]) for row in rows]
    colours = pa.array([row["colour"] for row in rows], pa.string())
    return pa.table({"size": pa.array(sizes, pa.float64()).cast(number), "colour": colours.cast(text)})
