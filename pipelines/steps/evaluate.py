"""Measures the challenger and the champion on the same held-out rows, and completes the challenger's package."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from config import load_model
from config.model import Model
from config.naming import NOTHING
from model_server import golden as stored
from model_server import loading
from model_server.predictions import Predictions
from model_server.recording import masking
from model_server.scoring import Model as Packaged
from model_server.testing import Client, broken_promises
from pipelines.container import Container, StepError, discreet, run
from pipelines.packaging import champion, golden, masks, metrics, package, sealing, watching
from pipelines.rows import manifest
from pipelines.rows.columns import model_columns, read_splits
from pipelines.rows.splitting import HOLDOUT, RECENT

EVALUATION = "evaluation.json"

Json = dict[str, Any]


def evaluate(container: Container) -> None:
    """From the inputs `code`, `model`, `test` and `manifest` to the outputs `evaluation` and `package`."""
    arguments = _arguments()
    model = load_model(container.input("code"))
    with discreet(sensitive=bool(model.sensitive)):
        _evaluate(container, arguments, model.model_copy(update={"name": arguments.model or model.name}))


def _evaluate(container: Container, arguments: argparse.Namespace, model: Model) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = package.unpack(container.input("model") / package.ARCHIVE, Path(scratch, "challenger"))
        onnx, released = Packaged.read(folder), champion.fetch(arguments.champion, Path(scratch, "champion"))
        splits = _splits(container.input("test"))
        predictions = {name: onnx.score(model_columns(rows, model.features)) for name, rows in splits.items()}
        measured = {name: _measure(model, name, rows, predictions[name]) for name, rows in splits.items()}
        compared = _compared(model, measured)
        rival = champion.measure(arguments.champion, released, model, splits[compared], compared)
        evaluation = _evaluation(model, measured, rival)
        if rival.metrics:
            evaluation["champion"]["periods"] = {
                name: _values(champion.measure(arguments.champion, released, model, splits[name], name).metrics)
                for name in evaluation["periods"]
            }
        if RECENT in splits:
            evaluation["recent"] = {"rows": len(splits[RECENT]), "metrics": _values(measured[RECENT])}
        print(
            f"champion on {compared}: {evaluation['champion']['value']:.4f}"
            if rival.metrics
            else f"no champion: {rival.reason}"
        )
        _write(container.output("evaluation") / EVALUATION, evaluation)

        _write(folder / package.CARD, _card(model, onnx, evaluation, container, arguments.commit))
        _normal(folder, model, splits[HOLDOUT], predictions[HOLDOUT])
        requests = golden.choose(folder, model_columns(splits[HOLDOUT], model.features), predictions[HOLDOUT])
        _write(folder / stored.FILE, requests.to_json())
        _keep_promises(folder)
        _seal(folder, model, arguments.signing_key)
        package.pack(folder, container.output("package") / package.ARCHIVE)


def _normal(folder: Path, model: Model, rows: pa.Table, predictions: Predictions) -> None:
    """The baseline, and where a feature is sensitive the masks that fit it."""
    key = masks.key() if model.sensitive else None
    columns, labels = model_columns(rows, model.features), rows[model.target].to_numpy()
    normal = watching.baseline(model, columns, labels, predictions, masks.identity(key) if key else None)
    (folder / watching.BASELINE).write_text(json.dumps(normal.body(), allow_nan=False))
    if key:
        _write(folder / masking.FILE, masks.masks(normal, key))


def _splits(folder: Path) -> dict[str, pa.Table]:
    """The held-out rows by name; the hold-out has those from production too, which are the newest, at its end."""
    splits = read_splits(folder)
    if RECENT in splits:
        splits[HOLDOUT] = pa.concat_tables([splits[HOLDOUT], splits[RECENT]])
    return splits


def _compared(model: Model, measured: Mapping[str, Mapping[str, float]]) -> str:
    """The rows on which champion and challenger meet: those from production, where they define the metric."""
    return RECENT if model.promotion.metric in measured.get(RECENT, {}) else HOLDOUT


def _keep_promises(folder: Path) -> None:
    """Holds the package to what the server promises for every model; code of its own may promise something else."""
    if not (folder / loading.SCRIPT).exists() and (broken := broken_promises(Client(folder))):
        raise StepError("the packaged model breaks what callers of any model rely on: " + "; ".join(broken))


def _seal(folder: Path, model: Model, key: str) -> None:
    """Signs the package as the last thing that happens to it."""
    if key == NOTHING:
        print("not signed, so no image will serve it: --signing-key names no key", flush=True)
        return
    card = json.loads((folder / package.CARD).read_text())
    made = {name: card[name] for name in ("commit", "data_version")}
    sealing.seal(folder, {"model": model.name, "team": model.team, **made}, sealing.by_kms(key))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="evaluate", description=__doc__)
    parser.add_argument("--model", help="the model's name, by which its baseline calls it")
    parser.add_argument("--champion", default=NOTHING, help="s3:// URI of the champion's model.tar.gz, or none")
    parser.add_argument("--commit", default="unknown", help="the commit that the code was taken from")
    parser.add_argument("--signing-key", default=NOTHING, help="ARN of the KMS key that signs the package, or none")
    return parser.parse_args()


def _measure(model: Model, name: str, rows: pa.Table, predictions: Predictions) -> dict[str, float]:
    found = metrics.measure(rows[model.target].to_numpy(), predictions)
    print(
        f"{name}: {len(rows):,} rows, {', '.join(f'{metric} {value:.4f}' for metric, value in found.items())}",
        flush=True,
    )
    return found


def _evaluation(model: Model, measured: Mapping[str, Mapping[str, float]], rival: champion.Champion) -> Json:
    """The pipeline's conditions read `promotion.value`, `promotion.compared` and `champion.bar` by their paths."""
    promotion = model.promotion
    if promotion.metric not in measured[HOLDOUT]:
        raise StepError(f"{promotion.metric} is not defined on the held-out rows; they need more than one class")
    compared, value = rival.to_json(promotion), measured[HOLDOUT][promotion.metric]
    bars = [promotion.bound, *([compared["bar"]] if rival.rows == HOLDOUT else [])]
    return {
        "metrics": _values(measured[HOLDOUT]),
        "champion": compared,
        "periods": {name: _values(found) for name, found in measured.items() if name not in (HOLDOUT, RECENT)},
        "promotion": {
            "metric": promotion.metric,
            "value": value,
            "compared": measured[rival.rows][promotion.metric],
            "at_most" if promotion.is_error else "at_least": promotion.bound,
            "margin": promotion.margin,
            "bar": (min if promotion.is_error else max)(bars),
        },
    }


def _values(found: Mapping[str, float]) -> Json:
    return {name: {"value": value} for name, value in found.items()}


def _card(model: Model, onnx: Packaged, evaluation: Json, container: Container, commit: str) -> Json:
    return {
        "description": model.description,
        "task": model.task,
        "owners": model.owners,
        "commit": commit,
        "data_version": manifest.read(container.input("manifest"))["data_version"],
        "hyperparameters": dict(model.hyperparameters),
        **evaluation,
        "parity": onnx.signature.parity,
        "versions": onnx.signature.versions,
    }


def _write(file: Path, content: Json) -> None:
    file.write_text(json.dumps(content, indent=2, allow_nan=False))


if __name__ == "__main__":
    sys.exit(run(evaluate))
