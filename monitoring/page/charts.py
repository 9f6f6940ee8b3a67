"""Charts of numbers over periods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitoring.page import naming
from monitoring.page.facts import Reading
from monitoring.page.formatting import number
from monitoring.page.markup import EMPTY, Markup, join, tag
from monitoring.page.scales import Frame, Horizontal, Vertical, vertical

WIDTH, HEIGHT = 380, 196
FRAME = Frame(left=44, right=WIDTH - 6, top=10, bottom=HEIGHT - 34)
LETTER = 6.2
"""How wide a digit of an axis is, about."""
READABLE = 150
"""Of more periods a column is too narrow to rest a pointer on, and to mark a number in."""


@dataclass(frozen=True)
class Series:
    """A line: what it is called, what it looks like, and its number in each period."""

    label: str
    look: str
    readings: Sequence[Reading]


def line_chart(keys: Sequence[str], series: Sequence[Series], finding: str, *, zero: bool = False) -> Markup:
    """Lines over periods with their bands, thresholds and alerts."""
    readings = [reading for each in series for reading in each.readings]
    bounds = [
        bound
        for each in readings
        for bound in (each.value, each.lower, each.upper, each.lower_threshold, each.upper_threshold)
    ]
    y = vertical(bounds, FRAME, zero=zero)
    longest = max((len(label) for _, label in y.ticks()), default=1)
    frame = replace(FRAME, left=12 + LETTER * longest)
    y, x = replace(y, frame=frame), Horizontal.over(keys, frame)
    return svg(
        finding,
        grid(y, zero=zero),
        calendar(x),
        join(_band(each, x, y) for each in series if each.look != "realized"),
        _thresholds(series, x, y),
        join(_line(each, x, y) for each in series),
        join(_alerts(each, x, y) for each in series),
        columns(x, [_said(series, index) for index in range(len(keys))]),
    )


def svg(finding: str, *parts: Markup, width: float = WIDTH, height: float = HEIGHT, look: str = "plot") -> Markup:
    """A drawing that says in words what it shows."""
    box = f"0 0 {width:g} {height:g}"
    return tag("svg", tag("title", finding), *parts, class_=look, viewBox=box, role="img", aria_label=finding)


def grid(y: Vertical, *, zero: bool = False) -> Markup:
    """The axis of values."""
    lines = []
    for value, label in y.ticks():
        height = place(y.at(value))
        base = "base" if zero and value == 0 else None
        lines.append(tag("path", d=f"M{place(y.frame.left)} {height}H{place(y.frame.right)}", class_=base))
        lines.append(tag("text", label, x=place(y.frame.left - 6), y=place(y.at(value) + 3.8), text_anchor="end"))
    return tag("g", *lines, class_="grid")


def calendar(x: Horizontal) -> Markup:
    """The axis of periods: short names, and the year where it changes."""
    room = max(len(naming.period(key).short) for key in x.keys) * LETTER + 18 if x.keys else 1
    marks, group = [], ""
    for index in naming.ticks(x.keys, max(2, int(x.frame.width // max(room, 58)))):
        name, middle = naming.period(x.keys[index]), place(x.at(index))
        marks.append(tag("path", d=f"M{middle} {place(x.frame.bottom)}v4"))
        label = name.short if len(name.short) <= 12 else f"{name.short[:11]}…"
        marks.append(tag("text", label, x=middle, y=place(x.frame.bottom + 16), text_anchor="middle"))
        if name.group != group:
            marks.append(tag("text", name.group, x=middle, y=place(x.frame.bottom + 29), text_anchor="middle"))
        group = name.group
    return tag("g", *marks, class_="calendar")


def columns(x: Horizontal, texts: Sequence[str]) -> Markup:
    """What can be read of each period where a pointer rests on it."""
    if len(x.keys) > READABLE:
        return EMPTY
    frame = x.frame
    rects = [
        tag(
            "rect", tag("title", f"{naming.period(key).full}: {said}"), x=place(x.at(index) - x.column / 2),
            y=place(frame.top), width=place(x.column), height=place(frame.height),
        )
        for index, (key, said) in enumerate(zip(x.keys, texts, strict=True))
    ]  # fmt: skip
    return tag("g", *rects, class_="columns")


def place(value: float) -> str:
    """A coordinate, to a tenth."""
    return f"{round(value, 1) + 0:.1f}".removesuffix(".0")


def outside(reading: Reading) -> str | None:
    """On which side of its thresholds a number is; None where it is within them or nothing is known."""
    if reading.value is None:
        return None
    if reading.lower_threshold is not None and reading.value < reading.lower_threshold:
        return "below"
    if reading.upper_threshold is not None and reading.value > reading.upper_threshold:
        return "above"
    return None


def _band(series: Series, x: Horizontal, y: Vertical) -> Markup:
    bands = [
        (each.lower, each.upper) if each.lower is not None and each.upper is not None else None
        for each in series.readings
    ]
    shapes = []
    for run in x.runs([band is not None for band in bands]):
        known = [(x.at(index), band) for index in run if (band := bands[index])]
        if len(known) == 1:
            known = [(known[0][0] + side, known[0][1]) for side in (-2.5, 2.5)]
        above = [f"{place(across)} {place(y.at(band[1]))}" for across, band in known]
        below = [f"{place(across)} {place(y.at(band[0]))}" for across, band in reversed(known)]
        shapes.append(f"M{'L'.join(above + below)}Z")
    return tag("path", d="".join(shapes), class_=f"band {series.look}") if shapes else EMPTY


def _line(series: Series, x: Horizontal, y: Vertical) -> Markup:
    values = [each.value for each in series.readings]
    runs = x.runs([value is not None for value in values])
    points = {index: (x.at(index), y.at(value)) for index, value in enumerate(values) if value is not None}
    path = "".join(
        "M" + "L".join(f"{place(points[index][0])} {place(points[index][1])}" for index in run)
        for run in runs
        if len(run) > 1
    )
    is_marked = series.look == "realized" and len(x.keys) <= READABLE
    marked = points if is_marked else {run[0]: points[run[0]] for run in runs if len(run) == 1}
    size = place(min(2.6, max(x.column * 0.45, 1)))
    dots = [tag("circle", cx=place(across), cy=place(down), r=size) for across, down in marked.values()]
    line = tag("path", d=path) if path else EMPTY
    return tag("g", line, *dots, class_=f"line {series.look}") if points else EMPTY


def _alerts(series: Series, x: Horizontal, y: Vertical) -> Markup:
    marks = [
        diamond(x.at(index), y.at(each.value), size=min(4.6, max(x.column * 0.7, 2)))
        for index, each in enumerate(series.readings)
        if each.alert and each.value is not None
    ]
    return tag("path", d="".join(marks), class_=f"alert {series.look}") if marks else EMPTY


def diamond(across: float, down: float, size: float = 4.6) -> str:
    """The path of an alert's mark."""
    side = place(size)
    return f"M{place(across)} {place(down - size)}l{side} {side} -{side} {side} -{side} -{side}Z"


