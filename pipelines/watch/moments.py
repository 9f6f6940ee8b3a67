"""Moments in UTC, and the calendar periods that they fall into."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from monitoring import periods
from monitoring.spec import Period

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONDAY = 3
"""1970-01-01 was a Thursday: three days after the Monday of its week."""
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def parse(text: str) -> datetime:
    """A moment in ISO 8601; without a zone it is UTC."""
    when = datetime.fromisoformat(text)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)


def said(moment: datetime) -> str:
    """In ISO 8601 to the second; what is not whole is cut off."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def hour(moment: datetime) -> datetime:
    """When its hour began."""
    return moment.replace(minute=0, second=0, microsecond=0)


def day(moment: datetime) -> datetime:
    """When its day began."""
    return hour(moment).replace(hour=0)


def number(moment: datetime, period: Period) -> int:
    """Its period, counted as the kernel counts."""
    days = (moment - _EPOCH).days
    match period:
        case "hour":
            return int((moment - _EPOCH).total_seconds() // 3600)
        case "day":
            return days
        case "week":
            return (days + _MONDAY) // 7
        case _:
            return ((moment.year - 1970) * 12 + moment.month - 1) // _MONTHS[period]


def start(number: int, period: Period) -> datetime:
    """When a period begins."""
    match period:
        case "hour":
            return _EPOCH + timedelta(hours=number)
        case "day":
            return _EPOCH + timedelta(days=number)
        case "week":
            return _EPOCH + timedelta(days=number * 7 - _MONDAY)
        case _:
            months = number * _MONTHS[period]
            return datetime(1970 + months // 12, months % 12 + 1, 1, tzinfo=UTC)


def unit(period: Period) -> Period:
    """The calendar unit that one profile object holds: not one for each hour."""
    return "day" if period == "hour" else period


def name(number: int, period: Period) -> str:
    """What the kernel calls it: names of one kind sort as their periods do."""
    return periods.name(number, period)


def oldest(at: datetime, history: int, period: Period) -> datetime:
    """When the oldest of so many periods began, of which the one of *at* is the newest."""
    return start(number(at, period) - history + 1, period)
