"""Which rows train, and which measure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from config.model import Model
from pipelines.container import StepError
from pipelines.rows import recorded

HOLDOUT, RECENT = "holdout", "recent"


@dataclass(frozen=True)
class Splits:
    """The training rows; what is held out by name; periods that are neither.

    Names are `holdout`, `recent` where rows from production are held out, then each later period.
    """

    train: pa.Table
    held_out: dict[str, pa.Table]
    unused: tuple[str, ...]
    repeated: int = 0
    """Rows that are in the data and recorded too; those of the training periods count, of later ones the recorded."""


def split(model: Model, rows: pa.Table, more: pa.Table | None = None) -> Splits:
    """Splits by period, and the training periods by id; raises StepError where a part is empty.

    *more* was recorded in production: it is trained on whatever its period is, and comes last.
    """
    periods = rows[model.data.period]
    present = _in_order(pc.unique(periods).to_pylist())
    training = _training(model, present)
    last = max(present.index(period) for period in training)
    later = {period: rows.filter(pc.equal(periods, period)) for period in present[last + 1 :]}
    learnable = rows.filter(pc.is_in(periods, pa.array(sorted(training))))
    train, holdout = _apart(model, learnable)
    if not len(train) or not len(holdout):
        raise StepError(f"{len(learnable)} rows are too few to hold out a share of {model.data.holdout}; add data")
    unused = tuple(period for period in present[:last] if period not in training)
    found = Splits(train, {HOLDOUT: holdout, **later}, unused)
    return found if more is None or not len(more) else _with_recorded(model, found, learnable, more)


def _with_recorded(model: Model, found: Splits, learnable: pa.Table, rows: pa.Table) -> Splits:
    new = recorded.without(model, rows, learnable)
    later = {name: each for name, each in found.held_out.items() if name != HOLDOUT}
    fewer = {name: recorded.without(model, each, new) for name, each in later.items()}
    repeated = len(rows) - len(new) + sum(len(later[name]) - len(fewer[name]) for name in later)
    train, recent = _apart(model, new)
    parts = {HOLDOUT: found.held_out[HOLDOUT], RECENT: recent, **fewer}
    held_out = {name: each for name, each in parts.items() if len(each)}
    return Splits(pa.concat_tables([found.train, train]), held_out, found.unused, repeated)


def _apart(model: Model, rows: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The rows to train on, and those held out."""
    aside = pa.array(in_holdout(rows[model.data.id].to_pylist(), model.data.holdout))
    return rows.filter(pc.invert(aside)), rows.filter(aside)


def _training(model: Model, present: list[str]) -> set[str]:
    """The periods of the data that model.yaml names, or whose names go on after one that it names and a hyphen."""
    training: set[str] = set()
    for asked in map(str, model.data.train_periods):
        found = {period for period in present if f"{period}-".startswith(f"{asked}-")}
        if not found:
            raise StepError(f"no labelled row is of the training period {asked}; the data has: {', '.join(present)}")
        training |= found
    return training


def in_holdout(ids: Iterable[str], share: float) -> np.ndarray:
    """Whether each id is held out: by its hash, so that a row stays on its side on every machine and with more data."""
    digests = b"".join(hashlib.blake2b(identity.encode(), digest_size=8).digest() for identity in ids)
    return np.frombuffer(digests, dtype=">u8") < share * 2**64


def _in_order(periods: list[str]) -> list[str]:
    numeric = all(period.isdecimal() for period in periods)
    return sorted(periods, key=int if numeric else None)
