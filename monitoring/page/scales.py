"""From numbers to places on paper."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitoring.page import naming
from monitoring.page.formatting import MINUS

FAR = 1e15
STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Frame:
    """The plot inside a chart, in the chart's own units."""

    left: float
    right: float
    top: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(frozen=True)
class Vertical:
    """The axis of values: larger is higher."""

    low: float
    high: float
    frame: Frame

    def at(self, value: float) -> float:
        """How far down a value is drawn; beyond the axis it stays at its end."""
        part = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.frame.bottom - part * self.frame.height

    def ticks(self) -> list[tuple[float, str]]:
        """Round values and what is written beside them."""
        step = _step(self.high - self.low)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [(each * step, _label(each * step, step)) for each in range(first, last + 1)]


@dataclass(frozen=True)
class Horizontal:
    """The axis of time: each period has a column."""

    keys: tuple[str, ...]
    frame: Frame
    places: tuple[int, ...]

    @classmethod
    def over(cls, keys: Sequence[str], frame: Frame) -> Horizontal:
        """An axis of these periods."""
        return cls(tuple(keys), frame, tuple(naming.places(keys)))

    @property
    def column(self) -> float:
        """How wide a period is."""
        return self.frame.width / ((self.places[-1] if self.places else 0) + 1)

    def at(self, index: int) -> float:
        """The middle of a period."""
        return self.frame.left + (self.places[index] + 0.5) * self.column

    def follows(self, index: int) -> bool:
        """Whether a period stands right after the one before it."""
        return index > 0 and self.places[index] == self.places[index - 1] + 1

    def runs(self, known: Sequence[bool]) -> list[list[int]]:
        """The periods that are known, in stretches without a gap."""
        found: list[list[int]] = []
        for index, is_known in enumerate(known):
            if is_known and found and found[-1][-1] == index - 1 and self.follows(index):
                found[-1].append(index)
            elif is_known:
                found.append([index])
        return found


def vertical(values: Iterable[float | None], frame: Frame, *, zero: bool = False) -> Vertical:
    """An axis that has room for all values, and for 0 where it has to be there."""
    known = [min(max(value, -FAR), FAR) for value in values if value is not None]
    known += [0.0] if zero or not known else []
    low, high = min(known), max(known)
    room = (high - low) * 0.06 or max(abs(high) * 0.05, 0.01)
    return Vertical(0 if zero and low == 0 else low - room, high + room, frame)


def _step(span: float) -> float:
    rough = span / 4
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * step for step in STEPS if power * step >= rough * 0.999)


def _label(value: float, step: float) -> str:
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if step >= size / 10 and abs(value) >= size / 10:
            return f"{value / size:,.1f}".removesuffix(".0").replace("-", MINUS) + letter
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    if step < 1 and round(step, digits) != round(step, 9):
        digits += 1
    text = f"{value:,.{min(digits, 9)}f}".replace("-", MINUS)
    return text.removeprefix(MINUS) if float(text.replace(",", "").replace(MINUS, "-")) == 0 else text
