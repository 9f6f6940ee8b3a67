"""A model that knows its own truth, in the files that a real one leaves: package, captured events, labels, metrics."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

from config import Model, load_model
from monitoring import baseline as baselines
from monitoring.spec import Spec
from pipelines.packaging.watching import BASELINE, PREDICTION, SCORE, spec

YAML = """
description: Whether a machine fails, from what its sensors say.
team: {team}
owners: [owners@example.com]
task: binary
target: failed
data: {{prefix: machines, rows: ["*.parquet"], id: id, period: year, train_periods: [2020]}}
features:
{features}
promotion: {{metric: roc_auc, at_least: 0.7}}
hosting: {{kind: dedicated, instance: ml.m5.large, instances: 2}}
monitoring:
{alarms}
{monitoring}
"""


@dataclass(frozen=True)
class Synthetic:
    """A model with so many numbers and one category; whether it fails is decided by its first number."""

    name: str
    team: str = "machines"
    numbers: int = 3
    monitoring: str = ""
    """More lines below `monitoring:`, with two spaces before each."""
    alarms: str = "  alarms: {}"

    @cached_property
    def yaml(self) -> str:
        """Its model.yaml."""
        features = [f"  - {{name: x{place}, type: number, description: a sensor}}" for place in range(self.numbers)]
        kind = '  - {name: kind, type: category, values: ["a", "b", "c"], description: the kind of machine}'
        return YAML.format(
            team=self.team, features="\n".join([*features, kind]), alarms=self.alarms, monitoring=self.monitoring
        )

    @cached_property
    def model(self) -> Model:
        """What it says."""
        with TemporaryDirectory() as folder:
            file = Path(folder, self.name, "model.yaml")
            file.parent.mkdir()
            file.write_text(self.yaml)
            return load_model(file.parent)

    def rows(self, count: int, seed: int, *, moved: float = 0.0) -> Rows:
        """Rows, the first number moved by so many standard deviations."""
        chance = np.random.default_rng(seed)
        numbers = chance.normal(size=(count, self.numbers)).round(4)
        numbers[:, 0] += moved
        kinds = chance.choice(["a", "b", "c"], count, p=[0.6, 0.3, 0.1])
        scores = (1 / (1 + np.exp(-2 * numbers[:, 0]))).round(6)
        return Rows(numbers, kinds, scores, (chance.random(count) < scores).astype(int))

    @cached_property
    def baseline(self) -> bytes:
        """Fitted on rows that nothing has moved."""
        rows = self.rows(4_000, 1)
        columns = {f"x{place}": pa.array(rows.numbers[:, place]) for place in range(self.numbers)}
        columns |= {"kind": pa.array(rows.kinds), SCORE: pa.array(rows.scores)}
        columns |= {PREDICTION: pa.array((rows.scores >= 0.5).astype(int)), "failed": pa.array(rows.truth)}
        fitted = baselines.fit(Spec.parse(spec(self.model, (0, 1))), [pa.RecordBatch.from_pydict(columns)])
        return json.dumps(fitted.body()).encode()

    def archive(self, files: Mapping[str, bytes] | None = None, *, bare: bool = False) -> bytes:
        """Its model.tar.gz, with more files by their name, or without a baseline."""
        given = {**({} if bare else {BASELINE: self.baseline}), **(files or {})}
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
            for name, content in given.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                packed.addfile(entry, io.BytesIO(content))
        return buffer.getvalue()


@dataclass(frozen=True)
class Rows:
    """What was asked, what was answered, and what was true."""

    numbers: np.ndarray
    kinds: np.ndarray
    scores: np.ndarray
    truth: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    def captured(self, start: datetime, step: timedelta, name: str) -> dict[str, bytes]:
        """Captured objects by their key below the variant's folder, an object for each hour; ids are `name-0`..."""
        hours: dict[str, list[str]] = {}
        for place in range(len(self)):
            when = start + step * place
            hours.setdefault(f"{when:%Y/%m/%d/%H}/00-00-000-{name}.jsonl", []).append(self._event(place, when, name))
        return {key: "".join(events).encode() for key, events in hours.items()}

    def captured_events(self) -> Iterator[bytes]:
        """A captured event of each row, all at one moment."""
        moment = datetime(2016, 1, 5, 7, tzinfo=UTC)
        return (self._event(place, moment, "odd").encode() for place in range(len(self)))

    def labels(self, name: str, *, flipped: float = 0.0, seed: int = 7) -> bytes:
        """CSV of all ids with what was true, or with the opposite for a share of them."""
        wrong = np.random.default_rng(seed).random(len(self)) < flipped
        truth = np.where(wrong, 1 - self.truth, self.truth)
        return "".join(["id,failed\n", *[f"{name}-{place},{each}\n" for place, each in enumerate(truth)]]).encode()

    def _event(self, place: int, when: datetime, name: str) -> str:
        row = ",".join([*map(str, self.numbers[place]), str(self.kinds[place])])
        score = float(self.scores[place])
        answer = json.dumps({"predictions": [{"prediction": int(score >= 0.5), "probability": score}]})

        def side(kind: str, mode: str, data: str, encoding: str) -> dict[str, str]:
            return {"observedContentType": kind, "mode": mode, "data": data, "encoding": encoding}

        data = {
            "endpointInput": side("text/csv", "INPUT", row, "CSV"),
            "endpointOutput": side("application/json", "OUTPUT", answer, "JSON"),
        }
        metadata = {"eventId": f"e-{name}-{place}", "inferenceId": f"{name}-{place}"}
        metadata["inferenceTime"] = f"{when:%Y-%m-%dT%H:%M:%SZ}"
        return json.dumps({"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}) + "\n"
