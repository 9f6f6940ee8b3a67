"""How IAM compares a text with a pattern, and which policy variables it fills in first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

Context = Mapping[str, "str | list[str]"]
"""The condition keys of a request, in lower case; a list is a key of several values."""

SEGMENTS = 6
_PIECE = re.compile(r"\$\{(?P<literal>[*?$])\}|\$\{(?P<name>[^},]+?)(?:\s*,\s*'(?P<default>[^']*)')?\}|(?P<wild>[*?])")


class UnresolvedError(Exception):
    """A policy variable that the request has no value for: what names it matches nothing."""


def pattern(text: str, context: Context, *, wild: bool = True, ignore_case: bool = False) -> re.Pattern[str]:
    """The pattern of a policy's text with its variables filled in; what is filled in is never a wildcard."""
    return _filled(text, context, wild, ignore_case) if "${" in text else _plain(text, wild, ignore_case)


@cache
def _plain(text: str, wild: bool, ignore_case: bool) -> re.Pattern[str]:
    """The same for the many texts without variables."""
    return _filled(text, {}, wild, ignore_case)


def _filled(text: str, context: Context, wild: bool, ignore_case: bool) -> re.Pattern[str]:
    made, end = "", 0
    for found in _PIECE.finditer(text):
        made += re.escape(text[end : found.start()])
        end = found.end()
        if found["wild"]:
            made += {"*": ".*", "?": "."}[found["wild"]] if wild else re.escape(found["wild"])
        else:
            made += re.escape(found["literal"] or _variable(found["name"], found["default"], context))
    made += re.escape(text[end:])
    return re.compile(made, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _variable(name: str, default: str | None, context: Context) -> str:
    value = context.get(name.strip().lower(), default)
    if not isinstance(value, str):  # a key of several values cannot be a variable
        raise UnresolvedError(name)
    return value


def like(value: str, text: str, context: Context, *, ignore_case: bool = False) -> bool:
    """Whether a value has the form of a policy's text with `*` and `?`."""
    try:
        return pattern(text, context, ignore_case=ignore_case).fullmatch(value) is not None
    except UnresolvedError:
        return False


def equal(value: str, text: str, context: Context, *, ignore_case: bool = False) -> bool:
    """Whether a value is a policy's text, where `*` stands for itself."""
    try:
        return pattern(text, context, wild=False, ignore_case=ignore_case).fullmatch(value) is not None
    except UnresolvedError:
        return False


def action_like(action: str, text: str) -> bool:
    """Actions know no case and no variables."""
    return like(action.lower(), text.lower(), {})


def arn_like(value: str, text: str, context: Context) -> bool:
    """ARNs are compared part by part: a `*` in the account does not reach into the resource."""
    if text == "*":
        return True
    parts, wanted = value.split(":", SEGMENTS - 1), _split(text)
    if len(parts) < SEGMENTS or len(wanted) < SEGMENTS:
        return False
    return all(like(part, want, context) for part, want in zip(parts, wanted, strict=True))


@cache
def _split(text: str) -> tuple[str, ...]:
    """The six parts of an ARN; the colon inside `${aws:username}` parts nothing."""
    parts = [""]
    inside = False
    for at, letter in enumerate(text):
        inside = (inside and letter != "}") or text[at : at + 2] == "${"
        if letter == ":" and not inside and len(parts) < SEGMENTS:
            parts.append("")
        else:
            parts[-1] += letter
    return tuple(parts)
