"""Figures by the second as an SVG picture that stands within a page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 560, 250, 52, 12, 34, 34


class Line(NamedTuple):
    """A name, its colour (a CSS variable of the page), and a value for each second (None for none)."""

    name: str
    colour: str
    values: Sequence[float | None]
    area: bool = False


def svg(title: str, lines: Sequence[Line], *, limit: float | None = None, limit_name: str = "") -> str:
    """The picture; *limit* is a dashed line, drawn where it lies within twice of what there is."""
    values = [value for line in lines for value in line.values if value is not None]
    most = max(values, default=1.0)
    shown = limit is not None and limit <= 2 * most
    top = _round_up(max([most, limit] if shown and limit is not None else [most]))
    count = max((len(line.values) for line in lines), default=1)
    parts = [*_grid(top), *_seconds(count)]
    for line in lines:
        parts += _drawn(line, count, top)
    if shown and limit is not None:
        y = _y(limit, top)
        parts.append(f'<line class="limit" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(_WIDTH - _RIGHT, y - 5, limit_name, "end", "bad"))
    parts += _legend(lines)
    label = escape(title, quote=True)
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _grid(top: float) -> list[str]:
    parts = []
    for part in range(5):
        value = top * part / 4
        y = _y(value, top)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(_LEFT - 8, y + 4, f"{value:,.4g}", "end", "soft"))
    return parts


def _seconds(count: int) -> list[str]:
    step = max(1, _round_up(count / 6))
    places = range(0, count, int(step))
    return [_text(_x(place, count), _HEIGHT - 12, f"{place} s", "middle", "soft") for place in places]


def _drawn(line: Line, count: int, top: float) -> list[str]:
    points = [(_x(place, count), _y(value, top)) for place, value in enumerate(line.values) if value is not None]
    if not points:
        return []
    path = "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points)
    colour = f"var(--{line.colour})"
    parts = [f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2.2" stroke-linejoin="round"/>']
    if line.area:
        foot = _y(0, top)
        area = f"{path}L{points[-1][0]:.1f},{foot:.1f}L{points[0][0]:.1f},{foot:.1f}Z"
        parts.insert(0, f'<path d="{area}" fill="{colour}" opacity="0.14"/>')
    if len(points) == 1:
        parts.append(f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="3" fill="{colour}"/>')
    return parts


def _legend(lines: Sequence[Line]) -> list[str]:
    parts, x = [], float(_LEFT)
    for line in lines:
        parts.append(f'<rect x="{x:.1f}" y="9" width="12" height="12" rx="3" fill="var(--{line.colour})"/>')
        parts.append(_text(x + 18, 20, line.name, "start", ""))
        x += 34 + 8.2 * len(line.name)
    return parts


def _text(x: float, y: float, text: str, anchor: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _x(place: int, count: int) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (place / (count - 1) if count > 1 else 0.5)


def _y(value: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * min(value, top) / top


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 5, 8 or 10 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1, 2, 4, 5, 8, 10, 20) if factor * power >= value)
