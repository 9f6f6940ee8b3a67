"""The lamps: each tier has a colour, a shape, a sign and a word."""

from __future__ import annotations

from urllib.parse import quote

from monitoring.page.markup import Markup, join, tag

SHAPES = {
    "green": ("M12 1a11 11 0 1 0 0 22a11 11 0 1 0 0-22Z", "M6.8 12.6l3.6 3.7l6.9-8", "#1a8a5f"),
    "yellow": ("M12 1.6L23.4 22H.6Z", "M12 8.6v6.2M12 18.4v.2", "#f2b01e"),
    "red": ("M7.4 1h9.2L23 7.4v9.2L16.6 23H7.4L1 16.6V7.4Z", "M8 8l8 8M16 8l-8 8", "#c92a2a"),
    "unknown": (
        "M12 1a11 11 0 1 0 0 22a11 11 0 1 0 0-22Z",
        "M8.9 9.4a3.1 3.1 0 1 1 4.6 2.7c-1 .6-1.5 1.1-1.5 2.3M12 17.6v.2",
        "#6f7681",
    ),
}
MEANINGS = {
    "green": "nothing to do",
    "yellow": "worth a look",
    "red": "act now",
    "unknown": "cannot be judged",
}


def sprite() -> Markup:
    """The lamps that the page uses, drawn once."""
    symbols = [
        tag(
            "symbol", tag("path", d=shape, class_=f"glass {tier}"), tag("path", d=sign, class_=f"sign {tier}"),
            id=f"lamp-{tier}", viewBox="0 0 24 24",
        )
        for tier, (shape, sign, _) in SHAPES.items()
    ]  # fmt: skip
    return tag("svg", *symbols, class_="sprite", aria_hidden="true", width=0, height=0)


def lamp(tier: str, *, look: str = "lamp") -> Markup:
    """A lamp; the word stands beside it."""
    return tag("svg", tag("use", href=f"#lamp-{tier}"), class_=look, viewBox="0 0 24 24", aria_hidden="true")


def badge(tier: str) -> Markup:
    """A small lamp and its word."""
    return tag("span", lamp(tier), tier, class_="badge")


def icon(tier: str) -> str:
    """The lamp for the browser's tab, as an address that holds the drawing."""
    shape, sign, colour = SHAPES[tier]
    stroke = "#2b2100" if tier == "yellow" else "#fff"
    drawing = join(
        [
            tag("path", d=shape, fill=colour),
            tag("path", d=sign, fill="none", stroke=stroke, stroke_width=2.6, stroke_linecap="round"),
        ]
    )
    box = tag("svg", drawing, xmlns="http://www.w3.org/2000/svg", viewBox="0 0 24 24")
    return f"data:image/svg+xml,{quote(box, safe=' =:/')}"
