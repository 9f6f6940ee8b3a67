"""All numbers by period, for those who want to look one up."""

from __future__ import annotations

from collections.abc import Mapping

from monitoring.page import naming
from monitoring.page.blocks import alert_cell, folded, section, sentences, table
from monitoring.page.facts import Drift, Period, Reading, Report
from monitoring.page.formatting import count, number, percent
from monitoring.page.lamps import badge
from monitoring.page.markup import EMPTY, Markup, join, tag
from monitoring.page.sections.features import DRAWN, ranking

LATEST = 120
NO_DRIFT = Drift({}, {}, (), (), {})


def render(report: Report) -> Markup:
    """The section of tables."""
    if not report.periods:
        return EMPTY
    parts = [
        folded("Why each period has its light", _why(report)),
        folded("Rows, labels, metrics and multivariate drift by period", _metrics(report)),
        _psi(report),
    ]
    return section("numbers", "All numbers", _lede(report), *parts)


def _lede(report: Report) -> str:
    if len(report.periods) > LATEST:
        return f"The numbers of the charts, for the latest {LATEST} of {len(report.periods):,} periods."
    return "The numbers of the charts by period, the latest first."


def _latest(report: Report) -> list[Period]:
    return list(reversed(report.periods))[:LATEST]


def _why(report: Report) -> Markup:
    entries = [
        tag(
            "div",
            tag("dt", naming.period(period.key).full, " ", badge(period.tier)),
            tag("dd", sentences(period.why) or "The report does not say why."),
        )
        for period in _latest(report)
    ]
    return tag("dl", *entries, class_="pairs whys")


def _metrics(report: Report) -> Markup:
    kinds = {"estimated": lambda period: period.estimated, "realized": lambda period: period.realized}
    columns = []
    for kind, of in kinds.items():
        keys = {key for period in report.periods for key, each in of(period).items() if each.value is not None}
        columns += [(kind, key) for key in naming.in_order([*keys])]
    keys = {key for period in report.periods for key in period.concept_drift}
    columns += [("concept drift", key) for key in naming.in_order([*keys])]
    head = ["Period", "Light", "Rows", "Labels", "Multivariate"]
    titles = [tag("span", naming.metric(key), tag("small", kind), class_="stacked") for kind, key in columns]
    rows = [
        [
            naming.period(period.key).full, tag("td", badge(period.tier), class_="words"),
            count(period.n), percent(period.coverage),
            _cell(period.multivariate), *[_cell(_of(period, kind).get(key, Reading())) for kind, key in columns],
        ]
        for period in _latest(report)
    ]  # fmt: skip
    return table([*head, *titles], rows, "All periods", look="periods")


def _of(period: Period, kind: str) -> Mapping[str, Reading]:
    return {"estimated": period.estimated, "realized": period.realized}.get(kind, period.concept_drift)


def _cell(reading: Reading) -> str | Markup:
    return alert_cell(number(reading.value)) if reading.alert else number(reading.value)


def _psi(report: Report) -> Markup:
    names = [suspect.feature for suspect in ranking(report.latest)][:DRAWN] if report.latest else []
    if not names:
        return EMPTY
    rows = []
    for period in _latest(report):
        drifts = [period.features.get(name, NO_DRIFT) for name in names]
        values = [(number(drift.measures.get("psi")), "psi" in drift.alerts) for drift in drifts]
        rows.append([naming.period(period.key).full, *[alert_cell(text) if over else text for text, over in values]])
    head = ["Period", *[tag("bdi", name) for name in names]]
    heading = join(["PSI of ", "the first " if len(names) == DRAWN else "", f"{len(names)} features by period"])
    return folded(heading, table(head, rows, "PSI by feature and period", look="periods"))
