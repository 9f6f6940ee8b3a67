"""How the model does for the values of a sensitive feature, one by one."""

from __future__ import annotations

from collections.abc import Mapping

from monitoring.page import naming
from monitoring.page.blocks import section, table
from monitoring.page.facts import Period, Reading, Report, Segment
from monitoring.page.formatting import count, number
from monitoring.page.markup import EMPTY, Markup, shorten, tag

SHOWN = 40


def render(report: Report) -> Markup:
    """The section of segments; nothing where the model names no sensitive feature."""
    latest = report.latest
    known = {name: values for name, values in latest.segments.items() if values} if latest else {}
    if latest is None or not known:
        return EMPTY
    parts = [_feature(latest, name, values) for name, values in known.items()]
    lede = f"{naming.starting(naming.when(latest.key))}, by the values of each sensitive feature. "
    lede += "The worst of each column is underlined; small segments swing by chance."
    return section("segments", "Segments", lede, *parts)


def _feature(latest: Period, name: str, values: Mapping[str, Segment]) -> Markup:
    kinds = [kind for kind in ("realized", "estimated") if any(_of(each, kind) for each in values.values())]
    keys = naming.in_order([*{key for each in values.values() for kind in kinds for key in _of(each, kind)}])
    columns = [(kind, key) for kind in kinds for key in keys if any(key in _of(each, kind) for each in values.values())]
    whole = [count(latest.n), *[number(_whole(latest, kind, key)) for kind, key in columns]]
    rows = [["all rows", *whole]]
    lowest = {column: _worst(values, *column) for column in columns}
    shown = sorted(values.items(), key=lambda pair: -(pair[1].n or 0))
    for value, segment in shown[:SHOWN]:
        cells = [_cell(_of(segment, kind).get(key), is_lowest=lowest[kind, key] == value) for kind, key in columns]
        rows.append([tag("bdi", value), count(segment.n), *cells])
    head = ["Value", "Rows", *[_head(kind, key) for kind, key in columns]]
    more = f" {len(shown) - SHOWN:,} smaller segments are left out." if len(shown) > SHOWN else ""
    heading = tag("h3", tag("bdi", name))
    gap = tag("p", f"{_gap(values, columns)}{more}", class_="note")
    return tag(
        "div", heading, gap, table(head, rows, f"Segments of {shorten(name, 60)}", look="segments"), class_="part"
    )


def _of(segment: Segment, kind: str) -> Mapping[str, float]:
    return segment.realized if kind == "realized" else segment.estimated


def _whole(latest: Period, kind: str, key: str) -> float | None:
    return (latest.realized if kind == "realized" else latest.estimated).get(key, Reading()).value


def _head(kind: str, key: str) -> Markup:
    return tag("span", naming.metric(key), tag("small", kind), class_="stacked")


def _cell(value: float | None, *, is_lowest: bool) -> Markup:
    mark = tag("span", "worst: ", class_="unseen") if is_lowest else EMPTY
    return tag("td", mark, number(value), class_="lowest" if is_lowest else None)


def _worst(values: Mapping[str, Segment], kind: str, key: str) -> str | None:
    known = {value: _of(each, kind)[key] for value, each in values.items() if key in _of(each, kind)}
    if len(set(known.values())) < 2:
        return None
    pick = max if key in {"mae", "rmse"} else min
    return pick(known, key=lambda value: known[value])


def _gap(values: Mapping[str, Segment], columns: list[tuple[str, str]]) -> str:
    for kind, key in columns:
        known = {value: _of(each, kind)[key] for value, each in values.items() if key in _of(each, kind)}
        if len(known) > 1:
            high, low = max(known, key=lambda value: known[value]), min(known, key=lambda value: known[value])
            between = f"between “{shorten(high, 40)}” and “{shorten(low, 40)}”"
            return f"Widest gap of {kind} {naming.metric(key)}: {number(known[high] - known[low])}, {between}."
    return ""
