"""Whether the data keeps what model.yaml says of it."""

from __future__ import annotations

import functools
import re

import pyarrow as pa
import pyarrow.compute as pc

from config.features import Category, Feature, Number
from config.model import Model
from pipelines.container import StepError
from pipelines.rows.splitting import HOLDOUT, RECENT

_SHOWN = 5
_TAKEN = ("train", HOLDOUT, RECENT)
_PERIOD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def check(model: Model, rows: pa.Table) -> None:
    """Raises StepError with a sentence for each thing that is wrong, all at once."""
    findings = [*_identity(model, rows), *_period(model, rows), *_target(model, rows)]
    for feature in model.features:
        findings += _feature(feature, rows[feature.name], rows[model.data.id])
    if findings:
        raise StepError("the data does not keep what model.yaml says:\n" + "\n".join(findings))


def fitting(model: Model, rows: pa.Table) -> tuple[pa.Table, dict[str, int]]:
    """The rows that keep the schema, and how many others break it, by column: production takes what it gets."""
    fine = {feature.name: _fits(feature, rows[feature.name]) for feature in model.features}
    fine[model.target] = _is_label(model, rows[model.target])
    broken = {name: len(rows) - pc.sum(each, min_count=0).as_py() for name, each in fine.items()}
    kept = rows
    if any(broken.values()):
        kept = rows.filter(functools.reduce(pc.and_, fine.values()))
    return kept, {name: count for name, count in broken.items() if count}


def _fits(feature: Feature, column: pa.ChunkedArray) -> pa.ChunkedArray:
    if isinstance(feature, Number):
        known = pc.invert(_outside(feature, column))
    else:
        known = pc.if_else(pc.is_valid(column), pc.is_in(column, pa.array(feature.values)), None)
    return pc.fill_null(known, feature.nullable)


def _is_label(model: Model, column: pa.ChunkedArray) -> pa.ChunkedArray:
    match model.task:
        case "binary":
            return pc.is_in(column, pa.array([0.0, 1.0]))
        case "regression":
            return pc.fill_null(pc.is_finite(column), False)  # noqa: FBT003  Arrow takes it by place
        case "multiclass":
            return pc.is_valid(column)


def _identity(model: Model, rows: pa.Table) -> list[str]:
    ids = rows[model.data.id]
    if ids.null_count:
        return [f"{model.data.id}: {ids.null_count} rows have none; give each row an id of its own"]
    counts = pc.value_counts(ids)
    repeated = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")
    if len(repeated):
        return [f"{model.data.id}: {len(repeated)} ids occur more than once: {_some(repeated)}; keep one row for each"]
    return []


def _period(model: Model, rows: pa.Table) -> list[str]:
    name, values = model.data.period, pc.unique(rows[model.data.period]).to_pylist()
    bad = [value for value in values if value is None or not _PERIOD.fullmatch(value) or value in _TAKEN]
    if bad:
        return [
            f"{name}: {_some(bad)} cannot name a period; use letters, digits, '.', '_' and '-', as in 2016 or 2016-Q1"
        ]
    return []


def _target(model: Model, rows: pa.Table) -> list[str]:
    values = pc.unique(rows[model.target]).to_pylist()
    if model.task == "binary" and set(values) != {0, 1}:
        return [f"{model.target}: a binary model needs the labels 0 and 1; the data has: {_some(sorted(values))}"]
    if model.task == "multiclass" and len(values) < 3:
        return [f"{model.target}: a multiclass model needs three classes or more; the data has: {_some(values)}"]
    return []


def _feature(feature: Feature, column: pa.ChunkedArray, ids: pa.ChunkedArray) -> list[str]:
    findings = []
    if column.null_count and not feature.nullable:
        first = ids.filter(pc.is_null(column))[0]
        findings.append(
            f"{feature.name}: {column.null_count} rows are empty, first the one with id {first}; "
            "mend the data, or write `nullable: true`"
        )
    found = _number(feature, column, ids) if isinstance(feature, Number) else _category(feature, column)
    return findings + found


def _number(feature: Number, column: pa.ChunkedArray, ids: pa.ChunkedArray) -> list[str]:
    outside = _outside(feature, column)
    count = pc.sum(outside).as_py()
    if not count:
        return []
    first = "" if feature.sensitive else f" ({column.filter(outside)[0]})"
    return [
        f"{feature.name}: {count} rows are outside {_range(feature)}, "
        f"first the one with id {ids.filter(outside)[0]}{first}; mend the data, or the range in model.yaml"
    ]


def _outside(feature: Number, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Which values are out of range; null where there is none."""
    outside = pc.is_inf(column)
    if feature.minimum is not None:
        outside = pc.or_(outside, pc.less(column, feature.minimum))
    if feature.maximum is not None:
        outside = pc.or_(outside, pc.greater(column, feature.maximum))
    return outside


def _range(feature: Number) -> str:
    least = "any" if feature.minimum is None else f"{feature.minimum:.12g}"
    most = "any" if feature.maximum is None else f"{feature.maximum:.12g}"
    return f"{least} to {most}"


def _category(feature: Category, column: pa.ChunkedArray) -> list[str]:
    unknown = set(pc.unique(column).drop_null().to_pylist()).difference(feature.values)
    if not unknown:
        return []
    count = pc.sum(pc.is_in(column, pa.array(sorted(unknown)))).as_py()
    which = "" if feature.sensitive else f": {_some(sorted(unknown))}"
    return [
        f"{feature.name}: {count} rows have a value that model.yaml does not list{which}; "
        f"mend the data, or add to: {', '.join(feature.values)}"
    ]


def _some(values: pa.Array | list) -> str:
    listed = values.to_pylist() if isinstance(values, pa.Array) else values
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(repr(value) for value in listed[:_SHOWN]) + more
