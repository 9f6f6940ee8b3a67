"""Long lists in pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from local_aws.errors import AwsError

T = TypeVar("T")


def page(items: Sequence[T], token: str | None, size: int, error: str) -> tuple[list[T], dict[str, Any]]:
    """The page of `items` that a token stands for, and `nextToken` as a member of the answer when there are more.

    A token that was not given here is refused with the error code `error`.
    """
    start = int(token) if token and token.isdecimal() else 0
    if token and (not token.isdecimal() or start >= len(items)):
        raise AwsError(error, f"The nextToken {token!r} was not given by this list; leave it out to start again.")
    end = start + size
    return list(items[start:end]), {"nextToken": str(end)} if end < len(items) else {}
