from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from config import load_model
from config.model import Promotion
from model_server.scoring import Model
from pipelines.container import StepError
from pipelines.packaging import champion, package
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
    assert isinstance(found, Model)
    assert found.signature == Model.read(release.package).signature


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
    model = Model.read(release.package)
    fewer = MODEL.model_copy(update={"features": MODEL.features[1:]})
    found = champion.measure("s3://x", model, fewer, rows).to_json(MODEL.promotion)
    assert found["value"] == found["bar"] == -1e9
    assert found["reason"] == "the champion needs AGEP, which the data no longer has"


def test_a_champion_of_another_target_is_not_measured(release: jobs.Release) -> None:
    rows = pq.read_table(release.prepared.output("test") / "holdout.parquet")
    model = Model.read(release.package)
    model.signature = replace(model.signature, target="retired")
    assert champion.measure("s3://x", model, MODEL, rows).reason.startswith("the champion needs the target retired")


def test_a_champion_of_an_older_format_is_not_measured_and_that_is_said(
    release: jobs.Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "old"
    shutil.copytree(release.package, old)
    signature = json.loads((old / "signature.json").read_text())
    (old / "signature.json").write_text(json.dumps(signature | {"format": 1}))
    package.pack(old, tmp_path / package.ARCHIVE)
    monkeypatch.setattr(champion, "_download", lambda *_: tmp_path / package.ARCHIVE)
    found = champion.fetch("s3://models/old/model.tar.gz", tmp_path / "champion")
    assert isinstance(found, str)
    rows = pq.read_table(release.prepared.output("test") / "holdout.parquet")
    reason = champion.measure("s3://x", found, MODEL, rows).reason
    assert reason == (
        "the champion needs another image than this: signature.json is not of format 3; "
        "serve it with the image that it was released with"
    )


def test_without_a_champion_there_is_nothing_to_measure(tmp_path: Path) -> None:
    assert champion.fetch("none", tmp_path) == "no package has been released yet"


def test_a_champion_without_an_error_of_its_own_is_beaten_by_any_and_a_margin_lowers_the_bar_of_an_error() -> None:
    promotion = Promotion(metric="mean_absolute_error", at_most=20, margin=0.5)
    assert champion.Champion("none").to_json(promotion)["bar"] == 1e9
    measured = champion.Champion("s3://x", {"mean_absolute_error": 12.0})
    assert measured.to_json(promotion)["bar"] == 11.5
