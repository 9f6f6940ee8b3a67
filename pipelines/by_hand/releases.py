"""Lists what was released and taken back of a model: where it ran, when, of which commit and data, and who approved."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from pipelines.by_hand.past import table
from pipelines.by_hand.past.entry import Entry
from pipelines.by_hand.past.history import History
from pipelines.by_hand.plainly import plainly
from pipelines.stages.surroundings import Surroundings


def main(arguments: Sequence[str] | None = None) -> None:
    given = _parser().parse_args(arguments)
    around = Surroundings()
    history = History(around, around.model(given.model))
    entries = history.newest(given.limit)
    if given.json:
        print(json.dumps([described(history, entry) for entry in entries], indent=2))
    elif not entries:
        print(f"Nothing was released of {given.model} yet; the first release is started by a push, or by hand.")
    else:
        print("\n".join(table.lines(history, entries)))


def described(history: History, entry: Entry) -> dict[str, Any]:
    """An entry as JSON."""
    origin = history.origin(entry.package) if entry.package else None
    return {
        "at": entry.at.isoformat(),
        "what": entry.kind,
        "execution": entry.execution,
        "reached": list(entry.reached),
        "outcome": entry.outcome,
        "stage": entry.stage,
        "why": entry.why,
        "package": entry.package,
        "version": origin.version if origin else "",
        "commit": origin.commit if origin else "",
        "data_version": origin.data if origin else "",
        "metric": origin.metric if origin else "",
        "approval_status": origin.status if origin else "",
        "reason": entry.reason,
        "started_by": entry.started_by,
        "approved_by": entry.approved_by,
        "comment": entry.comment,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make releases", description=__doc__)
    parser.add_argument("model", help="MODEL: the model's name")
    parser.add_argument("--limit", type=_positive, default=20, help="LIMIT: how many, the newest first")
    parser.add_argument("--json", action="store_true", help="JSON=1: everything, for programs")
    return parser


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"LIMIT is {text!r}; write a whole number from 1 on, such as LIMIT=20")
    return int(text)


if __name__ == "__main__":
    with plainly():
        main()
