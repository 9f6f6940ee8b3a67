"""What docs/serving.md promises to every caller, asked of an endpoint."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from model_server import media
from model_server.signature import Signature
from pipelines.stages.verifying import bad_rows, outcomes, rows
from pipelines.stages.verifying.asking import Ask, Question
from pipelines.stages.verifying.bad_rows import Promise
from pipelines.stages.verifying.findings import Check
from pipelines.stages.verifying.released import Released

_MANY = 500
_DEEP = 100_000


def checks(ask: Ask, released: Released) -> list[Check]:
    """Asks everything; a check for each promise."""
    return [_checked(ask, promise, quiet=released.sensitive) for promise in promises(released)]


def promises(released: Released) -> list[Promise]:
    """Good rows in every content type, bad bodies, bad rows.

    Where a model's own code reads the bodies, what is refused is its author's to say: then unreadable bodies are to be
    refused, and nothing may fail.
    """
    signature, row = released.signature, rows.ordinary(released.signature, released.golden)
    bad = [*_bad_bodies(), *_bad_types(signature, row)]
    if released.own_code:
        own = [promise._replace(outcome=outcomes.not_failed()) for promise in bad_rows.promises(signature, row)]
        return [*(promise._replace(outcome=outcomes.refused_somehow()) for promise in _bad_bodies()), *own]
    good = [*_good(signature, row), *_many(released)]
    return [*good, *bad, *bad_rows.promises(signature, row)]


def _checked(ask: Ask, promise: Promise, *, quiet: bool) -> Check:
    reply = ask(promise.question)
    difference = promise.outcome.difference(reply)
    got = outcomes.told(reply, quiet=quiet)
    if difference and quiet:
        difference = f"got {got}; more is not told, because it may quote a sensitive value"
    what = f"{promise.what} ({promise.question.content_type})"
    problem = f"Input '{promise.what}' must be {promise.outcome.told}; {difference}." if difference else ""
    return Check(what, promise.outcome.told, got, problem)


def _good(signature: Signature, row: dict[str, Any]) -> Iterator[Promise]:
    for kind in media.TYPES:
        question = Question(rows.encoded(signature, row, kind), kind, kind)
        yield Promise("a good row", question, outcomes.answered(signature, kind, 1))
    one = outcomes.answered(signature, media.JSON, 1)
    values = [row[name] for name in signature.names]
    yield Promise("a row with a column more", Question(rows.instances({**row, "~more~": 1})), one)
    yield Promise("a good row with a header", Question(rows.as_csv(signature.names, values), media.CSV), one)


def _many(released: Released) -> Iterator[Promise]:
    """As many as a model's other engine may be there for."""
    many = rows.variations(released.signature, released.golden, _MANY, seed=1)
    outcome = outcomes.answered(released.signature, media.JSON, _MANY)
    yield Promise(f"{_MANY} good rows", Question(rows.instances(*many)), outcome)


def _bad_bodies() -> Iterator[Promise]:
    unreadable = outcomes.refused(400)
    for what, body in {
        "an empty body": b"",
        "half a document": b'{"instances": [',
        "a text that is no JSON": b"hello",
        "NaN, which is no JSON": b'{"instances": [[NaN]]}',
        "a number instead of rows": b"42",
        "a document without rows": b'{"instances": []}',
        "bytes that are not utf-8": b'{"instances": ["\xff\xfe"]}',
        f"lists within lists, {_DEEP:,} deep": b"[" * _DEEP + b"]" * _DEEP,
    }.items():
        yield Promise(what, Question(body), unreadable)
    yield Promise("an empty body", Question(b"", media.CSV), unreadable)
    yield Promise("an open quote", Question(b'"a', f"{media.CSV}; header=absent"), unreadable)
    yield Promise("a line that is no JSON", Question(b"{}\nhello\n", media.JSON_LINES), unreadable)
    for kind in (media.NPY, media.PARQUET, media.ARROW):
        yield Promise("bytes of no meaning", Question(b"\x00\x01\x02 nothing", kind), unreadable)
    yield Promise("an array of Python objects", Question(_pickled(), media.NPY), unreadable)
    unknown = Question(b"x", "application/x-unknown")
    yield Promise("an unknown content type", unknown, outcomes.refused(415))


def _bad_types(signature: Signature, row: dict[str, Any]) -> Iterator[Promise]:
    body = rows.instances(row)
    yield Promise("another charset", Question(body, f"{media.JSON}; charset=utf-16"), outcomes.refused(415))
    yield Promise("a wish for an image", Question(body, accept="image/png"), outcomes.refused(406))
    less = {name: row[name] for name in signature.names[1:]} or {"~more~": 1}
    for kind in (media.PARQUET, media.ARROW):
        question = Question(rows.columnar(less, kind), kind)
        yield Promise(f"no column {signature.names[0]}", question, outcomes.refused(422))


def _pickled() -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([{}], dtype=object), allow_pickle=True)
    return file.getvalue()
