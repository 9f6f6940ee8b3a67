"""The figures as a picture: requests a second of each server, by case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks import bars
from benchmarks.bars import Bar, number


def svg(windows: Mapping[str, Mapping[str, Mapping[str, Any]]], note: str) -> str:
    """A group of bars for each case, the fastest first."""
    groups = {
        case: [_bar(name, figures) for name, figures in sorted(servers.items(), key=lambda each: -each[1]["rate"])]
        for case, servers in windows.items()
    }
    title = "Requests a second on two cores, load generator included (p99 in brackets)"
    return bars.svg(title, groups, note, room=190)


def _bar(name: str, figures: Mapping[str, Any]) -> Bar:
    told = f"{number(figures['rate'])}  ({number(figures['p99'])} ms)"
    return Bar(name, figures["rate"], told, {"ours": bars.OURS, "constant": bars.FLOOR}.get(name, bars.OTHER))
