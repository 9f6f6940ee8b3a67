"""A batch of rows as the kernel sees it: numbers, codes of categories, outputs, periods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from monitoring import columns, outputs, periods
from monitoring.arrays import from_flags
from monitoring.features.categorical import Categorical
from monitoring.features.numeric import Numeric
from monitoring.outputs import Outputs
from monitoring.spec import Spec

Feature = Numeric | Categorical

UNSEEN = "unseen"


@dataclass(frozen=True)
class Frame:
    """The rows of a batch that have a period.

    `features` holds by name the values of a numeric feature (float64, NaN is null) or the cells of a categorical one.
    `unseen` holds for categorical features the rows whose value the reference never had, and these values; those of a
    sensitive feature are one.
    """

    rows: int
    periods: np.ndarray
    features: Mapping[str, np.ndarray]
    unseen: Mapping[str, tuple[np.ndarray, Sequence[str]]]
    absent: Sequence[str]
    """Features whose column the batch does not have."""
    invalid: Mapping[str, int]
    """How many values of a column were of a type that cannot be read."""
    outputs: Outputs
    ids: pa.Array | None
    undated: int
    """Rows left out because their timestamp is missing or cannot be read."""


def frame(spec: Spec, features: Mapping[str, Feature], batch: pa.RecordBatch) -> Frame:
    """The batch's rows, whatever types its columns have; a column that is not there counts as null."""
    numbers, undated = _periods(spec, batch)
    if undated:
        batch = batch.filter(from_flags(numbers != periods.NEVER))
        numbers = numbers[numbers != periods.NEVER]
    arrays = dict(zip(batch.schema.names, batch.columns, strict=True))
    rows = len(batch)
    said, invalid = outputs.read(spec, arrays, rows)
    values: dict[str, np.ndarray] = {}
    unseen: dict[str, tuple[np.ndarray, Sequence[str]]] = {}
    for name, feature in features.items():
        if name not in arrays:
            values[name] = _nothing(feature, rows)
        elif isinstance(feature, Numeric):
            given, wrong = columns.number(arrays[name])
            values[name] = feature.bands.coarse(given) if feature.bands else given
            invalid |= {name: wrong} if wrong else {}
        else:
            values[name], strange = _cells(feature, arrays[name])
            unseen |= {name: _unnamed(*strange) if name in spec.sensitive else strange} if len(strange[0]) else {}
    absent = [name for name in features if name not in arrays]
    ids = columns.ids(arrays[spec.row_id]) if spec.row_id in arrays else None
    return Frame(rows, numbers, values, unseen, absent, invalid, said, ids, undated)


def _periods(spec: Spec, batch: pa.RecordBatch) -> tuple[np.ndarray, int]:
    if spec.timestamp is None:
        return np.zeros(len(batch), np.int64), 0
    if spec.timestamp not in batch.schema.names:
        return np.full(len(batch), periods.NEVER), len(batch)
    numbers = periods.numbers(batch.column(spec.timestamp), spec.period)
    return numbers, int((numbers == periods.NEVER).sum())


def _nothing(feature: Feature, rows: int) -> np.ndarray:
    return np.full(rows, np.nan) if isinstance(feature, Numeric) else np.full(rows, feature.width - 1, np.int32)


def _cells(feature: Categorical, array: pa.Array) -> tuple[np.ndarray, tuple[np.ndarray, Sequence[str]]]:
    distinct, codes = columns.text(array)
    cell = np.array([*(feature.code.get(each, feature.unseen) for each in distinct), feature.width - 1], np.int32)
    cells = cell[codes]
    if not (cell[:-1] == feature.unseen).any():
        return cells, (np.zeros(0, np.intp), ())
    rows = np.flatnonzero(cells == feature.unseen)
    return cells, (rows, [distinct[code] for code in codes[rows]])


def _unnamed(rows: np.ndarray, texts: Sequence[str]) -> tuple[np.ndarray, Sequence[str]]:
    """What a person sent of a sensitive feature is kept in no profile, and told apart from nothing else unseen."""
    return rows, [UNSEEN] * len(texts)
