"""The features, the most suspect first: what they did, and what they have to do with the metric."""

from __future__ import annotations

from monitoring.page import naming
from monitoring.page.bars import SHOWN, distribution, lever, most_changed, shares, sparkline
from monitoring.page.blocks import alert_cell, alert_mark, folded, section, table
from monitoring.page.facts import Drift, Period, Report, Suspect
from monitoring.page.formatting import MINUS, correlation, counted, listed, number, percent, points, probability, signed
from monitoring.page.markup import EMPTY, Markup, join, shorten, tag

DRAWN = 30
OPEN = 3
SHARES = ("accuracy", "precision", "recall", "f1", "specificity", "roc_auc", "average_precision", "r2")
NO_DRIFT = Drift({}, {}, (), (), {})


def render(report: Report) -> Markup:
    """The section of features."""
    latest = report.latest
    suspects = ranking(latest) if latest else []
    if latest is None or not suspects:
        return section("features", "Features", "The report says nothing of single features.")
    largest = max(abs(each.contribution or 0) for each in suspects)
    rows = [
        _feature(report, latest, suspect, place, largest) for place, suspect in enumerate(suspects[:DRAWN], start=1)
    ]
    rest = suspects[DRAWN:]
    more = folded(f"{counted(len(rest), 'more feature')}", _rest(latest, rest)) if rest else EMPTY
    metric = latest.contribution_metric
    return section(
        "features", "Features, the most suspect first", _lede(latest, suspects),
        tag("p", _meaning(metric), class_="note"), _head(report, metric), tag("ol", *rows, class_="features"), more,
    )  # fmt: skip


def ranking(period: Period) -> list[Suspect]:
    """The features of a period, most suspect first; those that the report does not rank come last, by PSI."""
    ranked = {each.feature: each for each in period.ranking}
    others = [name for name in period.features if name not in ranked]
    others.sort(
        key=lambda name: (-len(period.features[name].alerts), -(period.features[name].measures.get("psi") or 0))
    )
    return [*ranked.values(), *[Suspect(name, None, None, None, len(period.features[name].alerts)) for name in others]]


def _lede(latest: Period, suspects: list[Suspect]) -> str:
    drifted = [each.feature for each in suspects if latest.features.get(each.feature, NO_DRIFT).alerts]
    when = naming.when(latest.key)
    if not drifted:
        return f"No feature has drifted beyond its limits {when}."
    names = [shorten(name, 40) for name in drifted[:4]]
    names += [f"{len(drifted) - 4} more"] if len(drifted) > 4 else []
    said = f"{len(drifted)} of {counted(len(suspects), 'feature')}"
    return f"{said} {'has' if len(drifted) == 1 else 'have'} drifted beyond a limit {when}: {listed(names)}."


def _meaning(metric: str | None) -> str:
    if metric is None:
        return "The report has no contributions: it does not say which metric they would explain."
    name = naming.in_sentence(metric)
    if metric in SHARES:
        return (
            f"Contribution: how much of the change in {name} the feature's changed mix explains. "
            f"{MINUS}0.03 means 3 points of {name} lost, as from 0.83 to 0.80."
        )
    return (
        f"Contribution: how much of the change in {name} the feature's changed mix explains. "
        f"+0.03 means that the error grew by 0.03, in the unit of the target."
    )


def _head(report: Report, metric: str | None) -> Markup:
    explained = f"contribution to {naming.in_sentence(metric)}" if metric else "contribution"
    over = f"PSI over {counted(len(report.periods), report.every or 'period')}"
    titles = ["", "feature", explained, "correlation", over, "alerts"]
    return tag("div", *[tag("span", title) for title in titles], class_="row head", aria_hidden="true")


def _feature(report: Report, latest: Period, suspect: Suspect, rank: int, largest: float) -> Markup:
    name, drift = suspect.feature, latest.features.get(suspect.feature, NO_DRIFT)
    alerts = len(drift.alerts)
    mark = tag("span", alert_mark(""), counted(alerts, "alert"), class_="chip") if alerts else tag("span", "none")
    contribution = tag("span", signed(suspect.contribution), class_="number")
    related = correlation(suspect.correlation)
    summary = tag(
        "summary",
        tag("span", rank, class_="rank"),
        tag("h3", tag("bdi", name), " ", tag("small", report.reference.kinds.get(name, "")), title=name),
        tag(
            "span",
            tag("span", "contribution", class_="what"),
            lever(suspect.contribution, largest),
            contribution,
            class_="contribution",
        ),
        tag("span", tag("span", "correlation ", class_="what"), related, class_="correlation number"),
        tag(
            "span",
            tag("span", "PSI", class_="what"),
            _spark(report, name, drift),
            tag("span", number(drift.measures.get("psi")), class_="number"),
            class_="psi",
        ),
        tag("span", mark, class_="alerts"),
        class_="row",
    )
    body = [tag("div", _story(report, latest, suspect), _measures(drift, name)), _shares(report, latest, name, drift)]
    is_open = "" if rank <= OPEN and (alerts or rank == 1) else None
    return tag("li", tag("details", summary, tag("div", *body, class_="body"), open=is_open))


