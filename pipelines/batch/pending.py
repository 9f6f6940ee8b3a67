"""Rows in quarantine: JSON Lines with the row's line, its text, and why it was not scored."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from pipelines.batch.judging import Reason
from pipelines.batch.lines import SIZE, TooLong


@dataclass(frozen=True)
class Pending:
    """A row in quarantine; `line` counts from 1 in the object that the row came in."""

    line: int
    content: Mapping[str, Any]

    @classmethod
    def parse(cls, text: bytes) -> Pending:
        """From a line of an object in quarantine."""
        content = orjson.loads(text)
        return cls(content["line"], content)

    @classmethod
    def of(cls, line: int, row: bytes, reason: Reason) -> Pending:
        """A row without its newline; what is no text is kept in Base64 too."""
        text = row.removesuffix(b"\n")
        try:
            content: dict[str, Any] = {"line": line, "row": text.decode()}
        except UnicodeDecodeError:
            encoded = base64.b64encode(text).decode()
            content = {"line": line, "row": text.decode(errors="replace"), "base64": encoded}
        return cls(line, {**content, "reason": reason.to_json()})

    @classmethod
    def cut(cls, line: int, row: TooLong, longest: int) -> Pending:
        """A row that is too long for any request; its whole is in the object that it came in."""
        message = f"the line has {row.length} bytes, and one request carries at most {longest}; shorten its fields"
        reason = Reason("too_large", message)
        text = row.head.decode(errors="replace")
        return cls(line, {"line": line, "row": text, "bytes": row.length, "reason": reason.to_json()})

    @property
    def row(self) -> bytes | None:
        """The row with a newline; None where only its beginning was kept."""
        if "bytes" in self.content:
            return None
        encoded = self.content.get("base64")
        return (base64.b64decode(encoded) if encoded else self.content["row"].encode()) + b"\n"

    @property
    def kind(self) -> str:
        """What summaries count by."""
        reason = self.content["reason"]
        return f"{reason['code']}/{reason['field']}" if reason["field"] else reason["code"]

    def because(self, reason: Reason) -> Pending:
        """The same row, with what is wrong with it now."""
        return Pending(self.line, {**self.content, "reason": reason.to_json()})

    def dump(self) -> bytes:
        """As a line."""
        return orjson.dumps(self.content) + b"\n"


def portions(lines: Iterable[bytes]) -> Iterator[list[Pending]]:
    """The rows of an object in quarantine, as many at a time as a block has bytes."""
    portion: list[Pending] = []
    size = 0
    for line in lines:
        portion.append(Pending.parse(line))
        size += len(line)
        if size >= SIZE:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion
