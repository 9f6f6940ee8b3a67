"""The past of a model as a table of at most 120 columns: a line of facts for each entry, and one of words."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from pipelines.by_hand.past.entry import Entry
from pipelines.by_hand.past.history import History
from pipelines.by_hand.past.origin import SHORT

WIDTH = 120
INDENT = " " * 4
HEADS = ("when (UTC)", "what", "reached", "outcome", "version", "commit", "data", "metric")
WIDEST = (16, 8, 18, 22, 7, SHORT, SHORT, 17)
LONGEST_WHY = 400
PACKAGE = re.compile(r"arn:[^/\s]+:model-package/([^/\s]+)/(\d+)")


def lines(history: History, entries: Sequence[Entry]) -> Iterator[str]:
    """The table, line by line."""
    rows = [HEADS, *(_cells(history, entry) for entry in entries)]
    cut = [[_short(cell, widest) for cell, widest in zip(row, WIDEST, strict=True)] for row in rows]
    widths = [max(len(row[column]) for row in cut) for column in range(len(HEADS))]
    for number, row in enumerate(cut):
        yield _line(row, widths)
        if number:
            yield from _words(entries[number - 1])


def _cells(history: History, entry: Entry) -> tuple[str, ...]:
    origin = history.origin(entry.package) if entry.package else None
    return (
        f"{entry.at:%Y-%m-%d %H:%M}",
        entry.kind,
        " ".join(entry.reached) or (f"({entry.stage})" if entry.kind == "rollback" else "-"),
        entry.told,
        (origin.version if origin else "") or "-",
        (origin.commit[:SHORT] if origin else "") or "-",
        (origin.data[:SHORT] if origin else "") or "-",
        (origin.metric if origin else "") or "-",
    )


def _words(entry: Entry) -> Iterator[str]:
    """Why it was done, by whom, who approved, and why it ended as it did."""
    said = [f"Reason: {entry.reason.rstrip('.')}." if entry.reason else ""]
    said.append(f"Started by {entry.started_by}." if entry.started_by else "")
    if entry.approved_by:
        verb = "Rejected" if entry.outcome == "rejected" else "Approved"
        said.append(f"{verb} by {entry.approved_by}{f': {entry.comment}' if entry.comment else ''}.")
    if entry.why not in entry.reason:
        said.append(_short(entry.why, LONGEST_WHY))
    text = PACKAGE.sub(r"\1 version \2", " ".join(filter(None, said)))
    yield from textwrap.wrap(text, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()[:WIDTH]


def _short(text: str, widest: int) -> str:
    return text if len(text) <= widest else f"{text[: widest - 1]}…"
