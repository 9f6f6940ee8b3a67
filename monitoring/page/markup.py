"""HTML and SVG as strings that cannot be mistaken for text: whatever is not markup is escaped."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

VOID = frozenset({"meta", "link", "br", "hr"})
SPACES = re.compile(r"[\t\r\n]")
HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


class Markup(str):
    """A string that is markup already, and goes onto the page as it is."""

    __slots__ = ()


EMPTY = Markup()


def plain(value: object) -> str:
    """What can be shown of a text: control characters, halves of characters and turns of direction cannot."""
    return HIDDEN.sub("\ufffd", SPACES.sub(" ", str(value)))


def escape(value: object) -> Markup:
    """The markup that shows a text."""
    return value if isinstance(value, Markup) else Markup(html.escape(plain(value)))


def join(parts: Iterable[object], between: str = "") -> Markup:
    """Markup after markup, each text among them escaped."""
    return Markup(escape(between).join(escape(part) for part in parts))


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """An element; `class_` is class, `stroke_width` is stroke-width, and an attribute that is None is left out."""
    said = "".join(f' {_attribute(key)}="{escape(value)}"' for key, value in attributes.items() if value is not None)
    if name in VOID:
        return Markup(f"<{name}{said}>")
    return Markup(f"<{name}{said}>{join(children)}</{name}>")


def _attribute(key: str) -> str:
    return key if key == "viewBox" else key.rstrip("_").replace("_", "-")


def shorten(value: object, length: int) -> str:
    """A text of at most so many characters."""
    text = plain(value)
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"
