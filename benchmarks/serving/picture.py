"""The figures as a picture: requests a second of each server, by case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

_WIDTH, _LEFT, _BAR, _GAP, _HEAD = 900, 150, 18, 34, 46
_OURS, _OTHER, _FLOOR = "#0b7a4b", "#9aa5b1", "#d9dee4"
_TEXT = 'font-family="system-ui, sans-serif" fill="#1f2933"'


def svg(windows: Mapping[str, Mapping[str, Mapping[str, Any]]], note: str) -> str:
    """Bars on a linear scale in each case, so that a length says what it is."""
    parts: list[str] = []
    y = _HEAD
    for case, servers in windows.items():
        parts.append(_label(16, y, case, 15, bold=True))
        y += 10
        most = max(figures["rate"] for figures in servers.values())
        for name, figures in sorted(servers.items(), key=lambda each: -each[1]["rate"]):
            y += _BAR + 5
            parts += _bar(y, name, figures, most)
        y += _GAP
    parts.append(_label(16, y, note, 11))
    height = y + 16
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}">'
    )
    title = _label(16, 22, "Requests a second on two cores, load generator included (p99 in brackets)", 13)
    return "\n".join([head, f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>', title, *parts, "</svg>\n"])


def _bar(y: int, name: str, figures: Mapping[str, Any], most: float) -> list[str]:
    colour = {"ours": _OURS, "constant": _FLOOR}.get(name, _OTHER)
    width = max(1.5, figures["rate"] / most * (_WIDTH - _LEFT - 190))
    told = f"{_number(figures['rate'])}  ({_number(figures['p99'])} ms)"
    return [
        f'<text x="{_LEFT - 8}" y="{y}" font-size="13" text-anchor="end" {_TEXT}>{escape(name)}</text>',
        f'<rect x="{_LEFT}" y="{y - 13}" width="{width:.1f}" height="{_BAR - 2}" fill="{colour}"/>',
        _label(_LEFT + width + 6, y, told, 13),
    ]


def _label(x: float, y: float, text: str, size: int, *, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:.1f}" y="{y}" font-size="{size}"{weight} {_TEXT}>{escape(text)}</text>'


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
