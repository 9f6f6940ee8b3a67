"""Performance over time: a small chart for each metric."""

from __future__ import annotations

from monitoring.page import naming
from monitoring.page.amounts import amounts, said
from monitoring.page.blocks import alert_mark, figure, section
from monitoring.page.charts import Series, line_chart, outside, read_out
from monitoring.page.facts import Period, Reading, Report
from monitoring.page.formatting import counted, listed, number
from monitoring.page.markup import EMPTY, Markup, join, tag

KINDS = ("estimated", "realized")
UNKNOWN = Reading()


def render(report: Report) -> Markup:
    """The section of performance."""
    keys = {key for period in report.periods for key in (*period.estimated, *period.realized)}
    known = [key for key in naming.in_order([*keys]) if any(_known(period, key) for period in report.periods)]
    if report.latest is None or not known:
        return section("performance", "Performance", "The report has no number of how well the model does.")
    charts = [_chart(report, report.latest, key) for key in known]
    if len(report.periods) > 1 and any(period.n is not None for period in report.periods):
        charts.append(_rows(report, report.latest))
    silent = naming.in_order([key for key in keys if key not in known])
    note = f"Not known in any period: {listed([naming.metric(key) for key in silent])}." if silent else ""
    lede = join([_lede(report.latest, known), f" {note}"])
    return section("performance", "Performance", lede, legend(), tag("div", *charts, class_="charts"))


def legend() -> Markup:
    """What the lines of all charts mean."""
    signs = {
        "estimated": "estimated without labels, with its band",
        "realized": "realized, from labels",
        "threshold": "threshold: beyond it is not normal",
        "alert": "alert",
    }
    drawings = {
        "estimated": [tag("path", d="M1 2H29V14H1Z", class_="band estimated"), tag("path", d="M1 8H29")],
        "realized": [tag("path", d="M1 8H29"), tag("circle", cx=15, cy=8, r=3)],
        "threshold": [tag("path", d="M1 8H29", class_="threshold")],
        "alert": [tag("path", d="M15 2.5l5.5 5.5-5.5 5.5-5.5-5.5Z", class_="alert")],
    }
    entries = [
        tag("li", tag("svg", *drawings[key], viewBox="0 0 30 16", aria_hidden="true", class_=f"line {key}"), text)
        for key, text in signs.items()
    ]
    return tag("ul", *entries, class_="legend")


def _known(period: Period, key: str) -> bool:
    return any(_of(period, kind).get(key, UNKNOWN).value is not None for kind in KINDS)


def _of(period: Period, kind: str) -> dict[str, Reading]:
    return dict(period.estimated if kind == "estimated" else period.realized)


def _chart(report: Report, latest: Period, key: str) -> Markup:
    series = [Series(kind, kind, [_of(period, kind).get(key, UNKNOWN) for period in report.periods]) for kind in KINDS]
    name, hint = naming.METRICS.get(key, (key, ""))
    readings = [_of(latest, kind).get(key, UNKNOWN) for kind in KINDS]
    alert = any(reading.alert for reading in readings)
    alerts = sum(any(_of(period, kind).get(key, UNKNOWN).alert for kind in KINDS) for period in report.periods)
    words = "; ".join(read_out(kind, reading) for kind, reading in zip(KINDS, readings, strict=True))
    finding = f"{name} {naming.when(latest.key)}: {words}. {counted(alerts, 'period')} with an alert."
    drawing = line_chart([period.key for period in report.periods], series, finding)
    return figure(name, drawing, tag("span", hint, class_="hint"), _now(report, key, readings), alert=alert)


def _now(report: Report, key: str, readings: list[Reading]) -> Markup:
    estimated, realized = readings
    parts = [_value("estimated", estimated), _value("realized", realized)]
    if realized.value is None and (last := _last(report, key)):
        parts[1] = join([_value("realized", last.realized[key]), f" {naming.when(last.key)}"])
    limits = next((each for each in (realized, estimated) if outside(each)), estimated)
    parts += [_normal(limits)]
    reference = report.reference.metrics.get(key)
    parts += [tag("span", f"reference {number(reference)}")] if reference is not None else []
    return tag("span", *[tag("span", part) for part in parts if part], class_="now")


def _last(report: Report, key: str) -> Period | None:
    known = [period for period in report.periods if period.realized.get(key, UNKNOWN).value is not None]
    return known[-1] if known else None


def _value(kind: str, reading: Reading) -> Markup:
    mark = alert_mark() if reading.alert else EMPTY
    value = tag("b", number(reading.value) if reading.value is not None else "not known")
    return tag("span", tag("span", kind, class_=f"of {kind}"), " ", mark, value)


def _normal(reading: Reading) -> str:
    low, high = reading.lower_threshold, reading.upper_threshold
    if low is None and high is None:
        return ""
    if low is None or high is None:
        return f"normal from {number(low)}" if low is not None else f"normal up to {number(high)}"
    return f"normal {number(low)} to {number(high)}"


def _lede(latest: Period, keys: list[str]) -> str:
    sentences = []
    for kind in KINDS:
        readings = {key: _of(latest, kind).get(key, UNKNOWN) for key in keys}
        known = [key for key, reading in readings.items() if reading.value is not None]
        off = [naming.in_sentence(key) for key in known if readings[key].alert]
        if not known:
            sentences.append(
                "nothing is realized yet, for want of labels" if kind == "realized" else "nothing is estimated"
            )
        elif not off:
            sentences.append(f"all {len(known)} {kind} metrics are normal" if len(known) > 1 else f"{kind} is normal")
        else:
            verb = "is" if len(off) == 1 else "are"
            sentences.append(f"{len(off)} of {len(known)} {kind} metrics {verb} not normal ({listed(off)})")
    return f"{naming.starting(naming.when(latest.key))}, {'; '.join(sentences)}."


def _rows(report: Report, latest: Period) -> Markup:
    finding = f"Rows {naming.when(latest.key)}: {said(latest)}."
    note = tag("span", said(latest), class_="now")
    hint = tag("span", "how much there was to judge by; the darker part has labels", class_="hint")
    return figure("Rows and labels", amounts(report.periods, finding), hint, note)
