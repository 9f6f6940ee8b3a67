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

HOLDOUT = "holdout"


@dataclass(frozen=True)
class Splits:
    """The training rows; what is held out by name (`holdout`, then each later period); periods that are neither."""

    train: pa.Table
    held_out: dict[str, pa.Table]
    unused: tuple[str, ...]


def split(model: Model, rows: pa.Table) -> Splits:
    """Splits by period, and the training periods by id; raises StepError where a part is empty."""
    periods = rows[model.data.period]
    present = _in_order(pc.unique(periods).to_pylist())
    training = _training(model, present)
    last = max(present.index(period) for period in training)
    rows_of = {period: rows.filter(pc.equal(periods, period)) for period in present[last + 1 :]}
    learnable = rows.filter(pc.is_in(periods, pa.array(sorted(training))))
    aside = pa.array(in_holdout(learnable[model.data.id].to_pylist(), model.data.holdout))
    train, holdout = learnable.filter(pc.invert(aside)), learnable.filter(aside)
    if not len(train) or not len(holdout):
        raise StepError(f"{len(learnable)} rows are too few to hold out a share of {model.data.holdout}; add data")
    unused = tuple(period for period in present[:last] if period not in training)
    return Splits(train, {HOLDOUT: holdout, **rows_of}, unused)


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
