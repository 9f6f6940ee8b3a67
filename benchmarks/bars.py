"""Figures as bars on a linear scale in each group, so that a length says what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

OURS, OTHER, FLOOR = "#0b7a4b", "#9aa5b1", "#d9dee4"

_WIDTH, _LEFT, _BAR, _GAP, _HEAD = 900, 150, 18, 34, 46
_TEXT = 'font-family="system-ui, sans-serif" fill="#1f2933"'


class Bar(NamedTuple):
    """A figure, what is written beside its bar, and the bar's colour."""

    name: str
    value: float
    told: str
    colour: str


def svg(title: str, groups: Mapping[str, Sequence[Bar]], note: str, *, room: int) -> str:
    """The picture; *room* is left for what is written beside the longest bar, in pixels."""
    parts: list[str] = []
    y = _HEAD
    for group, bars in groups.items():
        parts.append(_label(16, y, group, 15, bold=True))
        y += 10
        most = max((bar.value for bar in bars), default=1)
        for bar in bars:
            y += _BAR + 5
            parts += _drawn(y, bar, max(1.5, bar.value / most * (_WIDTH - _LEFT - room)))
        y += _GAP
    parts.append(_label(16, y, note, 11))
    height = y + 16
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}">'
    )
    above = [head, f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>', _label(16, 22, title, 13)]
    return "\n".join([*above, *parts, "</svg>\n"])


def number(value: float) -> str:
    """A figure as it is written beside a bar."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _drawn(y: int, bar: Bar, width: float) -> list[str]:
    return [
        f'<text x="{_LEFT - 8}" y="{y}" font-size="13" text-anchor="end" {_TEXT}>{escape(bar.name)}</text>',
        f'<rect x="{_LEFT}" y="{y - 13}" width="{width:.1f}" height="{_BAR - 2}" fill="{bar.colour}"/>',
        _label(_LEFT + width + 6, y, bar.told, 13),
    ]


def _label(x: float, y: float, text: str, size: int, *, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:.1f}" y="{y}" font-size="{size}"{weight} {_TEXT}>{escape(text)}</text>'
