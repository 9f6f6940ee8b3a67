"""Arrays of NumPy: the header is the caller's word, so it is held against the bytes that are there."""

from __future__ import annotations

import ast
import io
import struct
from typing import Any

import numpy as np

from model_server.errors import BadRequest

_LONGEST_HEADER = 10_000
_LENGTHS = {(1, 0): ("<H", "latin-1"), (2, 0): ("<I", "latin-1"), (3, 0): ("<I", "utf-8")}
_MEMBERS = {"descr", "fortran_order", "shape"}
_LAST_CHARACTER, _SURROGATES = 0x10FFFF, (0xD800, 0xDFFF)


def array(body: bytes) -> np.ndarray:
    """The array of an npy file, without a copy; raises BadRequest."""
    file = io.BytesIO(body)
    try:
        version = np.lib.format.read_magic(file)
        header = _header(file, version)
        kind = np.dtype(np.lib.format.descr_to_dtype(header["descr"]))
    # Python's own parser reads the header, which may make it raise nearly anything.
    except (ValueError, SyntaxError, TypeError, KeyError, IndexError, RecursionError, MemoryError) as error:
        raise _malformed(str(error) or type(error).__name__) from error
    if kind.hasobject:
        raise _malformed("Object arrays cannot be loaded when allow_pickle=False")
    return _read(body, file.tell(), kind, header["shape"], column_wise=header["fortran_order"])


def _read(body: bytes, start: int, kind: np.dtype, shape: tuple[int, ...], *, column_wise: bool) -> np.ndarray:
    count = 1
    for length in shape:
        count *= length
    expected = count * kind.itemsize
    if len(body) - start != expected or not kind.itemsize:
        raise _malformed(f"its header says {expected} bytes of values, and {len(body) - start} follow")
    flat = np.frombuffer(body, kind, count, start) if count else np.empty(0, kind)
    return flat.reshape(shape[::-1]).transpose() if column_wise else flat.reshape(shape)


def texts(name: str, values: np.ndarray) -> np.ndarray:
    """A column of texts or whole numbers as texts; raises BadRequest where they are none."""
    if values.dtype.kind == "U":
        codes = np.ascontiguousarray(values).view(np.dtype("u4").newbyteorder(values.dtype.byteorder))
        least, last = _SURROGATES
        if (codes > _LAST_CHARACTER).any() or ((codes >= least) & (codes <= last)).any():
            raise _malformed(f"{name} has characters that are none")
    try:
        return values.astype(str)
    except UnicodeDecodeError as error:
        raise _malformed(f"{name} has bytes that are not ASCII; send texts of kind U") from error


def _header(file: io.BytesIO, version: tuple[int, int]) -> dict[str, Any]:
    if version not in _LENGTHS:
        raise ValueError(f"its version is {version}; send 1.0, 2.0 or 3.0")
    form, encoding = _LENGTHS[version]
    size = struct.calcsize(form)
    (length,) = struct.unpack(form, file.read(size).ljust(size, b"\0"))
    if length > _LONGEST_HEADER:
        raise ValueError(f"its header has {length} bytes; at most {_LONGEST_HEADER} are read")
    header = ast.literal_eval(file.read(length).decode(encoding).strip())
    if not isinstance(header, dict) or header.keys() != _MEMBERS:
        raise ValueError("its header has not the members descr, fortran_order and shape")
    shape = header["shape"]
    if (
        not isinstance(shape, tuple)
        or len(shape) > 8
        or not all(type(length) is int and length >= 0 for length in shape)
    ):
        raise ValueError("its shape is not a tuple of whole numbers")
    return header


def _malformed(why: str) -> BadRequest:
    return BadRequest("malformed", f"the body is not an npy file: {why}")
