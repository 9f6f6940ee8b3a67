"""Shares then and now, and the small drawings of a feature's row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.page.charts import diamond, place, svg
from monitoring.page.formatting import percent
from monitoring.page.markup import EMPTY, Markup, join, shorten, tag
from monitoring.page.scales import Frame, Horizontal, Vertical

SHOWN = 12
WIDTH, ROW = 380, 22
NAMES, ENDS = 104, 292


@dataclass(frozen=True)
class Share:
    """A bin, and its share of the reference and of the period."""

    name: str
    then: float
    now: float
    is_rest: bool = False

    @property
    def change(self) -> float:
        return abs(self.now - self.then)


def shares(bins: Sequence[str], then: Sequence[float | None], now: Sequence[float | None]) -> list[Share]:
    """The bins that are worth a row: all in their order if they are few, else the largest changes and the rest."""
    if not bins or len({len(bins), len(then), len(now)}) > 1:
        return []
    rows = [Share(name, a or 0, b or 0) for name, a, b in zip(bins, then, now, strict=True)]
    if rows[-1].name == "null":
        rows[-1] = Share("missing", rows[-1].then, rows[-1].now)
    rows = [row for row in rows if row.then > 0 or row.now > 0]
    if len(rows) <= SHOWN + 1:
        return rows
    rows.sort(key=lambda row: -row.change)
    rest = rows[SHOWN:]
    name = f"the rest ({len(rest):,})"
    then_all, now_all = sum(row.then for row in rest), sum(row.now for row in rest)
    return [*rows[:SHOWN], Share(name, then_all, now_all, is_rest=True)]


def distribution(rows: Sequence[Share], finding: str) -> Markup:
    """Two bars for each bin: the reference's share, and the period's."""
    longest = max(max(row.then, row.now) for row in rows) or 1
    return svg(
        finding,
        join(_row(row, place, longest) for place, row in enumerate(rows)),
        width=WIDTH,
        height=ROW * len(rows) + 4,
        look="shares",
    )


def most_changed(rows: Sequence[Share]) -> str:
    """In words where the shares changed most."""
    row = max([row for row in rows if not row.is_rest], key=lambda each: each.change)
    return f"“{shorten(row.name, 40)}” went from {percent(row.then)} to {percent(row.now)} of the rows"


def _row(row: Share, index: int, longest: float) -> Markup:
    top = index * ROW + 2
    full = ENDS - NAMES - 8
    name = tag("text", shorten(row.name, 17), x=NAMES - 8, y=top + 14, text_anchor="end", class_="bin")
    bars = [
        tag("rect", x=NAMES, y=top + 2, width=place(full * row.then / longest), height=7, class_="then"),
        tag("rect", x=NAMES, y=top + 9, width=place(full * row.now / longest), height=7, class_="now"),
    ]
    said = tag(
        "text",
        f"{percent(row.then, aligned=True)} → {percent(row.now, aligned=True)}",
        x=WIDTH,
        y=top + 14,
        text_anchor="end",
    )
    return tag("g", tag("title", f"{row.name}: {percent(row.then)}, now {percent(row.now)}"), name, *bars, said)


def sparkline(
    keys: Sequence[str], values: Sequence[float | None], limits: Sequence[float | None], finding: str
) -> Markup:
    """A line over periods without axes: its limit dashed, what is over it marked."""
    frame = Frame(left=4, right=176, top=5, bottom=35)
    known = [each for each in [*values, *limits] if each is not None]
    if len(keys) < 2:
        return EMPTY
    x, y = Horizontal.over(keys, frame), Vertical(0, max([*known, 0]) * 1.04 or 1, frame)
    runs = x.runs([value is not None for value in values])
    points = {index: (x.at(index), y.at(value)) for index, value in enumerate(values) if value is not None}
    path = "".join("M" + "L".join(f"{place(points[i][0])} {place(points[i][1])}" for i in run) for run in runs)
    marks = "".join(
        diamond(*points[index], size=3.2)
        for index, (value, limit) in enumerate(zip(values, limits, strict=True))
        if value is not None and limit is not None and value > limit
    )
    limit = next((each for each in reversed(limits) if each is not None), None)
    across = f"M{place(frame.left)} {place(y.at(limit))}H{place(frame.right)}" if limit is not None else ""
    return svg(
        finding,
        tag("path", d=f"M{place(frame.left)} {place(frame.bottom)}H{place(frame.right)}", class_="base"),
        tag("path", d=across, class_="threshold") if across else EMPTY,
        tag("path", d=path, class_="line") if path else EMPTY,
        tag("path", d=marks, class_="alert") if marks else EMPTY,
        *[tag("circle", cx=place(a), cy=place(b), r=1.6) for a, b in list(points.values())[-1:] if not marks],
        width=180,
        height=40,
        look="spark",
    )


def lever(value: float | None, largest: float) -> Markup:
    """A bar to the left or right of nothing, as long as a contribution is large."""
    length = 60 * abs(value or 0) / (largest or 1)
    start = 64 - length if (value or 0) < 0 else 64
    bar = tag("rect", x=place(start), y=3, width=place(length), height=10)
    return tag("svg", bar, tag("path", d="M64 0V16"), class_="lever", viewBox="0 0 128 16", aria_hidden="true")
