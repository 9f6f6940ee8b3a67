"""The light, why it is on, and the lights of all periods."""

from __future__ import annotations

from itertools import groupby

from monitoring.page import naming
from monitoring.page.amounts import said
from monitoring.page.blocks import folded, sentences
from monitoring.page.facts import TIERS, Period, Report
from monitoring.page.formatting import count, counted, listed, percent
from monitoring.page.lamps import MEANINGS, lamp
from monitoring.page.markup import EMPTY, Markup, escape, join, tag

REASONS = 5
SHOWN = 120
NOT_SAID = "The report does not say why."


def render(report: Report) -> Markup:
    """The top of the page."""
    first, *others = report.why or (NOT_SAID,)
    if not report.periods and not report.why:
        first = "There is nothing to judge yet: the report has no period."
    more = (
        folded(counted(len(others) - REASONS, "more reason"), sentences(others[REASONS:]))
        if others[REASONS:]
        else EMPTY
    )
    reasons = [tag("p", first, class_="headline"), sentences(others[:REASONS], look="reasons"), more]
    word = [tag("strong", report.tier.upper()), " ", tag("span", MEANINGS[report.tier], class_="meaning")]
    return tag(
        "header",
        tag("div", lamp(report.tier, look="lamp big"), class_="glow"),
        tag("div", _title(report), tag("p", *word, class_=f"word {report.tier}"), *reasons, class_="story"),
        _facts(report),
        class_="light",
    )


def strip(report: Report) -> Markup:
    """The lights of all periods, in the order of time."""
    if len(report.periods) < 2:
        return EMPTY
    groups = [
        list(group) for _, group in groupby(report.periods[-SHOWN:], key=lambda each: naming.period(each.key).group)
    ]
    years = [_group(periods, report.latest) for periods in groups]
    return tag(
        "section",
        tag("h2", "Lights over time", id="lights-heading"),
        tag("p", _counts(report.periods), class_="lede"),
        tag("div", *years, class_="strip"),
        id="lights",
        aria_labelledby="lights-heading",
    )


def _title(report: Report) -> Markup:
    when = tag("span", naming.period(report.latest.key).full, class_="when") if report.latest else EMPTY
    return tag("h1", tag("bdi", report.name or "A model without a name"), " ", when)


def _facts(report: Report) -> Markup:
    latest = report.latest
    facts = {
        "Task": report.task or "not said",
        "Rows": count(latest.n) if latest and latest.n is not None else "not known",
        "With a label": _labels(latest),
        "Captured": _captured(latest),
        "Reference": f"{count(report.reference.n)} rows" if report.reference.n is not None else "not known",
        "Periods": f"{counted(len(report.periods), report.every or 'period')}",
        "Like this since": (report.since or "")[:10] or None,
        "Package": report.package and report.package.rpartition("model-package/")[2],
    }
    known = [tag("div", tag("dt", key), tag("dd", value)) for key, value in facts.items() if value]
    return tag("dl", *known, class_="facts")


def _captured(period: Period | None) -> str | None:
    """How many of the answers were kept; only a report of what an endpoint answered knows it."""
    if period is None or period.kept.captured is None:
        return None
    if period.kept.answered is None:
        return f"{count(period.kept.captured)}, of how many is not known"
    share = f" ({percent(period.kept.share)})" if period.kept.share is not None else ""
    return f"{count(period.kept.captured)} of {count(period.kept.answered)} answers{share}"


def _labels(period: Period | None) -> str:
    if period is None or (period.labelled is None and period.coverage is None):
        return "not known"
    if not period.labelled:
        return percent(period.coverage) if period.coverage else "none yet"
    return f"{count(period.labelled)} ({percent(period.coverage)})" if period.coverage else count(period.labelled)


def _counts(periods: tuple[Period, ...]) -> str:
    tiers = [period.tier for period in periods]
    seen = [f"{count(tiers.count(tier))} {tier}" for tier in TIERS if tier in tiers]
    last = f" Shown are the last {SHOWN}." if len(periods) > SHOWN else ""
    return f"Of {counted(len(periods), 'period')}: {listed(seen)}.{last}"


def _group(periods: list[Period], latest: Period | None) -> Markup:
    name = naming.period(periods[0].key).group
    lights = [_light(period, is_latest=latest is not None and period.key == latest.key) for period in periods]
    return tag("div", tag("p", name or escape("\u00a0"), class_="year"), tag("ol", *lights))


def _light(period: Period, *, is_latest: bool) -> Markup:
    name = naming.period(period.key)
    why = " ".join(period.why[:2]) or NOT_SAID
    words = join([f"{name.full}: ", period.tier])
    return tag(
        "li",
        lamp(period.tier),
        tag("span", name.short, class_="short", aria_hidden="true"),
        tag("span", words, class_="unseen"),
        class_="latest" if is_latest else None,
        title=f"{name.full}: {period.tier.upper()}, {said(period)}. {why}",
    )
