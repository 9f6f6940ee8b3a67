"""Which lines a model can score: what its server itself would say to each of them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from model_server import signature as packaged
from model_server.bodies import csv_text
from model_server.bodies.table import Table
from model_server.errors import BadRequest, Violation
from model_server.schema import check
from model_server.signature import Policy, Signature

_SHOWN = 200
_EMPTY = (b"\n", b"\r\n", b"\r")
# A carriage return that is no part of a line's end: a line to the transform job, two rows to the server.
_RETURN = re.compile(rb"\r(?!\n|\Z)")


@dataclass(frozen=True)
class Reason:
    """Why a row is not scored; `code` and `field` as the server names them."""

    code: str
    message: str
    field: str | None = None
    value: str | None = None

    @property
    def kind(self) -> str:
        """What summaries count by."""
        return f"{self.code}/{self.field}" if self.field else self.code

    def to_json(self) -> dict[str, str | None]:
        """As it stands in a quarantined row."""
        return {"code": self.code, "field": self.field, "value": self.value, "message": self.message}


class Judge:
    """Tells the rows that cannot be scored; without a signature only lines that hold no row."""

    def __init__(self, signature: Signature | None) -> None:
        self._signature = signature and replace(signature, policy=_in_batch(signature.policy))

    @classmethod
    def of_package(cls, folder: Path) -> Judge:
        """The judge for an unpacked package; raises PackageError."""
        return cls(Signature.read(folder) if (folder / packaged.FILE).exists() else None)

    def refused(self, lines: Sequence[bytes]) -> Mapping[int, Reason]:
        """The reasons of the lines that are not scored, by their place among *lines*."""
        if self._signature is None:
            return {place: _no_row() for place, line in enumerate(lines) if line in _EMPTY}
        return self._refused(self._signature, lines)

    def _refused(self, signature: Signature, lines: Sequence[bytes]) -> dict[int, Reason]:
        table = _table(signature, lines)
        if isinstance(table, Table):
            left_out = check(signature, table, partial=True).left_out
            return {place: _reason(signature, each, lines[place]) for place, each in left_out.items()}
        if len(lines) == 1:
            return {0: table}
        if empty := [place for place, line in enumerate(lines) if line in _EMPTY]:
            return self._refused_among(signature, lines, empty)
        half = len(lines) // 2
        first, second = self._refused(signature, lines[:half]), self._refused(signature, lines[half:])
        return first | {place + half: reason for place, reason in second.items()}

    def _refused_among(self, signature: Signature, lines: Sequence[bytes], empty: list[int]) -> dict[int, Reason]:
        """The same for lines of which some are empty: they are common, and need no search."""
        without = set(empty)
        places = [place for place in range(len(lines)) if place not in without]
        found = self._refused(signature, [lines[place] for place in places]) if places else {}
        return {places[place]: reason for place, reason in found.items()} | dict.fromkeys(empty, _no_row())


def _in_batch(policy: Policy) -> Policy:
    """Nobody waits for a batch's answers with the row at hand, so a row that breaks the schema is never answered."""
    return Policy(invalid="quarantine", unseen="flag" if policy.unseen == "flag" else "quarantine")


def _table(signature: Signature, lines: Sequence[bytes]) -> Table | Reason:
    """The lines as rows, one each; else a reason, which is that of the line where there is only one."""
    content = b"".join(lines)
    if len(lines) > 1 and b"\r" in content and _RETURN.search(content):
        return _no_row()
    try:
        # A row that happens to hold a feature's name is no header here.
        table = csv_text.read(signature, content, None)
    except BadRequest as error:
        return Reason(error.code, str(error))
    # Without such returns lines can only merge, within quotes, or vanish: as many rows as lines are one row each.
    if table.count == len(lines):
        return table
    return _no_row() if table.count < len(lines) else _several_rows()


def _no_row() -> Reason:
    return Reason("no_rows", "the line is empty; write one row in each line")


def _several_rows() -> Reason:
    return Reason("several_rows", "a carriage return in the line divides it; write one row in each line")


def _reason(signature: Signature, violation: Violation, line: bytes) -> Reason:
    message = str(violation).removeprefix(f"row {violation.row}: ")
    value = None
    if violation.field is not None:
        with suppress(csv.Error):  # a cell of more than 128 KB, which the reader of large bodies has read
            row = next(filter(None, csv.reader(io.StringIO(line.decode(), newline=""))))
            value = row[signature.names.index(violation.field)][:_SHOWN]
    return Reason(violation.code, message, violation.field, value)
