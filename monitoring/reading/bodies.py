"""The body of a captured request or answer: decoded, with what it is."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from monitoring.reading.lines import parse

Form = Literal["csv", "json", "lines", "parquet", "arrow", "npy"]

_FORMS: Mapping[str, Form] = {
    "text/csv": "csv",
    "application/csv": "csv",
    "application/json": "json",
    "application/jsonlines": "lines",
    "application/jsonl": "lines",
    "application/x-jsonlines": "lines",
    "application/x-ndjson": "lines",
    "application/x-npy": "npy",
    "application/vnd.apache.parquet": "parquet",
    "application/x-parquet": "parquet",
    "application/parquet": "parquet",
    "application/vnd.apache.arrow.stream": "arrow",
    "application/x-apache-arrow-stream": "arrow",
}
_ENCODINGS: Mapping[str, Form] = {"CSV": "csv", "JSON": "json"}
_MAGIC: Mapping[bytes, Form] = {
    b"PAR1": "parquet",
    b"\xff\xff\xff\xff": "arrow",
    b"\x93NUMPY": "npy",
    b"{": "json",
    b"[": "json",
}

_NO_JSON = "a body says that it is JSON and is not"
_NO_CSV = "a body says that it is CSV and is not"


class Unreadable(ValueError):  # noqa: N818  it says what the event is
    """Why an event has no rows: a sentence that many events can share."""


class Body(NamedTuple):
    """What was sent: text, or the bytes of a binary format."""

    form: Form
    content: str | bytes
    header: Literal["present", "absent"] | None = None

    def text(self) -> str:
        """The content; raises Unreadable where it is no text."""
        if isinstance(self.content, str):
            return self.content.removeprefix("\ufeff")
        try:
            return self.content.decode().removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            raise Unreadable("a body is no UTF-8 text") from error

    def document(self) -> Any:
        """What a JSON body says, JSON Lines as a list; raises Unreadable."""
        text = self.text()
        if self.form == "json":
            try:
                return parse(text)
            except ValueError:
                if "\n" not in text.strip():
                    raise Unreadable(_NO_JSON) from None
        try:
            return [parse(line) for line in text.split("\n") if line.strip()]
        except ValueError as error:
            raise Unreadable(_NO_JSON) from error

    def lines(self) -> list[str] | None:
        """The lines of a CSV body that are not empty, None where a quote may hold the end of one; raises Unreadable."""
        text = self.text()
        return None if '"' in text else [line for line in _split(text) if line]

    def fields(self, *, single: bool = False) -> list[list[str | None]]:
        """The rows of a CSV body, an empty field None; raises Unreadable.

        An empty line is none, but where each is a *single* field it is an empty one.
        """
        text = self.text()
        try:
            rows: list[Any] = (
                list(csv.reader(io.StringIO(text, newline=""), strict=True))
                if '"' in text
                else [line.split(",") if line else [] for line in _split(text)]
            )
        except csv.Error as error:
            raise Unreadable(_NO_CSV) from error
        if single:
            rows = [row or [None] for row in rows]
        return [[field or None for field in row] if "" in row else row for row in rows if row]


def _split(text: str) -> list[str]:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.removesuffix("\n").split("\n") if text else []


def body(side: Any) -> Body:
    """The body that *side*, an event's endpointInput or endpointOutput, records; raises Unreadable."""
    if not isinstance(side, dict) or not isinstance(content := side.get("data"), str):
        raise Unreadable("an event has a side without data")
    encoding = str(side.get("encoding"))
    if encoding == "BASE64":
        try:
            content = base64.b64decode(content, validate=True)
        except ValueError as error:
            raise Unreadable("a body says that it is BASE64 and is not") from error
    form, header = _said(str(side.get("observedContentType") or ""), encoding)
    form = form or _form(content)
    if form == "csv" and content[:1] in ("{", "[", b"{", b"["):
        form = "json"  # some servers call every answer text/csv
    return Body(form, content, header)


@lru_cache(maxsize=64)
def _said(kind: str, encoding: str) -> tuple[Form | None, Literal["present", "absent"] | None]:
    kind, _, parameters = kind.lower().partition(";")
    parameters = parameters.replace(" ", "")
    form = _FORMS.get(kind.strip()) or _ENCODINGS.get(encoding)
    return form, "present" if "header=present" in parameters else "absent" if "header=absent" in parameters else None


def _form(content: str | bytes) -> Form:
    beginning = content[:16].encode() if isinstance(content, str) else content[:16]
    for magic, form in _MAGIC.items():
        if beginning.lstrip().startswith(magic):
            return form
    return "csv"
