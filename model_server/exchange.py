"""One request to a model without code of its own: decoded, checked, scored and written piece by piece."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import accumulate
from threading import Lock
from time import perf_counter
from typing import NamedTuple

import numpy as np

from model_server import answers, media
from model_server.bodies.reader import Piece, Reader
from model_server.bodies.table import Table
from model_server.bounds import ANSWER_BYTES, JSON_ALONE_BYTES
from model_server.contract import Answer, Finding, Request
from model_server.errors import BadRequest, TooLarge, Violation
from model_server.predictions import Predictions, body
from model_server.schema import Checked, check
from model_server.scoring import Model, Rows
from model_server.times import Times

Scored = tuple[Checked, Predictions]

_VIOLATION_BYTES = 700
_ROW_BYTES = 16
_NO_ROWS = Rows(np.empty((0, 0), np.float32), np.empty((0, 0), object))
_ALONE = Lock()


class Part(NamedTuple):
    """What became of a piece: its rows' answers, written already unless a row number has to stand in them."""

    count: int
    written: bytes = b""
    scored: Sequence[Scored] = ()
    findings: Sequence[Finding] = ()
    refusal: Violation | None = None


class TableExchange:
    """Answers rows of any of the content types; raises Refused where the types are none of ours."""

    def __init__(self, model: Model, times: Times, request: Request) -> None:
        self._reader = Reader(model.signature, request.content_type)
        self._wanted = media.negotiate(request.accept, asked=self._reader.type)
        self._id = request.id
        self._model = model
        self._times = times
        self._held = 0
        self._counting = Lock()
        self._separator = b"," if self._wanted.type == media.JSON else b"\n"

    def pieces(self, more: bytes, *, last: bool) -> Iterator[Piece]:
        """The pieces that are complete with *more*; raises Refused."""
        return self._reader.pieces(more, last=last)

    def part(self, piece: Piece) -> Part:
        """The answers to the rows of a piece; raises Refused."""
        with self._turn(piece):
            return self._part(piece)

    def _turn(self, piece: Piece) -> AbstractContextManager[object]:
        large = self._reader.type == media.JSON and len(piece.body) > JSON_ALONE_BYTES
        return _ALONE if large else nullcontext()

    def _part(self, piece: Piece) -> Part:
        scored: list[Scored] = []
        count = 0
        tables = piece.tables()
        while (table := self._next(tables)) is not None:
            try:
                scored.append(self._score(table))
            except Violation as violation:
                return Part(count + table.count, refusal=violation.moved(count))
            count += table.count
            self._hold(_size(*scored[-1]))
        findings = [finding for checked, _ in scored for finding in checked.findings]
        if self._wanted.type in media.TEXTUAL and not findings:
            written = self._separator.join(self._write(each, 0) for each in scored)
            self._hold(len(written) - sum(_size(*each) for each in scored))
            return Part(count, written)
        return Part(count, scored=scored, findings=findings)

    def settled(self, part: Part) -> bool:
        """Whether *part* has the row that the body is refused for."""
        return part.refusal is not None

    def finish(self, parts: Sequence[Part]) -> Answer:
        """The answer to all pieces; raises the first Violation, or BadRequest where there was no row."""
        starts = list(accumulate((part.count for part in parts), initial=0))
        for part, start in zip(parts, starts, strict=False):
            if part.refusal:
                raise part.refusal.moved(start)
        if not starts[-1]:
            raise BadRequest("no_rows", "the body has no rows; send at least one")
        return Answer(self._wanted.type, self._body(parts, starts), starts[-1], _counted(parts))

    def _hold(self, size: int) -> None:
        with self._counting:
            self._held += size
        if self._held > ANSWER_BYTES:
            sentence = f"the answers to this body have more than {ANSWER_BYTES} bytes; send fewer rows at once"
            raise TooLarge("too_large", sentence)

    def _next(self, tables: Iterator[Table]) -> Table | None:
        started = perf_counter()
        table = next(tables, None)
        self._times.decode += perf_counter() - started
        return table

    def _score(self, table: Table) -> Scored:
        started = perf_counter()
        checked = check(self._model.signature, table, partial=self._wanted.partial)
        between = perf_counter()
        predictions = self._predictions(checked)
        self._times.check += between - started
        self._times.score += perf_counter() - between
        return replace(checked, rows=_NO_ROWS), predictions

    def _predictions(self, checked: Checked) -> Predictions:
        signature = self._model.signature
        if len(checked.rows.numbers):
            return Predictions(signature, self._model.scores(checked.rows))
        return Predictions(signature, np.empty((0, len(signature.classes)) if signature.classes else 0, np.float32))

    def _write(self, scored: Scored, start: int) -> bytes:
        started = perf_counter()
        written = self._separator.join(answers.fragments(*scored, self._wanted.type, start))
        self._times.encode += perf_counter() - started
        return written

    def _body(self, parts: Sequence[Part], starts: Sequence[int]) -> bytes:
        if self._wanted.type not in media.TEXTUAL:
            return answers.columnar([each for part in parts for each in part.scored], self._wanted.type)
        texts = [part.written or self._late(part.scored, start) for part, start in zip(parts, starts, strict=False)]
        return body((text for text in texts if text), self._wanted.type, self._id)

    def _late(self, scored: Sequence[Scored], start: int) -> bytes:
        starts = accumulate((checked.count for checked, _ in scored), initial=start)
        return self._separator.join(self._write(each, at) for each, at in zip(scored, starts, strict=False))


def _size(checked: Checked, predictions: Predictions) -> int:
    violations = len(checked.left_out) + len(checked.flagged)
    return predictions.scores.nbytes + checked.count * _ROW_BYTES + violations * _VIOLATION_BYTES


def _counted(parts: Sequence[Part]) -> Sequence[Finding]:
    counts: Counter[tuple[str, str]] = Counter()
    for finding in (finding for part in parts for finding in part.findings):
        counts[finding.code, finding.action] += finding.rows
    return [Finding(code, action, rows) for (code, action), rows in sorted(counts.items())]
