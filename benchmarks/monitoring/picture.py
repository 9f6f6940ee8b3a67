"""The comparison as a picture: seconds, CPU seconds and memory of each, and how ours grows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks import bars
from benchmarks.bars import Bar, number


def svg(figures: Mapping[str, Any], note: str) -> str:
    """A group of bars for each figure of the comparison, and for each of ours alone."""
    compared = {name: each["median"] for name, each in figures["compared"].items()}
    grown = {f"{int(size):,} rows": each["median"] for size, each in figures["growing"].items()}
    rows = figures["settings"]["compared"]
    groups = {
        f"{what}, {rows:,} rows": _bars(compared, figure, unit)
        for what, figure, unit in (
            ('Seconds without start (only "files" and "spark" read their files)', "inside_wall", "s"),
            ("CPU seconds of the whole process", "cpu", "s"),
            ("Peak memory", "peak_mb", "MB"),
        )
    }
    groups["Ours on more rows, seconds"] = _bars(grown, "wall", "s")
    groups["Ours on more rows, peak memory"] = _bars(grown, "peak_mb", "MB")
    return bars.svg("Monitoring: the same statistics of the same rows, by month", groups, note, room=130)


def _bars(medians: Mapping[str, Mapping[str, float]], figure: str, unit: str) -> list[Bar]:
    return [
        Bar(
            name,
            each[figure],
            f"{number(each[figure])} {unit}",
            bars.OTHER if name in ("nannyml", "evidently") else bars.OURS,
        )
        for name, each in medians.items()
    ]
