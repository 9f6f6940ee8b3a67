"""The model that every server serves: `python -m benchmarks.serving.model FOLDER` fits and packages it.

A program of its own, so that the process that measures memory maps none of the libraries that the servers share.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.serving.payloads import ROWS
from config.features import Feature, Number
from model_server import engines, scoring, signature
from model_server.forest import Forest
from model_server.signature import Signature
from pipelines.packaging import forest, parity, speed
from pipelines.packaging.export import export

FEATURES = 20


def prepare(folder: Path) -> None:
    """Writes data.npz for the peers, the rows as text, and our package below `model/`."""
    rows, labels = make_classification(5000, FEATURES, n_informative=10, random_state=0)
    rows = rows.round(4).astype(np.float32)
    np.savez(folder / "data.npz", rows=rows, labels=labels)
    lines = (",".join(f"{value:.4f}" for value in row.tolist()) for row in rows)
    (folder / ROWS).write_text("\n".join(lines) + "\n")
    _package(folder / "model", rows, labels)


def _package(folder: Path, rows: np.ndarray, labels: np.ndarray) -> None:
    names = [f"f{place}" for place in range(FEATURES)]
    features: list[Feature] = [Number(name=name, type="number") for name in names]
    frame = pd.DataFrame(rows, columns=names)
    fitted = HistGradientBoostingClassifier(max_iter=100, random_state=0).fit(frame, labels)
    exported = export(fitted, features)
    trees = forest.export(exported)
    described = Signature("binary", "label", tuple(signature.Number(name) for name in names), (0, 1))
    columns = {name: rows[:, [place]] for place, name in enumerate(names)}
    for engine in (onnx := engines.Onnx(exported), many := Forest(trees.forest, None)):
        found = np.abs(scoring.Model(described, engine).score(columns).scores - fitted.predict_proba(frame)).max()
        assert found <= parity.TOLERANCE["binary"], f"the exported model differs by {found}"
    fewest = speed.batch_from(onnx, many, scoring.matrices(described, columns))
    described = replace(described, batch_engine="forest", batch_from=fewest)
    folder.mkdir()
    (folder / engines.ONNX_FILE).write_bytes(exported)
    (folder / engines.FOREST_FILE).write_bytes(trees.forest)
    (folder / signature.FILE).write_text(json.dumps(described.to_json()))


if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
