"""JSON Lines of records: what is uniform is read column by column, anything else line by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import json as arrow_json

from monitoring.errors import DataError
from monitoring.reading.kinds import Source
from monitoring.reading.lines import Block, blocks, parse
from monitoring.reading.values import column

_SAMPLE = 100
_PIECE = 1024 * 1024
_END, _RETURN, _OPENING, _CLOSING = b"\n\r{}"


def batches(source: Source, columns: Sequence[str]) -> Iterator[Any]:
    """The rows; a column that no line of a batch has is absent from it, and its type may differ between batches."""
    if source.head.lstrip().startswith(b"["):
        raise DataError(f"{source.path} is one JSON array; write JSON Lines, one record a line")
    names = list(dict.fromkeys(columns))
    types = dict.fromkeys(names, pa.null())
    known: set[str] = set()
    for block in blocks(source):
        if not known:
            known.update(_learn(types, _slow(source, _sample(block), names)))
        if (table := _fast(block, types)) is not None:
            # A column that is null in every line is there, one that has never been is not.
            absent = {name for name, kind in types.items() if pa.types.is_null(kind)} - known
            yield from table.drop_columns(list(absent)).to_batches()
        else:
            batch = _slow(source, block, names)
            known.update(_learn(types, batch))
            yield batch


def schema(source: Source) -> Any:
    """The columns of the first lines."""
    block = next(blocks(source))
    rows = _records(source, _sample(block))
    names = dict.fromkeys(name for row in rows for name in row)
    return _batch(rows, list(names)).schema


def _sample(block: Block) -> Block:
    return Block(block.first, b"\n".join(islice(block.text.split(b"\n"), _SAMPLE)))


def _learn(types: dict[str, Any], batch: Any) -> list[str]:
    """The columns of *batch*; their types are from now on expected."""
    types |= {field.name: field.type for field in batch.schema if not pa.types.is_null(field.type)}
    return batch.schema.names


def _fast(block: Block, types: dict[str, Any]) -> Any | None:
    """None where the lines are not all of these types, or one of them may not be a record by itself."""
    text = block.text if block.text.endswith(b"\n") else block.text + b"\n"
    letters = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(letters == _END)
    last = np.where(letters[ends - 1] == _RETURN, ends - 2, ends - 1)
    if not (letters[last] == _CLOSING).all() or not (letters[np.append(0, ends[:-1] + 1)] == _OPENING).all():
        return None
    try:
        table = arrow_json.read_json(
            pa.BufferReader(text),
            arrow_json.ReadOptions(block_size=_PIECE),
            arrow_json.ParseOptions(explicit_schema=pa.schema(list(types.items())), unexpected_field_behavior="ignore"),
        )
        table.validate(full=True)
    except (pa.ArrowInvalid, UnicodeError):
        return None
    return table if len(table) == len(ends) else None


def _slow(source: Source, block: Block, names: Sequence[str]) -> Any:
    rows = _records(source, block)
    return _batch(rows, [name for name in names if any(name in row for row in rows)])


def _records(source: Source, block: Block) -> list[dict[str, Any]]:
    rows = []
    for number, line in block.lines():
        try:
            row = parse(line)
        except ValueError as error:
            raise DataError(f"{source.path}, line {number}: it is no JSON ({error}); mend or delete it") from error
        if not isinstance(row, dict):
            what = f"it is a {type(row).__name__}, not an object"
            raise DataError(f"{source.path}, line {number}: {what}; write one record a line")
        rows.append(row)
    return rows


def _batch(rows: list[dict[str, Any]], names: list[str]) -> Any:
    if not names:
        return pa.record_batch({"": pa.nulls(len(rows))}).select([])
    return pa.record_batch([column([row.get(name) for row in rows]) for name in names], names=names)
