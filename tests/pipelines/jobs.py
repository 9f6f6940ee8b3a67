"""Runs the programs of the training pipeline as SageMaker would: processes, with the container's folders."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from config import load_model
from pipelines.packaging import author, package
from pipelines.rows.columns import model_columns, training_frame

ROOT = Path(__file__).parents[2]
CODE = ROOT / "model_code" / "employment"
DATA = ROOT / "data" / "acs_employment_ma"


@dataclass(frozen=True)
class Job:
    """One job: `root` stands for /opt/ml."""

    root: Path

    def give(self, place: str, content: Path) -> None:
        """Puts *content* where the job finds it: `processing/input/code`, `input/data/train` ..."""
        target = self.root / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(content)

    def run(self, step: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "ML_ROOT": str(self.root), "OMP_WAIT_POLICY": "PASSIVE", **variables}
        return subprocess.run(
            [sys.executable, "-m", f"pipelines.steps.{step}", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def failure(self) -> str:
        return (self.root / "output" / "failure").read_text()

    def output(self, name: str) -> Path:
        return self.root / "processing" / "output" / name


def prepare(root: Path, data: Path, code: Path = CODE) -> Job:
    """A prepare job with its inputs."""
    job = Job(root)
    job.give("processing/input/code", code)
    job.give("processing/input/data", data)
    return job


def train(root: Path, rows: Path, code: Path = CODE) -> Job:
    """A training job with its channels."""
    job = Job(root)
    job.give("input/data/code", code)
    job.give("input/data/train", rows)
    return job


def evaluate(root: Path, prepared: Job, trained: Job, code: Path = CODE) -> Job:
    """An evaluation job with its inputs, among them the archive that SageMaker makes of a trained model."""
    job = Job(root)
    job.give("processing/input/code", code)
    for name in ("test", "manifest"):
        job.give(f"processing/input/{name}", prepared.output(name))
    archive = root / "processing" / "input" / "model" / package.ARCHIVE
    archive.parent.mkdir()
    package.pack(trained.root / "model", archive)
    return job


def checked(job: Job, step: str, *arguments: str, **variables: str) -> Job:
    """The job after *step*, which must succeed."""
    result = job.run(step, *arguments, **variables)
    assert result.returncode == 0, result.stderr
    return job


@dataclass(frozen=True)
class Release:
    """What the three programs made of a sample of the real data: a sixth of 2015, all of 2016, some of later."""

    data: Path
    prepared: Job
    trained: Job
    evaluated: Job
    package: Path


@functools.cache
def release() -> Release:
    """Runs the three programs once for all tests of this process."""
    root = Path(tempfile.mkdtemp(prefix="release-"))
    atexit.register(shutil.rmtree, root)
    data = root / "data"
    sample(data)
    prepared = checked(prepare(root / "prepare", data), "prepare")
    trained = checked(train(root / "train", prepared.output("train")), "train", PYTHONHASHSEED="1")
    evaluated = evaluate(root / "evaluate", prepared, trained)
    checked(evaluated, "evaluate", "--champion", "none", "--commit", "0123abcd")
    unpacked = package.unpack(evaluated.output("package") / package.ARCHIVE, root / "package")
    return Release(data, prepared, trained, evaluated, unpacked)


@functools.cache
def fitted_on_2016() -> tuple[np.ndarray, np.ndarray]:
    """The labels of 2016, and what a model fitted here on the same rows says of them."""
    model = load_model(CODE)
    fitted = author.fit_function(CODE)(training_rows(), **model.hyperparameters)
    later = pq.read_table(release().prepared.output("test") / "2016.parquet")
    features = training_frame(model_columns(later, model.features), model.features)
    return later[model.target].to_numpy(), fitted.predict_proba(features)[:, 1]


def training_rows() -> pd.DataFrame:
    """The rows that the release was trained on, as `fit` gets them."""
    model = load_model(CODE)
    rows = pq.read_table(release().prepared.output("train"))
    features = training_frame(model_columns(rows, model.features), model.features)
    return features.assign(**{model.target: rows[model.target].to_numpy()})


def sample(folder: Path) -> None:
    """Writes a sample of the real files, with the columns that another model left in them."""
    folder.mkdir()
    reference = pq.read_table(DATA / "employment_MA_reference.pq")
    pq.write_table(_every(reference, 6), folder / "employment_MA_reference.pq")
    later = pq.read_table(DATA / "employment_MA_analysis.pq")
    first = pc.equal(later["year"], 2016)
    kept = pa.concat_tables([later.filter(first), _every(later.filter(pc.invert(first)), 30)])
    pq.write_table(kept, folder / "employment_MA_analysis.pq")
    shutil.copy(DATA / "employment_MA_analysis_target.pq", folder)


def _every(table: pa.Table, step: int) -> pa.Table:
    return table.take(np.arange(0, len(table), step))
