"""Rows that a model must answer: those of its golden requests, and others like them."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from model_server import media
from model_server.answers import of_table
from model_server.golden import Golden
from model_server.signature import Category, Feature, Signature

Row = Mapping[str, Any]


def golden_rows(golden: Golden) -> list[Row]:
    """The rows of the golden requests that are JSON and have a single one."""
    found = [json.loads(request.body) for request in golden.requests if request.content_type == media.JSON]
    return [each["instances"][0] for each in found if len(each.get("instances", ())) == 1]


def ordinary(signature: Signature, golden: Golden) -> dict[str, Any]:
    """A row with which nothing is wrong."""
    for row in golden_rows(golden):
        if all(_is_good(feature, row.get(feature.name)) for feature in signature.features):
            return {name: row[name] for name in signature.names}
    return {feature.name: _made_up(feature, random.Random(0)) for feature in signature.features}  # noqa: S311  no secret


def variations(signature: Signature, golden: Golden, count: int, seed: int) -> list[Row]:
    """*count* rows within the signature's ranges and the categories that training saw, the same for a seed.

    Half of the values are of golden rows; the other half is anywhere that the schema allows.
    """
    generator = random.Random(seed)  # noqa: S311  no secret
    known = golden_rows(golden)
    values = {
        feature.name: [row[feature.name] for row in known if _is_good(feature, row.get(feature.name))]
        for feature in signature.features
    }
    return [
        {
            feature.name: generator.choice(values[feature.name])
            if values[feature.name] and generator.random() < 0.5
            else _made_up(feature, generator, values[feature.name])
            for feature in signature.features
        }
        for _ in range(count)
    ]


def instances(*rows: Row) -> bytes:
    """Rows as a JSON body."""
    return json.dumps({"instances": rows}).encode()


def encoded(signature: Signature, row: Row, kind: str) -> bytes:
    """A row as a body of any content type that the server reads."""
    match kind:
        case media.JSON:
            return instances(row)
        case media.JSON_LINES:
            return json.dumps(row).encode() + b"\n"
        case media.CSV:
            return as_csv([row[name] for name in signature.names])
        case media.NPY:
            return _npy(signature, row)
        case _:
            return columnar({name: row[name] for name in signature.names}, kind)


def as_csv(*lines: Sequence[Any]) -> bytes:
    """Lines of CSV, with nothing for None."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue().encode()


def columnar(row: Row, kind: str) -> bytes:
    """A row as Parquet or as an Arrow stream."""
    return of_table(pa.table({name: [value] for name, value in row.items()}), kind)


def _npy(signature: Signature, row: Row) -> bytes:
    """A structured array: plain ones have room for numbers alone."""
    fields = [
        (feature.name, f"U{len(row[feature.name] or '') or 1}" if isinstance(feature, Category) else "f8")
        for feature in signature.features
    ]
    values = tuple(
        (row[feature.name] or "") if isinstance(feature, Category) else _number(row[feature.name])
        for feature in signature.features
    )
    file = io.BytesIO()
    np.save(file, np.array([values], dtype=fields))
    return file.getvalue()


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _is_good(feature: Feature, value: Any) -> bool:
    if value is None:
        return feature.nullable
    if isinstance(feature, Category):
        return value in feature.seen
    least = -np.inf if feature.minimum is None else feature.minimum
    most = np.inf if feature.maximum is None else feature.maximum
    return isinstance(value, int | float) and least <= value <= most


def _made_up(feature: Feature, generator: random.Random, known: Sequence[Any] = ()) -> Any:
    """A value that the schema allows; between the known ones where it names no bound."""
    if isinstance(feature, Category):
        return generator.choice(feature.seen or feature.values)
    numbers = [value for value in known if value is not None] or [0.0, 1.0]
    least = min(numbers) if feature.minimum is None else feature.minimum
    most = max(numbers) if feature.maximum is None else feature.maximum
    drawn = generator.uniform(min(least, most), most)
    # Whole numbers stay whole: a model of ages has never been asked about 37.2.
    return float(round(drawn)) if all(float(value).is_integer() for value in numbers) and most - least > 1 else drawn
