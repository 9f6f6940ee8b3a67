"""Which data a model was made of: written by prepare, named in the model's card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from config.model import Model
from pipelines.rows.reading import Data

FILE = "manifest.json"


def describe(model: Model, data: Data, folder: Path, splits: Mapping[str, pa.Table]) -> dict[str, Any]:
    """The manifest of *splits* made from the files of *data* below *folder*.

    `data_version` is the hash of all the rest: it depends on the bytes that were read and on how they were split.
    """
    content: dict[str, Any] = {
        "inputs": [
            {"path": file.relative_to(folder).as_posix(), "bytes": file.stat().st_size, "sha256": _sha256(file)}
            for file in data.files
        ],
        "columns": data.rows.column_names,
        "unlabelled": data.unlabelled,
        "splits": {name: _split(model, rows) for name, rows in splits.items()},
    }
    if len(data.recorded):
        counts = pc.value_counts(data.recorded[model.data.period]).to_pylist()
        content["recorded"] = {each["values"]: each["counts"] for each in counts}
    return {"data_version": hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest(), **content}


def read(folder: Path) -> dict[str, Any]:
    """The manifest that prepare wrote."""
    return json.loads((folder / FILE).read_bytes())


def _split(model: Model, rows: pa.Table) -> dict[str, Any]:
    if model.task == "regression":
        return {"rows": len(rows), "target_mean": pc.mean(rows[model.target]).as_py()}
    counts = pc.value_counts(rows[model.target]).to_pylist()
    return {
        "rows": len(rows),
        "classes": {str(c["values"]): c["counts"] for c in sorted(counts, key=lambda c: c["values"])},
    }


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
