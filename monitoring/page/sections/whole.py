"""What concerns the model as a whole: all features together, the concept, and what its answers are worth."""

from __future__ import annotations

from monitoring.page import naming
from monitoring.page.blocks import alert_mark, figure, section
from monitoring.page.charts import Series, line_chart, outside
from monitoring.page.facts import Reading, Report
from monitoring.page.formatting import counted, number, signed
from monitoring.page.markup import EMPTY, Markup, tag

CONCEPTS = 4
UNKNOWN = Reading()


def render(report: Report) -> Markup:
    """The section of multivariate drift, concept drift and business value."""
    latest = report.latest
    charts = [*_multivariate(report), *_concept(report), *_worth(report)] if latest else []
    if not charts:
        said = "The report says nothing of all features together, of the concept, or of what answers are worth."
        return section("whole", "Drift as a whole", said)
    note = "Concept drift is realized minus estimated: away from 0, rows that look alike have other labels than before."
    notes = [tag("p", note, class_="note")] if any(period.concept_drift for period in report.periods) else []
    return section("whole", "Drift as a whole", _lede(report), *notes, tag("div", *charts, class_="charts"))


def _lede(report: Report) -> str:
    latest = report.latest or report.periods[-1]
    multivariate = "No: the features go together as in the reference."
    if latest.multivariate.value is None:
        multivariate = "Not known."
    elif latest.multivariate.alert:
        multivariate = "Yes: they do not go together as in the reference."
    said = "Not known without labels."
    known = [each for each in report.periods if any(one.value is not None for one in each.concept_drift.values())]
    if known:
        off = sum(reading.alert for reading in known[-1].concept_drift.values())
        answer = f"Yes, by {counted(off, 'metric')}" if off else "No"
        said = f"{answer}, {naming.when(known[-1].key)}."
    return f"Did the features change together? {multivariate} Did their meaning for the label change? {said}"


def _keys(report: Report) -> list[str]:
    return [period.key for period in report.periods]


def _when(report: Report) -> str:
    return naming.when(report.latest.key) if report.latest else "in no period"


def _multivariate(report: Report) -> list[Markup]:
    readings = [period.multivariate for period in report.periods]
    if report.latest is None or all(reading.value is None for reading in readings):
        return []
    latest = report.latest.multivariate
    side = outside(latest)
    verdict = f"{side} its threshold" if side else "within its thresholds"
    finding = f"Multivariate drift {_when(report)}: reconstruction error {number(latest.value)}, {verdict}."
    drawing = line_chart(_keys(report), [Series("reconstruction error", "estimated", readings)], finding)
    hint = "all features together: error of rebuilding rows from the reference's principal components"
    return [figure("Multivariate drift", drawing, tag("span", hint, class_="hint"), _now(latest), alert=latest.alert)]


def _concept(report: Report) -> list[Markup]:
    keys = {key for period in report.periods for key, each in period.concept_drift.items() if each.value is not None}
    charts = []
    for key in naming.in_order([*keys])[:CONCEPTS]:
        readings = [period.concept_drift.get(key, UNKNOWN) for period in report.periods]
        known = [place for place, reading in enumerate(readings) if reading.value is not None]
        last, when = readings[known[-1]], naming.when(report.periods[known[-1]].key)
        name = f"Concept drift, {naming.metric(key)}"
        finding = f"{name} {when}: {signed(last.value)}{', alert' if last.alert else ''}."
        drawing = line_chart(
            _keys(report), [Series("realized minus estimated", "change", readings)], finding, zero=True
        )
        since = "" if when == _when(report) else when
        charts.append(figure(name, drawing, _now(last, since, change=True), alert=last.alert))
    return charts


def _worth(report: Report) -> list[Markup]:
    lines = []
    for kind in ("estimated", "realized"):
        readings = [Reading(period.worth.get(kind)) for period in report.periods]
        if any(reading.value is not None for reading in readings):
            lines.append(Series(kind, kind, readings))
    if not lines:
        return []
    values = [(each.label, each.readings[-1].value) for each in lines]
    said = [f"{label} {number(value) if value is not None else 'not known'}" for label, value in values]
    finding = f"Business value {_when(report)}: {', '.join(said)}."
    now = [
        tag("span", f"{label} ", tag("b", number(value) if value is not None else "not known"))
        for label, value in values
    ]
    hint = tag(
        "span", "what right and wrong answers are worth together, in the unit that the model names", class_="hint"
    )
    return [figure("Business value", line_chart(_keys(report), lines, finding), hint, tag("span", *now, class_="now"))]


def _now(reading: Reading, when: str = "", *, change: bool = False) -> Markup:
    mark = alert_mark() if reading.alert else EMPTY
    value = signed(reading.value) if change else number(reading.value)
    said = [tag("span", mark, tag("b", value), f" {when}" if when else "")]
    if reading.lower is not None and reading.upper is not None:
        said.append(tag("span", f"band {number(reading.lower)} to {number(reading.upper)}"))
    if reading.lower_threshold is not None and reading.upper_threshold is not None:
        said.append(tag("span", f"normal {number(reading.lower_threshold)} to {number(reading.upper_threshold)}"))
    return tag("span", *said, class_="now")
