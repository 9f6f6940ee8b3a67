from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from config import load_model
from model_server.scoring import OnnxModel
from pipelines.container import StepError
from pipelines.packaging import champion
from tests.pipelines import jobs
from tests.pipelines.conftest import at

MODEL = load_model(jobs.CODE)


@pytest.fixture
def _in_the_bucket(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in at(bucket).items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("_in_the_bucket")
def test_the_released_package_is_fetched(release: jobs.Release, tmp_path: Path) -> None:
    found = champion.fetch("s3://models/released/model.tar.gz", tmp_path / "champion")
    assert found is not None
    assert found.signature == OnnxModel.read(release.package).signature


@pytest.mark.usefixtures("_in_the_bucket")
@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        ("s3://models/gone/model.tar.gz", "the champion s3://models/gone/model.tar.gz cannot be read"),
        ("released.tar.gz", "--champion is 'released.tar.gz'; give the s3:// URI"),
    ],
)
def test_a_champion_that_cannot_be_read_fails_the_job(tmp_path: Path, uri: str, sentence: str) -> None:
    with pytest.raises(StepError, match=sentence):
        champion.fetch(uri, tmp_path / "champion")


def test_a_champion_that_needs_what_the_data_lost_is_not_measured_and_that_is_said(release: jobs.Release) -> None:
    rows = pq.read_table(release.prepared.output("test") / "holdout.parquet")
    model = OnnxModel.read(release.package)
    fewer = MODEL.model_copy(update={"features": MODEL.features[1:]})
    found = champion.measure("s3://x", model, fewer, rows).to_json(MODEL.promotion)
    assert found["value"] == found["bar"] == -1e9
    assert found["reason"] == "the champion needs AGEP, which the data no longer has"


def test_a_champion_of_another_target_is_not_measured(release: jobs.Release) -> None:
    rows = pq.read_table(release.prepared.output("test") / "holdout.parquet")
    model = OnnxModel.read(release.package)
    model.signature = replace(model.signature, target="retired")
    assert champion.measure("s3://x", model, MODEL, rows).reason.startswith("the champion needs the target retired")
