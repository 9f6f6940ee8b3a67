"""What is served is what was fitted: on real rows, and on rows that no training has seen."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from config import load_model
from model_server.signature import Number, Signature
from model_server.testing import Client
from pipelines.packaging import author
from tests.model_server.cases import ARROW, CSV, JSON, arrow
from tests.pipelines import jobs

ROWS = 10_000


@pytest.fixture(scope="module")
def lenient(release: jobs.Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real model's package, with a signature that answers whatever the model can: nulls and unseen values too."""
    package = tmp_path_factory.mktemp("lenient") / "package"
    shutil.copytree(release.package, package)
    content = json.loads((package / "signature.json").read_text())
    content["policy"] = {"invalid": "flag", "unseen": "flag"}
    for feature in content["features"]:
        feature["nullable"] = True
    (package / "signature.json").write_text(json.dumps(content))
    return package


def generated(signature: Signature) -> dict[str, list[Any]]:
    """Columns of nulls, extremes, values that training saw, and values that nobody has seen."""
    generator = np.random.default_rng(3)
    numbers = [None, 0.0, -0.0, 1e-45, -1e-30, 3.4e38, -3.4e38, 119.99999, 120.0, 1e9]
    columns: dict[str, list[Any]] = {}
    for feature in signature.features:
        if isinstance(feature, Number):
            usual = generator.uniform(0, 120, ROWS).astype(np.float32).tolist()
            odd = generator.choice(len(numbers), ROWS)
            columns[feature.name] = [
                numbers[place] if strange else value
                for value, place, strange in zip(usual, odd, generator.random(ROWS) < 0.4, strict=True)
            ]
        else:
            values = [*feature.values, *feature.values, None, "~unseen~", "-1", "é"]
            columns[feature.name] = [values[place] for place in generator.choice(len(values), ROWS)]
    return columns


def test_ten_thousand_generated_rows_are_answered_as_by_the_fitted_model(lenient: Path) -> None:
    columns = generated(Signature.read(lenient))
    model = load_model(jobs.CODE)
    import pandas as pd

    frame = pd.DataFrame(
        {
            name: np.array(values, np.float32) if name == "AGEP" else [value or "" for value in values]
            for name, values in columns.items()
        }
    )
    fitted = author.fit_function(jobs.CODE)(jobs.training_rows(), **model.hyperparameters)
    expected = fitted.predict_proba(frame)[:, 1]
    assert len(np.unique(expected)) > ROWS / 10
    client = Client(lenient)
    for body, kind in ((arrow(pa.table(columns)), ARROW), (json.dumps({"inputs": columns}), JSON)):
        reply = client.invoke(body, kind, JSON)
        answers = json.loads(reply.body)["predictions"]
        assert np.abs(np.array([each["probability"] for each in answers]) - expected).max() < 1e-6
        assert 0.3 < np.mean(["flags" in each for each in answers]) < 1


def test_small_requests_are_answered_as_large_ones(lenient: Path) -> None:
    columns = generated(Signature.read(lenient))
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)][:500]
    client = Client(lenient)
    together = [each["probability"] for each in client.predict(rows)]
    alone = [client.predict([row])[0]["probability"] for row in rows]
    assert np.abs(np.subtract(alone, together)).max() < 1e-6


def test_csv_answers_as_json_does(lenient: Path) -> None:
    columns = generated(Signature.read(lenient))
    rows = pa.table(columns).slice(0, 2000)
    sink = pa.BufferOutputStream()
    from pyarrow import csv

    csv.write_csv(rows, sink)
    client = Client(lenient)
    lines = client.invoke(sink.getvalue().to_pybytes(), CSV).body.splitlines()
    answers = json.loads(client.invoke(arrow(rows), ARROW, JSON).body)["predictions"]
    assert [float(line.split(b",")[0]) for line in lines] == [each["probability"] for each in answers]
