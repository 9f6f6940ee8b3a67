"""The model that every server serves, and the requests that it gets."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.serving import environments
from config.features import Feature, Number
from model_server import engines, scoring, signature
from model_server.signature import Signature
from pipelines.packaging import parity
from pipelines.packaging.export import export

FEATURES = 20
BIG_ROWS = 34_864
"""5 MB of CSV."""
HUGE_TIMES = 19
"""100 MB of CSV are so many times that."""


@dataclass(frozen=True)
class Payload:
    """A request's body; `rows` are its rows of numbers, from which each server's own form is made."""

    name: str
    content_type: str
    body: bytes


def prepare(folder: Path) -> None:
    """Writes data.npz for the peers, and our package below `model/`."""
    rows, labels = make_classification(5000, FEATURES, n_informative=10, random_state=0)
    rows = rows.round(4).astype(np.float32)
    np.savez(folder / "data.npz", rows=rows, labels=labels)
    names = [f"f{place}" for place in range(FEATURES)]
    features: list[Feature] = [Number(name=name, type="number") for name in names]
    fitted = HistGradientBoostingClassifier(max_iter=100, random_state=0).fit(pd.DataFrame(rows, columns=names), labels)
    exported = export(fitted, features)
    described = Signature("binary", "label", tuple(signature.Number(name) for name in names), (0, 1))
    model = scoring.Model(described, engines.Onnx(exported))
    columns = {name: rows[:, [place]] for place, name in enumerate(names)}
    found = np.abs(model.score(columns).scores - fitted.predict_proba(pd.DataFrame(rows, columns=names))).max()
    assert found <= parity.TOLERANCE["binary"], f"the exported model differs by {found}"
    (folder / "model").mkdir()
    (folder / "model" / engines.ONNX_FILE).write_bytes(exported)
    (folder / "model" / signature.FILE).write_text(json.dumps(replace(described).to_json()))


def fit(folder: Path, environment: str) -> None:
    """The same model fitted by a peer's own scikit-learn, as <environment>.joblib."""
    script = Path(__file__).with_name("servers") / "fit.py"
    command = [environments.python(environment), str(script), str(folder), str(folder / f"{environment}.joblib")]
    subprocess.run(command, check=True, env=environments.clean(), capture_output=True)


def payloads(folder: Path) -> Mapping[str, Payload]:
    """Requests by name; those of JSON are still rows, for each server to be put in its own form."""
    rows = np.load(folder / "data.npz")["rows"]
    texts = [",".join(f"{value:.4f}" for value in row.tolist()) + "\n" for row in rows]
    big = "".join(texts[place % len(texts)] for place in range(BIG_ROWS)).encode()
    one: list[Any] = [[float(f"{value:.4f}") for value in rows[0].tolist()]]
    found = [
        Payload("one-row CSV", "text/csv", texts[0].encode()),
        Payload("one-row JSON", "application/json", json.dumps(one).encode()),
        Payload("1,000-row CSV", "text/csv", "".join(texts[:1000]).encode()),
        Payload("5 MB CSV", "text/csv", big),
    ]
    return {payload.name: payload for payload in found}
