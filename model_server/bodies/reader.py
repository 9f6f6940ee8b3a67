"""Picks what reads a body, by its content type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from model_server import media
from model_server.bodies import columnar, csv_text, json_rows
from model_server.bodies.pieces import Lines, Whole
from model_server.bodies.table import Table
from model_server.signature import Signature

Read = Callable[[bytes], Iterable[Table]]


class Piece(NamedTuple):
    """Some rows of a body, and what reads them."""

    read: Read
    body: bytes

    def tables(self) -> Iterator[Table]:
        """The rows; raises Refused where they cannot be read."""
        yield from self.read(self.body)  # begun with the first row that is asked for, so that its time is counted


class Reader:
    """Reads one body for one model; raises UnsupportedType where its content type is none of ours."""

    def __init__(self, signature: Signature, content_type: str) -> None:
        self.type, self._parameters = media.content_type(content_type)
        self._signature = signature
        self._cutter = _cutter(self.type)
        self._read: Read | None = None

    def pieces(self, more: bytes, *, last: bool) -> Iterator[Piece]:
        """The pieces that are complete with *more*; raises Refused."""
        for piece in self._cutter.cut(more, last=last):
            body = piece
            if self._read is None:
                self._read, body = self._begin(piece)
            yield Piece(self._read, body)

    def _begin(self, first: bytes) -> tuple[Read, bytes]:
        signature = self._signature
        match self.type:
            case media.CSV:
                header, body = csv_text.header(signature.names, first, self._parameters)
                return lambda body: csv_text.tables(signature, body, header), body
            case media.JSON_LINES:
                return partial(json_rows.read_lines, signature.names), first
            case media.JSON:
                return partial(json_rows.read, signature.names), first
            case _:
                return partial(_COLUMNAR[self.type], signature), first


def _cutter(kind: str) -> Lines | Whole:
    match kind:
        case media.CSV | media.JSON_LINES:
            return Lines(quoted=kind == media.CSV)
        case media.JSON:
            return json_rows.document()
        case _:
            return Whole()


_COLUMNAR: Mapping[str, Callable[[Signature, bytes], Iterator[Table]]] = {
    media.NPY: columnar.read_npy,
    media.PARQUET: columnar.read_parquet,
    media.ARROW: columnar.read_arrow,
}
