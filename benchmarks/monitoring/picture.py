"""The comparison as a picture: seconds, CPU seconds and memory of each, and how ours grows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

_WIDTH, _LEFT, _BAR, _GAP, _HEAD = 900, 150, 18, 34, 46
_OURS, _OTHER = "#0b7a4b", "#9aa5b1"
_TEXT = 'font-family="system-ui, sans-serif" fill="#1f2933"'


def svg(figures: Mapping[str, Any], note: str) -> str:
    """Bars on a linear scale in each group, so that a length says what it is."""
    compared = {name: each["median"] for name, each in figures["compared"].items()}
    rows = figures["settings"]["compared"]
    groups = {
        f"{what}, {rows:,} rows": ({name: each[figure] for name, each in compared.items()}, unit)
        for what, figure, unit in (
            ("Seconds without start and reading (ours reads its file)", "inside_wall", "s"),
            ("CPU seconds of the whole process", "cpu", "s"),
            ("Peak memory", "peak_mb", "MB"),
        )
    }
    grown = {f"{int(size):,} rows": each["median"] for size, each in figures["growing"].items()}
    groups["Ours on more rows, seconds"] = ({name: each["wall"] for name, each in grown.items()}, "s")
    groups["Ours on more rows, peak memory"] = ({name: each["peak_mb"] for name, each in grown.items()}, "MB")
    parts: list[str] = []
    y = _HEAD
    for group, (values, unit) in groups.items():
        parts.append(_label(16, y, group, 15, bold=True))
        y += 10
        most = max(values.values(), default=1)
        for name, value in values.items():
            y += _BAR + 5
            parts += _bar(y, name, value / most, f"{_number(value)} {unit}")
        y += _GAP
    parts.append(_label(16, y, note, 11))
    height = y + 16
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}">'
    )
    title = _label(16, 22, "Monitoring: the same statistics of the same rows, by month", 13)
    return "\n".join([head, f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>', title, *parts, "</svg>\n"])


def _bar(y: int, name: str, share: float, told: str) -> list[str]:
    colour = _OTHER if name in ("nannyml", "evidently") else _OURS
    width = max(1.5, share * (_WIDTH - _LEFT - 130))
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
