"""What a run found, for people: as Markdown, which the terminal shows as well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MARK = "<!-- The tables below are written by `make bench-monitoring`. -->\n"
Figures = Mapping[str, Any]


def tables(figures: Figures) -> str:
    """Everything, from the comparison to the targets."""
    machine = figures["machine"]
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}; medians of "
        f"{figures['settings']['rounds']} rounds.",
        "",
        *_compared(figures),
        *_ours(figures),
        *_targets(figures),
    ]
    return "\n".join(lines) + "\n"


def _compared(figures: Figures) -> Iterator[str]:
    rows = figures["settings"]["compared"]
    yield f"| {rows:,} rows | seconds | CPU | ... of the whole process | CPU | peak memory | times ours |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    base = figures["compared"].get("ours", {}).get("median")
    for name, found in figures["compared"].items():
        each = found["median"]
        ratio = f"{each['inside_wall'] / base['inside_wall']:.1f}" if base else ""
        yield (
            f"| {name} | {each['inside_wall']:.2f} | {each['inside_cpu']:.2f} | {each['wall']:.2f} | {each['cpu']:.2f} "
            f"| {each['peak_mb']:,.0f} MB | {ratio} |"
        )
    for name, reason in figures["not_measured"].items():
        yield f"| {name} | {reason.splitlines()[0]} | | | | | |"
    yield ""


def _ours(figures: Figures) -> Iterator[str]:
    yield "| ours | seconds | CPU | peak memory |"
    yield "|---|--:|--:|--:|"
    for rows, found in figures["growing"].items():
        yield _row(f"{int(rows):,} rows", found["median"])
    models, shared = figures["models"], figures["shared"]
    if models:
        yield _row(f"{models['models']} models of {models['rows']:,} rows in one process", models)
    if shared:
        each = shared["median"]
        what = f"profile of {shared['rows']:,} rows"
        yield f"| {what} by one process | {each['one']:.2f} | {each['cpu_of_one']:.2f} | |"
        peak = f"{each['peak_mb_of_each']:,.0f} MB each"
        yield f"| {what} by two | {each['two']:.2f} | {each['cpu_of_two']:.2f} | {peak} |"
    yield ""


def _row(what: str, each: Mapping[str, float]) -> str:
    return f"| {what} | {each['wall']:.2f} | {each['cpu']:.2f} | {each['peak_mb']:,.0f} MB |"


def _targets(figures: Figures) -> Iterator[str]:
    yield "| target | | measured | |"
    yield "|---|--:|--:|---|"
    for target in figures["targets"]:
        met = {True: "met", False: "MISSED", None: "not measured"}[target["met"]]
        value = "-" if target["measured"] is None else f"{target['measured']:.3g}"
        yield f"| {target['what']} | {target['target']} | {value} | {met} |"