def _thresholds(series: Sequence[Series], x: Horizontal, y: Vertical) -> Markup:
    paths: dict[str, None] = {}
    for side in ("lower_threshold", "upper_threshold"):
        limits = [[getattr(reading, side) for reading in each.readings] for each in series]
        together = [{limit for limit in column if limit is not None} for column in zip(*limits, strict=True)]
        if all(len(each) <= 1 for each in together):
            limits = [[next(iter(each), None) for each in together]]
        paths |= {_stairs(each, x, y): None for each in limits}
    return tag("path", d="".join(paths), class_="threshold") if any(paths) else EMPTY


def _stairs(limits: Sequence[float | None], x: Horizontal, y: Vertical) -> str:
    path = ""
    for run in x.runs([limit is not None for limit in limits]):
        heights = [(index, place(y.at(limit))) for index in run if (limit := limits[index]) is not None]
        half, last = x.column / 2, heights[0][1]
        path += f"M{place(x.at(run[0]) - half)} {last}"
        for index, height in heights:
            path += "" if height == last else f"H{place(x.at(index) - half)}V{height}"
            last = height
        path += f"H{place(x.at(run[-1]) + half)}"
    return path


def _said(series: Sequence[Series], index: int) -> str:
    return "; ".join(read_out(each.label, each.readings[index]) for each in series)


def read_out(label: str, reading: Reading) -> str:
    """A number in words: with its band, and the limit that it crossed."""
    if reading.value is None:
        return f"{label} not known"
    said = f"{label} {number(reading.value)}"
    if reading.lower is not None and reading.upper is not None:
        said += f" ({number(reading.lower)} to {number(reading.upper)})"
    if (side := outside(reading)) is not None:
        limit = reading.lower_threshold if side == "below" else reading.upper_threshold
        return f"{said}, {side} its threshold {number(limit)}"
    return f"{said}, alert" if reading.alert else said
