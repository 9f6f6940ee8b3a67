"""From the files of a data folder to one table of labelled rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from config.model import Model
from pipelines.container import StepError
from pipelines.rows import recorded

Kind = Literal["number", "text"]

_ARROW: Mapping[Kind, pa.DataType] = {"number": pa.float64(), "text": pa.string()}

_DATE = r"^\d{4}-\d{2}-\d{2}([T ].*)?$"
_LETTERS: Mapping[str, int] = {"year": len("2016"), "month": len("2016-04"), "day": len("2016-04-30")}


@dataclass(frozen=True)
class Data:
    """The labelled rows (id, period, target, features; nothing else), where they came from, how many had no label."""

    rows: pa.Table
    files: tuple[Path, ...]
    unlabelled: int
    recorded: pa.Table
    """Labelled rows from production, in the order of time; none of them has been checked."""


def read(model: Model, folder: Path) -> Data:
    """Reads the rows and labels of *model* from *folder*; raises StepError."""
    files, label_files = _files(folder, model.data.rows), _files(folder, model.data.labels)
    both = sorted(set(files) & set(label_files))
    if both:
        raise StepError(f"{both[0].name} matches data.rows and data.labels of model.yaml; make the patterns disjoint")
    columns = kinds(model)
    rows = pa.concat_tables([_table(file, columns, optional=(model.target,)) for file in files])
    if label_files:
        label_kinds = {name: columns[name] for name in (model.data.id, model.target)}
        rows = _join(model, rows, pa.concat_tables([_table(file, label_kinds) for file in label_files]))
    if model.data.period_unit:
        rows = _with_period(rows, model.data.period, _LETTERS[model.data.period_unit])
    labelled = rows.filter(pc.is_valid(rows[model.target]))
    more = recorded.files(model, folder)
    return Data(labelled, (*files, *label_files, *more), len(rows) - len(labelled), _recorded(model, more))


def _recorded(model: Model, files: Sequence[Path]) -> pa.Table:
    """Recorded rows; what an older model.yaml did not know is null."""
    columns = kinds(model)
    nothing = pa.schema([(name, _ARROW[kind]) for name, kind in columns.items()]).empty_table()
    tables = [_table(file, columns, optional=columns) for file in files]
    return recorded.newest(model, pa.concat_tables([nothing, *tables]))


def kinds(model: Model) -> dict[str, Kind]:
    """The columns that are read: what another model left beside them never gets through."""
    target: Kind = "text" if model.task == "multiclass" else "number"
    features: dict[str, Kind] = {f.name: "number" if f.type == "number" else "text" for f in model.features}
    return {model.data.id: "text", model.data.period: "text", model.target: target, **features}


def _files(folder: Path, patterns: Sequence[str]) -> list[Path]:
    found = {pattern: [path for path in folder.glob(pattern) if _is_own(folder, path)] for pattern in patterns}
    for pattern, paths in found.items():
        if not paths:
            there = ", ".join(sorted(path.relative_to(folder).as_posix() for path in _within(folder))) or "nothing"
            raise StepError(f"no file matches {pattern!r} of model.yaml; the data folder holds: {there}")
    return sorted({path for paths in found.values() for path in paths})


def _is_own(folder: Path, path: Path) -> bool:
    return path.relative_to(folder).parts[:1] != (recorded.FOLDER,)


def _within(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and _is_own(folder, path))


def _table(file: Path, kinds: Mapping[str, Kind], optional: Collection[str] = ()) -> pa.Table:
    table = _read(file, kinds)
    columns = {}
    for name, kind in kinds.items():
        if name in table.column_names:
            columns[name] = _cast(file, name, table[name], kind)
        elif name in optional:
            columns[name] = pa.nulls(len(table), _ARROW[kind])
        else:
            raise StepError(f"{file.name} has no column {name}; it has: {', '.join(_names(file))}")
    return pa.table(columns)


def _names(file: Path) -> list[str]:
    if _is_csv(file):
        return pyarrow.csv.open_csv(file).schema.names
    return pq.read_schema(file).names


def _read(file: Path, kinds: Mapping[str, Kind]) -> pa.Table:
    wanted = [name for name in _names(file) if name in kinds]
    if not _is_csv(file):
        return pq.read_table(file, columns=wanted, partitioning=None)
    types = {name: _ARROW[kind] for name, kind in kinds.items()}
    options = pyarrow.csv.ConvertOptions(include_columns=wanted, column_types=types, strings_can_be_null=True)
    options.null_values = [""]
    try:
        return pyarrow.csv.read_csv(file, convert_options=options)
    except pa.ArrowInvalid as error:
        raise StepError(f"{file.name} cannot be read: {error}") from error


def _is_csv(file: Path) -> bool:
    if file.suffix in (".parquet", ".pq"):
        return False
    if file.name.endswith((".csv", ".csv.gz")):
        return True
    raise StepError(f"{file.name} is neither Parquet (.parquet, .pq) nor CSV (.csv, .csv.gz); convert it")


def _cast(file: Path, name: str, column: pa.ChunkedArray, kind: Kind) -> pa.ChunkedArray:
    held = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    whole = pa.types.is_integer(held)
    if kind == "number" and (whole or pa.types.is_floating(held) or pa.types.is_boolean(held)):
        numbers = column.cast(pa.float64())
        return pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)
    dated = pa.types.is_date(held) or pa.types.is_timestamp(held)
    if kind == "text" and (whole or dated or pa.types.is_string(held) or pa.types.is_large_string(held)):
        return column.cast(pa.string())
    expected = "numbers" if kind == "number" else "texts, whole numbers or dates"
    raise StepError(f"{file.name}: {name} is of type {held}; expected {expected}")


def _with_period(rows: pa.Table, name: str, letters: int) -> pa.Table:
    """Rows with the part of their date that names the period in the date's place."""
    dates = rows[name]
    others = pc.unique(dates.filter(pc.invert(pc.match_substring_regex(dates, _DATE)))).to_pylist()
    if others:
        raise StepError(
            f"{name}: {len(others)} values are no dates, the first one {others[0]!r}; data.period_unit of model.yaml "
            "needs dates as in 2016-04-30, so mend the data, or leave period_unit out"
        )
    return rows.set_column(rows.column_names.index(name), name, pc.utf8_slice_codeunits(dates, 0, letters))


def _join(model: Model, rows: pa.Table, labels: pa.Table) -> pa.Table:
    """Rows with the label of their id, where they have none of their own."""
    identity, target = model.data.id, model.target
    repeated = len(labels) - pc.count_distinct(labels[identity]).as_py()
    if repeated:
        raise StepError(f"{repeated} labels repeat an id in {', '.join(model.data.labels)}; give each id one label")
    joined = pc.take(labels[target], pc.index_in(rows[identity], labels[identity]))
    contradicted = pc.sum(pc.not_equal(rows[target], joined)).as_py()
    if contradicted:
        raise StepError(f"{contradicted} rows have another {target} than the labels of their id; keep one of the two")
    place = rows.column_names.index(target)
    return rows.set_column(place, target, pc.coalesce(rows[target], joined))
