"""Binary bodies of captured requests and answers: Parquet, Arrow streams, npy."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.reading.bodies import Body, Unreadable


def table(body: Body) -> tuple[list[str], list[list[Any]]]:
    """The names of the columns, none for an array without, and the rows; raises Unreadable."""
    content = body.content if isinstance(body.content, bytes) else body.content.encode()
    try:
        if body.form == "npy":
            return _array(np.lib.format.read_array(io.BytesIO(content), allow_pickle=False))
        buffer = pa.BufferReader(content)
        found = pq.read_table(buffer) if body.form == "parquet" else pa.ipc.open_stream(buffer).read_all()
        found.validate(full=True)
        return found.column_names, [list(row) for row in zip(*found.to_pydict().values(), strict=True)]
    except (pa.ArrowException, OSError, EOFError, MemoryError, ValueError, SyntaxError, KeyError) as error:
        raise Unreadable(f"a body says that it is {body.form} and is not") from error


def _array(array: Any) -> tuple[list[str], list[list[Any]]]:
    if array.dtype.names:
        return list(array.dtype.names), [list(row) for row in array.ravel().tolist()]
    if array.ndim not in (1, 2):
        raise Unreadable("a body is an array of other than two dimensions")
    rows = array.reshape(len(array), -1) if array.ndim == 1 else array
    # NaN is what the server writes for a row that it leaves out, and a client for a value that is missing.
    return [], [[None if value != value else value for value in row] for row in rows.tolist()]  # noqa: PLR0124
