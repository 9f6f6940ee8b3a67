"""A chart of how many rows there were, and how many of them have a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitoring.page.charts import FRAME, LETTER, calendar, columns, grid, place, svg
from monitoring.page.facts import Period
from monitoring.page.formatting import count, percent
from monitoring.page.markup import EMPTY, Markup, tag
from monitoring.page.scales import Horizontal, Vertical, vertical


def amounts(periods: Sequence[Period], finding: str) -> Markup:
    """A column of rows for each period, filled as far as there are labels."""
    keys = [period.key for period in periods]
    y = vertical([0, *[period.n for period in periods]], FRAME, zero=True)
    longest = max((len(label) for _, label in y.ticks()), default=1)
    frame = replace(FRAME, left=12 + LETTER * longest)
    y, x = replace(y, frame=frame), Horizontal.over(keys, frame)
    rows = "".join(_column(x, y, index, period.n) for index, period in enumerate(periods))
    labelled = "".join(_column(x, y, index, period.labelled) for index, period in enumerate(periods))
    return svg(
        finding,
        grid(y, zero=True),
        calendar(x),
        tag("path", d=rows, class_="amount") if rows else EMPTY,
        tag("path", d=labelled, class_="labelled") if labelled else EMPTY,
        columns(x, [said(period) for period in periods]),
    )


def said(period: Period) -> str:
    """How many rows a period has, and how many labels."""
    if period.n is None:
        return "the number of rows is not known"
    labels = f"{count(period.labelled)} labels ({percent(period.coverage)})" if period.labelled else "no labels"
    return f"{count(period.n)} rows, {labels}"


def _column(x: Horizontal, y: Vertical, index: int, amount: float | None) -> str:
    if not amount or amount < 0:
        return ""
    width = min(max(x.column * 0.72, 1), 40)
    left, bottom = place(x.at(index) - width / 2), place(y.frame.bottom)
    return f"M{left} {bottom}V{place(y.at(amount))}h{place(width)}V{bottom}Z"
