"""Fits the model, and leaves it in a form that provably says what the fitted model says."""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import pyarrow as pa

from config import Model, load_model
from model_server import signature
from pipelines.container import Container, StepError, discreet, run
from pipelines.packaging import author, package
from pipelines.packaging.choosing import Choice
from pipelines.rows.columns import model_columns, read_splits, training_frame


def train(container: Container) -> None:
    """From the channels `code` and `train` to the package's first files in `/opt/ml/model`."""
    model = load_model(container.channel("code"))
    with discreet(sensitive=bool(model.sensitive)):
        _train(container, model)


def _train(container: Container, model: Model) -> None:
    code, folder = container.channel("code"), container.model()
    fit = author.fit_function(code)
    rows = pa.concat_tables(read_splits(container.channel("train")).values())
    columns = model_columns(rows, model.features)
    frame = training_frame(columns, model.features).assign(**{model.target: rows[model.target].to_numpy()})
    started = time.perf_counter()
    fitted = fit(frame, **model.hyperparameters)
    print(f"fitted on {len(frame):,} rows in {time.perf_counter() - started:.1f} s", flush=True)

    classes = tuple(np.asarray(getattr(fitted, "classes_", ())).tolist())
    if model.task == "binary" and classes != (0, 1):
        raise StepError(f"the fitted model's classes are {classes}; a binary model predicts 0 and 1")
    described = package.describe(model, columns, classes)
    chosen = Choice(model, fitted, described, columns).make()
    for name, content in chosen.files.items():
        (folder / name).write_bytes(content)
    (folder / signature.FILE).write_text(json.dumps(chosen.signature.to_json(), indent=2))
    author.copy_serving_code(code, folder)


if __name__ == "__main__":
    sys.exit(run(train))
