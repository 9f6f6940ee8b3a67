"""Small fitted models, and the packages that they become."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from config.model import Model
from model_server import engines, signature
from model_server.scoring import Columns
from model_server.scoring import Model as Packaged
from pipelines.packaging import package, parity
from pipelines.packaging.choosing import Choice, Chosen
from pipelines.packaging.export import export
from pipelines.rows.columns import model_columns, training_frame
from tests.pipelines.tables import rows


def random_rows(count: int = 3000, *, nulls: bool = False) -> pa.Table:
    """Rows with sizes that no two rows share, and where asked for a tenth of nulls."""
    generator = np.random.default_rng(7)
    size = generator.uniform(0, 10, count)
    colour = generator.choice(["red", "green", "blue"], count)
    score = size / 5 - 1 + (colour == "red") + generator.normal(size=count)
    sizes, colours = size.tolist(), colour.tolist()
    if nulls:
        sizes = [None if number % 10 == 0 else value for number, value in enumerate(sizes)]
        colours = [None if number % 11 == 0 else value for number, value in enumerate(colours)]
    return rows(count, size=sizes, colour=colours, late=(score > 0).astype(float).tolist())


def one_hot(estimator: Any) -> Any:
    """*estimator* on the number as it is and a column for each category."""
    columns = [("numbers", "passthrough", ["size"]), ("codes", OneHotEncoder(handle_unknown="ignore"), ["colour"])]
    return make_pipeline(ColumnTransformer(columns, sparse_threshold=0), estimator)


def ordinals(estimator: Any) -> Any:
    """*estimator* on a number for each category, and then the numbers."""
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return make_pipeline(ColumnTransformer([("codes", codes, ["colour"])], remainder="passthrough"), estimator)


def fitted(model: Model, table: pa.Table, pipeline: Any, target: np.ndarray) -> tuple[Any, Columns]:
    """*pipeline* fitted as train does, and the columns that it was fitted on."""
    columns = model_columns(table, model.features)
    frame: pd.DataFrame = training_frame(columns, model.features)
    return pipeline.fit(frame, target), columns


def exported(model: Model, pipeline: Any, columns: Columns) -> tuple[Packaged, bytes]:
    """The exported model, not yet held against the fitted one."""
    content = export(pipeline, model.features)
    classes = tuple(np.asarray(getattr(pipeline, "classes_", ())).tolist())
    return Packaged(package.describe(model, columns, classes), engines.Onnx(content)), content


def checked(model: Model, pipeline: Any, columns: Columns) -> parity.Parity:
    """What the gate finds; raises StepError."""
    onnx, content = exported(model, pipeline, columns)
    return parity.gate(pipeline, onnx, parity.probes(model.features, columns, content))


def chosen(model: Model, pipeline: Any, columns: Columns) -> Chosen:
    """What train makes of the fitted model; raises StepError."""
    classes = tuple(np.asarray(getattr(pipeline, "classes_", ())).tolist())
    return Choice(model, pipeline, package.describe(model, columns, classes), columns).make()


def written(folder: Path, package: Chosen) -> Path:
    """A package without golden requests, of the engine that was chosen."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in package.files.items():
        (folder / name).write_bytes(content)
    (folder / signature.FILE).write_text(json.dumps(package.signature.to_json()))
    return folder


def packaged(folder: Path, model: Model, pipeline: Any, columns: Columns) -> Path:
    """A package without golden requests."""
    onnx, content = exported(model, pipeline, columns)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / engines.ONNX_FILE).write_bytes(content)
    described = replace(onnx.signature, parity={"tolerance": parity.TOLERANCE[model.task]})
    (folder / signature.FILE).write_text(json.dumps(described.to_json()))
    return folder
