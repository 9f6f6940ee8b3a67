"""Chooses the golden requests of a package, and has the packaged model itself answer them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson

from model_server import loading, media
from model_server.contract import INVOCATIONS, Request
from model_server.golden import Golden, GoldenRequest
from model_server.predictions import Predictions
from model_server.recording import masking
from model_server.scoring import Columns
from model_server.signature import Signature
from model_server.testing import Client
from pipelines.container import StepError

ROWS = 20


def choose(package: Path, columns: Columns, predictions: Predictions) -> Golden:
    """Requests of one row each, first as JSON, then as CSV, and one of all rows, with the answers of *package*.

    The rows are spread evenly over what the model predicts, from its lowest score to its highest; those that its policy
    leaves without an answer are no golden ones. An answer may differ by as much as the export was allowed to.
    """
    scores = predictions.scores[:, -1] if predictions.scores.ndim == 2 else predictions.scores
    order = np.argsort(scores, kind="stable")
    order = order[_answered(predictions.signature, columns)[order]]
    chosen = order[np.linspace(0, len(order) - 1, min(ROWS, len(order))).astype(int)]
    rows = [{name: _value(column[row, 0]) for name, column in columns.items()} for row in chosen]
    bodies = [(media.JSON, orjson.dumps({"instances": part}).decode()) for part in ([row] for row in rows)]
    bodies += [(media.CSV, ",".join(map(_field, row.values())) + "\n") for row in rows]
    bodies += [(media.JSON, orjson.dumps({"instances": rows}).decode())]
    client = Client(package)
    asked = tuple(_asked(client, kind, body) for kind, body in bodies)
    # A probability's scale is 1; a regression's is how much its values vary.
    scale = float(scores.std()) or 1.0 if predictions.signature.task == "regression" else 1.0
    return Golden(predictions.signature.parity["tolerance"], asked, scale)


def _answered(signature: Signature, columns: Columns) -> np.ndarray:
    """Which rows are: all that training has seen the like of, and the others if they are flagged alone."""
    answered = np.ones(len(next(iter(columns.values()))), bool)
    if signature.policy.unseen != "flag":
        for feature in signature.categories:
            answered &= np.isin(columns[feature.name][:, 0], list(feature.known))
    return answered


def _asked(client: Client, kind: str, body: str) -> GoldenRequest:
    # Of the routes themselves: over HTTP an answer has an id, and each time another.
    response = client.routes.handle(Request("POST", INVOCATIONS, kind, kind, body.encode()))
    if response.status != 200:
        reason = loading.why(response, quiet=(client.folder / masking.FILE).exists())
        raise StepError(f"the packaged model refuses a held-out row with {response.status}: {reason}")
    return GoldenRequest(kind, kind, body, response.body.decode())


def _value(value: Any) -> float | str | None:
    if isinstance(value, str):
        return value or None
    return None if np.isnan(value) else float(value)


def _field(value: float | str | None) -> str:
    if value is None:
        return ""
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\r\n') else text
