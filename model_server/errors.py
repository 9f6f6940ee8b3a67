"""Why a request is refused: each reason is an exception with an HTTP status and a sentence for the caller."""

from __future__ import annotations

from typing import ClassVar


class PackageError(Exception):
    """The package under `$ML_ROOT/model` cannot be served; the message says what to mend."""


class Refused(Exception):  # noqa: N818  each is named after the answer that the caller gets
    """A request that gets no prediction; `code` is for programs, the message for people."""

    status: ClassVar[int]

    def __init__(self, code: str, message: str, *, field: str | None = None, row: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.field = field
        self.row = row

    def body(self) -> dict[str, str | int]:
        """The answer's members: code, message, and where known the field and the row (the first row is 0)."""
        members = {"code": self.code, "message": str(self), "field": self.field, "row": self.row}
        return {name: value for name, value in members.items() if value is not None}


class BadRequest(Refused):
    """The body cannot be read as what its content type says."""

    status = 400


class NotFound(Refused):
    """There is no such route."""

    status = 404


class MethodNotAllowed(Refused):
    """The route exists for another method."""

    status = 405


class NotAcceptable(Refused):
    """The caller accepts none of the types that answers come in."""

    status = 406


class Late(Refused):
    """The request takes too long to arrive."""

    status = 408


class TooLarge(Refused):
    """The body is larger than this server reads."""

    status = 413


class UnsupportedType(Refused):
    """The body's content type, or its encoding, is not one that the model reads."""

    status = 415


class Violation(Refused):
    """A row breaks the model's schema; without a row, a whole column does."""

    status = 422

    def __init__(self, code: str, sentence: str, *, field: str | None = None, row: int | None = None) -> None:
        super().__init__(code, sentence if row is None else f"row {row}: {sentence}", field=field, row=row)
        self._sentence = sentence

    def moved(self, rows: int) -> Violation:
        """The same of a row that is *rows* further down."""
        row = None if self.row is None else self.row + rows
        return Violation(self.code, self._sentence, field=self.field, row=row)


class HeadTooLarge(Refused):
    """The request's line and headers are larger than this server reads."""

    status = 431


class Failed(Refused):
    """The fault is ours."""

    status = 500


class NotReady(Refused):
    """The model is not loaded yet, the server is about to stop, or a worker has no place for a connection."""

    status = 503
