"""Between Arrow's arrays and NumPy's, through their buffers.

Arrow's own ways import pandas where it is installed, which takes as long as counting some hundred thousand rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

_FLOATS = {"halffloat": "float16", "float": "float32", "double": "float64"}


def nulls(array: pa.Array) -> np.ndarray:
    """Which values are null."""
    return flags_of(array.is_null())


def flags_of(array: pa.Array) -> np.ndarray:
    """The values of an array of true and false, none of them null."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    _, bits = array.buffers()
    if bits is None:
        return np.zeros(len(array), bool)
    end = array.offset + len(array)
    return np.unpackbits(np.frombuffer(bits, np.uint8), count=end, bitorder="little")[array.offset :].view(bool)


def numbers_of(array: pa.Array) -> np.ndarray:
    """The values of an array of numbers without copying them; what stands in the place of a null is anything."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    _, data = array.buffers()
    kind = np.dtype(_FLOATS.get(str(array.type), str(array.type)))
    if data is None:
        return np.zeros(len(array), kind)
    return np.frombuffer(data, kind)[array.offset : array.offset + len(array)]


def places(array: pa.DictionaryArray) -> np.ndarray:
    """Each row's place in the dictionary; that of a null is after the last."""
    found = numbers_of(array.indices)
    if not array.indices.null_count:
        return found
    return np.where(nulls(array.indices), len(array.dictionary), found)


def from_numbers(values: np.ndarray) -> pa.Array:
    """An array of numbers, or of times in microseconds (NaT is null), without copying numbers."""
    values = np.ascontiguousarray(values)
    if values.dtype.kind == "M":
        return _from_times(values.astype("datetime64[us]"))
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])


def from_flags(values: np.ndarray) -> pa.Array:
    """An array of true and false."""
    bits = np.packbits(values, bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(bits)])


def from_texts(values: Sequence[str]) -> pa.Array:
    """An array of texts, none of them null."""
    written = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, written)], dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), len(values), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(written))])


def _from_times(values: np.ndarray) -> pa.Array:
    known = pa.py_buffer(np.packbits(~np.isnat(values), bitorder="little"))
    data = pa.py_buffer(values.view(np.int64))
    return pa.Array.from_buffers(pa.timestamp("us"), len(values), [known, data])