def _spark(report: Report, name: str, drift: Drift) -> Markup:
    drifts = [period.features.get(name, NO_DRIFT) for period in report.periods]
    values = [each.measures.get("psi") for each in drifts]
    limits = [each.thresholds.get("psi") for each in drifts]
    over = sum(
        value is not None and limit is not None and value > limit for value, limit in zip(values, limits, strict=True)
    )
    said = (
        f"PSI of {shorten(name, 60)}: {number(drift.measures.get('psi'))}, over its limit in {counted(over, 'period')}"
    )
    return sparkline([period.key for period in report.periods], values, limits, said)


def _story(report: Report, latest: Period, suspect: Suspect) -> Markup:
    texts = [_explained(suspect, latest.contribution_metric)]
    if suspect.correlation is None:
        texts.append("Whether its drift goes with the metric cannot be said from so few periods.")
    else:
        said = f"correlation {correlation(suspect.correlation)}, {probability(suspect.p_value)}"
        texts.append(f"Its drift and the metric's change go together with {said}.")
    since = _since(report, suspect.feature)
    return tag("p", " ".join([*texts, since]), class_="story")


def _explained(suspect: Suspect, metric: str | None) -> str:
    if suspect.contribution is None or metric is None:
        return "What it contributes to the metric is not known."
    name, value = naming.in_sentence(metric), suspect.contribution
    if abs(value) < 0.00005:
        return f"Its changed mix explains no change of {name}."
    if metric not in SHARES:
        amount = f"adds {number(value)} to" if value > 0 else f"takes {number(-value)} off"
        return f"Its changed mix {amount} the {name}."
    return f"Its changed mix explains {points(value)} of {name} {'lost' if value < 0 else 'gained'}."


def _since(report: Report, name: str) -> str:
    quiet = [bool(period.features.get(name, NO_DRIFT).alerts) for period in report.periods]
    if not quiet or not quiet[-1]:
        return ""
    streak = (
        len(quiet)
        - next((len(quiet) - 1 - back for back, is_over in enumerate(reversed(quiet)) if not is_over), -1)
        - 1
    )
    first = naming.period(report.periods[len(quiet) - streak].key).full
    return f"Alerts in every period since {first}." if streak > 1 else "It had no alert in the period before."


def _measures(drift: Drift, name: str) -> Markup:
    rows = []
    for key in [*[key for key in naming.MEASURES if key not in naming.RATES], *naming.RATES]:
        value, limit = drift.measures.get(key), drift.thresholds.get(key)
        if value is None:
            continue
        said = percent if key in naming.RATES else number
        cell = alert_cell(said(value)) if key in drift.alerts else said(value)
        rows.append([naming.measure(key), cell, said(limit) if limit is not None else "no limit"])
    if not rows:
        return tag("p", "No measure of its drift is known.", class_="note")
    return table(["Measure", "Value", "Limit"], rows, f"Drift of {shorten(name, 60)}", look="measures")


def _shares(report: Report, latest: Period, name: str, drift: Drift) -> Markup:
    rows = shares(report.reference.bins.get(name, ()), report.reference.shares.get(name, ()), drift.shares)
    if not rows:
        return tag("p", "Its distribution is not known.", class_="note")
    when = naming.period(latest.key).full
    finding = f"{shorten(name, 60)} {naming.when(latest.key)}: {most_changed(rows)}."
    legend = [tag("span", "reference", class_="of then"), " ", tag("span", when, class_="of now")]
    said = f"{most_changed(rows)}."
    said += f" Shown are the {SHOWN} largest changes, and the rest together." if rows[-1].is_rest else ""
    caption = tag("figcaption", tag("span", *legend), " ", tag("span", said, class_="hint"))
    return tag("figure", caption, distribution(rows, finding))


def _rest(latest: Period, suspects: list[Suspect]) -> Markup:
    rows = []
    for place, suspect in enumerate(suspects, start=DRAWN + 1):
        drift = latest.features.get(suspect.feature, NO_DRIFT)
        psi = number(drift.measures.get("psi"))
        said = join([naming.measure(key) for key in drift.alerts], ", ")
        rows.append(
            [
                suspect.feature, place, signed(suspect.contribution), correlation(suspect.correlation),
                alert_cell(psi) if "psi" in drift.alerts else psi, number(drift.thresholds.get("psi")), said or "none",
            ]
        )  # fmt: skip
    head = ["Feature", "Rank", "Contribution", "Correlation", "PSI", "Limit", "Alerts"]
    return table(head, rows, "The features after those that are drawn")
