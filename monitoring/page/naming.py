"""The names that people have for periods, metrics and measures."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

MONTHS = ("January", "February", "March", "April", "May", "June", "July")
MONTHS += ("August", "September", "October", "November", "December")
PATTERN = re.compile(
    r"(?P<year>\d{4})(?:-?Q(?P<quarter>[1-4])|-?W(?P<week>\d\d?)|-(?P<month>0[1-9]|1[0-2])"
    r"(?:-(?P<day>[0-3]\d)(?:[T ](?P<hour>[01]\d|2[0-3])(?::\d\d)*)?)?)?(?:Z|\+00:?00)?"
)
STEPS = {
    "year": (1, 2, 5, 10, 20),
    "quarter": (1, 2, 4, 8, 20),
    "month": (1, 2, 3, 6, 12, 24, 60),
    "week": (1, 2, 4, 13, 26, 52),
    "day": (1, 2, 7, 14),
    "hour": (1, 2, 3, 6, 12, 24, 48, 168),
}
METRICS = {
    "roc_auc": ("ROC AUC", "how well scores rank the rows: 0.5 is chance, 1 is perfect"),
    "accuracy": ("Accuracy", "share of rows that are predicted right"),
    "f1": ("F1", "balance of precision and recall"),
    "precision": ("Precision", "share of right ones among those predicted positive"),
    "recall": ("Recall", "share of the positive rows that are found"),
    "specificity": ("Specificity", "share of the negative rows that are left alone"),
    "average_precision": ("Average precision", "precision over all thresholds of the score"),
    "mae": ("Mean absolute error", "mae, in the unit of the target; lower is better"),
    "rmse": ("Root mean squared error", "rmse, where large errors weigh more; lower is better"),
    "r2": ("R²", "r2, the share of the target's variance that is explained"),
}
"""In the order in which a page shows them."""
MEASURES = {
    "psi": "PSI",
    "jensen_shannon": "Jensen-Shannon",
    "hellinger": "Hellinger",
    "kolmogorov_smirnov": "Kolmogorov-Smirnov",
    "wasserstein": "Wasserstein",
    "l_infinity": "L-infinity",
    "chi2": "Chi-squared",
    "missing_rate": "Missing",
    "unseen_rate": "Unseen",
    "out_of_range_rate": "Out of range",
}
RATES = ("missing_rate", "unseen_rate", "out_of_range_rate")


@dataclass(frozen=True)
class Name:
    """A period's name in full, its own short part, and the larger time that it is a part of."""

    full: str
    short: str
    group: str = ""
    unit: str | None = None
    turn: int | None = None
    """How many of its unit came before it, since the year 0 or so."""


def period(key: str) -> Name:
    """The name of a period; a key that is no date is its own name."""
    found = PATTERN.fullmatch(key)
    if found:
        part = {unit: int(value) for unit, value in found.groupdict().items() if value}
        try:
            return _part(found["year"], part) if "day" not in part else _day(part)
        except ValueError:
            pass
    return Name("all rows" if key == "all" else key, key)


def _part(year: str, part: dict[str, int]) -> Name:
    match part:
        case {"quarter": quarter}:
            return Name(f"Q{quarter} {year}", f"Q{quarter}", year, "quarter", part["year"] * 4 + quarter - 1)
        case {"week": week}:
            monday = date.fromisocalendar(part["year"], week, 1)
            return Name(f"week {week} of {year}", f"W{week}", year, "week", monday.toordinal() // 7)
        case {"month": number}:
            month = MONTHS[number - 1]
            return Name(f"{month} {year}", month[:3], year, "month", part["year"] * 12 + number - 1)
        case _:
            return Name(year, year, "", "year", part["year"])


def _day(part: dict[str, int]) -> Name:
    day, hour = date(part["year"], part["month"], part["day"]), part.get("hour")
    month = f"{MONTHS[day.month - 1][:3]} {day.year}"
    full = f"{day.day} {month}"
    if hour is None:
        return Name(full, str(day.day), month, "day", day.toordinal())
    return Name(f"{full}, {hour:02}:00", f"{hour:02}h", full, "hour", day.toordinal() * 24 + hour)


def starting(sentence: str) -> str:
    """The words at the start of a sentence."""
    return sentence[:1].upper() + sentence[1:]


def places(keys: Sequence[str]) -> list[int]:
    """Where periods stand on an axis: a month that nobody saw leaves its place empty."""
    names = [period(key) for key in keys]
    turns = [name.turn for name in names if name.turn is not None]
    if len(turns) < max(len(keys), 2) or len({name.unit for name in names}) > 1:
        return list(range(len(keys)))
    steps = [after - before for before, after in pairwise(turns)]
    step = math.gcd(*steps)
    if min(steps) <= 0 or sum(steps) // step > 3 * len(keys):
        return list(range(len(keys)))
    return [(turn - turns[0]) // step for turn in turns]


def ticks(keys: Sequence[str], at_most: int) -> list[int]:
    """The periods that an axis names: at even steps of the calendar where they have a date, else evenly apart."""
    if len(keys) <= at_most:
        return list(range(len(keys)))
    names = [period(key) for key in keys]
    for step in STEPS.get(names[0].unit or "", ()):
        chosen = [place for place, name in enumerate(names) if name.turn is not None and name.turn % step == 0]
        if 2 <= len(chosen) <= at_most:
            return chosen
    firsts = [place for place, name in enumerate(names) if name.unit == "day" and name.short == "1"]
    for step in (1, 2, 3, 6, 12):
        if 2 <= len(firsts[::step]) <= at_most:
            return firsts[::step]
    return list(range(0, len(keys), -(-len(keys) // at_most)))


def metric(key: str) -> str:
    """A metric's name."""
    return METRICS.get(key, (key, ""))[0]


def in_sentence(key: str) -> str:
    """A metric's name within a sentence: accuracy, but ROC AUC."""
    name = metric(key)
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def when(key: str) -> str:
    """In which period, as a sentence says it."""
    name = period(key)
    if key == "all":
        return "over all rows"
    return f"{'on' if name.unit in {'day', 'hour'} else 'in'} {name.full}"


def measure(key: str) -> str:
    """A measure's name."""
    return MEASURES.get(key, key)


def in_order(keys: Sequence[str]) -> list[str]:
    """Metrics, those that decide first."""
    known = [key for key in METRICS if key in keys]
    return known + sorted(set(keys) - set(known))
