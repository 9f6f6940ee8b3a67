"""What a check says: one line, and where something is missing, what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

T = TypeVar("T")
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")


@dataclass(frozen=True)
class Said:
    """A line of the report."""

    state: Literal["ok", "warning", "failed"]
    text: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.state:8} {self.text}{f' -> {self.fix}' if self.fix else ''}"


Check = Callable[[T], Iterable[Said]]
"""A check of something; the first line of its docstring says what it looks at."""


def ok(text: str) -> Said:
    return Said("ok", text)


def warning(text: str, fix: str) -> Said:
    return Said("warning", text, fix)


def failed(text: str, fix: str) -> Said:
    return Said("failed", text, fix)


def not_checked(what: str, why: str, fix: str = "") -> Said:
    """Nobody has looked, which is not the same as good."""
    return Said("warning", f"not checked: {what}: {why}", fix)


def run(checks: Sequence[Check[T]], subject: T) -> Iterator[Said]:
    """What the checks say, one after the other; what AWS does not answer is not checked."""
    for check in checks:
        what = (check.__doc__ or check.__name__).splitlines()[0].rstrip(".")
        try:
            yield from check(subject)
        except ClientError as error:
            reason = error.response["Error"]
            code, message = reason.get("Code", ""), reason.get("Message", "")
            denied = code in _DENIED or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 403
            fix = "sign in with a role that may read this; AWS's policy ReadOnlyAccess can" if denied else ""
            yield not_checked(what, f"{code}: {message}".rstrip(".") + ".", fix)
        except BotoCoreError as error:
            yield not_checked(what, str(error))
