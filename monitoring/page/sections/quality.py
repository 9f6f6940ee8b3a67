"""The data itself: what is missing, was never seen before, or is out of range."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.page import naming
from monitoring.page.bars import sparkline
from monitoring.page.blocks import alert_cell, folded, section, sentences, table
from monitoring.page.facts import Drift, Period, Report
from monitoring.page.formatting import count, counted, percent
from monitoring.page.markup import EMPTY, Markup, join, shorten, tag

SHOWN = 24
VALUES = 8
TIMES = " \u00d7 "
VISIBLE = 0.0005
WORDS = {"missing_rate": "missing", "unseen_rate": "never seen before", "out_of_range_rate": "out of range"}
NOT_LISTED = "Not listed is what stays below 0.05%, and what is missing as often as in the reference."
NO_DRIFT = Drift({}, {}, (), (), {})


@dataclass(frozen=True)
class Row:
    """A rate of a feature over the periods."""

    feature: str
    key: str
    rates: list[float | None]
    limits: list[float | None]
    alerts: list[bool]

    @property
    def weight(self) -> tuple[bool, bool, float, float]:
        return (self.alerts[-1], any(self.alerts), self.rates[-1] or 0, max(rate or 0 for rate in self.rates))


def render(report: Report) -> Markup:
    """The section of data quality."""
    rows = _rows(report)
    parts = []
    if rows:
        shown, rest = rows[:SHOWN], rows[SHOWN:]
        parts.append(_table(report, shown, "Missing, never seen and out of range, by feature"))
        more = "more row"
        parts += [folded(counted(len(rest), more), _table(report, rest[:200], "The other rates"))] if rest else []
    latest = report.latest
    parts += [_unseen(latest), _not_monitored(report), _problems(report)]
    return section("quality", "Data quality", _lede(report, rows), *filter(None, parts))


def _rows(report: Report) -> list[Row]:
    names = dict.fromkeys(name for period in report.periods for name in period.features)
    rows = []
    for name in names:
        drifts = [period.features.get(name, NO_DRIFT) for period in report.periods]
        for key in naming.RATES:
            rates = [drift.measures.get(key) for drift in drifts]
            alerts = [key in drift.alerts for drift in drifts]
            row = Row(name, key, rates, [drift.thresholds.get(key) for drift in drifts], alerts)
            if any(alerts) or _says(row, _reference(report, row)):
                rows.append(row)
    return sorted(rows, key=lambda row: row.weight, reverse=True)


def _says(row: Row, usual: float | None) -> bool:
    """Whether a rate without an alert is worth a line: it can be seen, and is not what the reference has too."""
    top = max((rate for rate in row.rates if rate is not None), default=0)
    return top >= VISIBLE and (usual is None or top > 1.25 * usual + VISIBLE)


def _lede(report: Report, rows: list[Row]) -> str:
    if report.latest is None or not any(period.features for period in report.periods):
        return "The report says nothing of the data's quality."
    if not rows:
        return (
            "All is well: in no period is more missing than in the reference, or more than 0.05% never seen before "
            "or out of range."
        )
    over = [row for row in rows if row.alerts[-1]]
    when = naming.when(report.latest.key)
    if over:
        worst = over[0]
        said = f"{percent(worst.rates[-1])} of {shorten(worst.feature, 40)} {WORDS[worst.key]}"
        return f"{counted(len(over), 'rate')} over the limit {when}, above all: {said}. {NOT_LISTED}"
    return f"No rate is over its limit {when}. {NOT_LISTED}"


def _table(report: Report, rows: list[Row], caption: str) -> Markup:
    keys = [period.key for period in report.periods]
    cells = []
    for row in rows:
        top = max(range(len(row.rates)), key=lambda index: (row.rates[index] or 0, index))
        now = percent(row.rates[-1])
        limit = percent(row.limits[-1]) if row.limits[-1] is not None else "no limit"
        said = f"{shorten(row.feature, 40)} {WORDS[row.key]}: {now} in the latest period"
        cells.append(
            [
                tag("bdi", row.feature),
                tag("td", WORDS[row.key], class_="words"),
                alert_cell(now) if row.alerts[-1] else now,
                limit,
                percent(_reference(report, row)),
                f"{percent(row.rates[top])} {naming.when(keys[top])}",
                tag("td", sparkline(keys, row.rates, row.limits, said), class_="drawn"),
            ]
        )
    latest = naming.period(report.latest.key).full if report.latest else "Latest"
    head = ["Feature", "What", latest, "Limit", "Reference", "Highest", "Over time"]
    return table(head, cells, caption, look="rates")


def _reference(report: Report, row: Row) -> float | None:
    bins, shares = report.reference.bins.get(row.feature, ()), report.reference.shares.get(row.feature, ())
    if row.key != "missing_rate" or "null" not in bins[-1:] or len(bins) != len(shares):
        return None
    return shares[-1]


def _unseen(latest: Period | None) -> Markup:
    found = {name: drift.unseen for name, drift in latest.features.items() if drift.unseen} if latest else {}
    if not found or latest is None:
        return EMPTY
    entries = []
    for name, values in found.items():
        most = sorted(values.items(), key=lambda pair: -pair[1])
        said = [join([tag("code", shorten(value, 60)), f"{TIMES}{count(amount)}"]) for value, amount in most[:VALUES]]
        said += [join([f"and {counted(len(most) - VALUES, 'more value')}"])] if len(most) > VALUES else []
        entries.append(tag("div", tag("dt", tag("bdi", name)), tag("dd", join(said, ", "))))
    heading = tag("h3", f"Values that the reference never had, {naming.when(latest.key)}")
    return tag("div", heading, tag("dl", *entries, class_="pairs"), class_="part")


def _not_monitored(report: Report) -> Markup:
    if not report.not_monitored:
        return EMPTY
    entries = [
        tag("div", tag("dt", tag("bdi", name)), tag("dd", reason or "The report does not say why."))
        for name, reason in report.not_monitored.items()
    ]
    return tag("div", tag("h3", "Not monitored"), tag("dl", *entries, class_="pairs"), class_="part")


def _problems(report: Report) -> Markup:
    now = [*report.problems, *(report.latest.problems if report.latest else ())]
    before = [
        join([tag("b", naming.period(period.key).full), " ", problem])
        for period in report.periods
        for problem in period.problems
        if period is not report.latest
    ]
    parts = [tag("h3", "Problems of this report")] if now else []
    parts += [sentences([*dict.fromkeys(now)])] if now else []
    parts += (
        [folded(f"{counted(len(before), 'problem')} of earlier periods", sentences(before[-200:]))] if before else []
    )
    return tag("div", *parts, class_="part") if parts else EMPTY
