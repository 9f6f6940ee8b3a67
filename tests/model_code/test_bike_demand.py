"""The model's own `fit`, on real data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from config import load_model
from model_server.testing import Client, broken_promises
from pipelines.packaging import author, package
from pipelines.rows.columns import model_columns, training_frame
from tests.pipelines import jobs

CODE = jobs.ROOT / "model_code" / "bike_demand"
MODEL = load_model(CODE)
YEAR_2012 = {f"2012-{month:02}" for month in range(1, 13)}


@dataclass(frozen=True)
class Release:
    """What the three programs made of the whole data, which is small."""

    frame: pd.DataFrame
    evaluation: dict
    package: Path


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    root = tmp_path_factory.mktemp("release")
    prepared = jobs.checked(jobs.prepare(root / "prepare", jobs.ROOT / "data" / MODEL.data.prefix, CODE), "prepare")
    trained = jobs.checked(jobs.train(root / "train", prepared.output("train"), CODE), "train")
    evaluated = jobs.checked(jobs.evaluate(root / "evaluate", prepared, trained, CODE), "evaluate")
    rows = pq.read_table(prepared.output("train"))
    features = training_frame(model_columns(rows, MODEL.features), MODEL.features)
    return Release(
        features.assign(**{MODEL.target: rows[MODEL.target].to_numpy()}),
        json.loads((evaluated.output("evaluation") / "evaluation.json").read_text()),
        package.unpack(evaluated.output("package") / package.ARCHIVE, root / "package"),
    )


def test_the_held_out_hours_of_2011_pass_the_gate_with_some_margin(release: Release) -> None:
    assert release.evaluation["promotion"]["value"] > MODEL.promotion.bound + 0.02


def test_each_month_of_2012_is_measured_and_better_than_a_guess(release: Release) -> None:
    periods = release.evaluation["periods"]
    assert periods.keys() == YEAR_2012
    assert all(metrics["r2"]["value"] > 0.3 for metrics in periods.values())


def test_fit_takes_every_hyperparameter_that_model_yaml_names(release: Release) -> None:
    fitted = author.fit_function(CODE)(release.frame.head(500), **MODEL.hyperparameters)
    assert fitted[-1].get_params().items() >= MODEL.hyperparameters.items()


def test_it_keeps_what_the_server_promises_for_every_model(release: Release) -> None:
    assert not broken_promises(Client(release.package))


def test_a_dry_morning_of_a_working_day_is_busier_than_a_rainy_night(release: Release) -> None:
    morning = {
        "season": "3", "mnth": "9", "hr": "8", "weekday": "2", "workingday": "1", "holiday": "0", "weathersit": "1",
        "temp": 0.6, "atemp": 0.58, "hum": 0.6, "windspeed": 0.15,
    }  # fmt: skip
    busy, quiet = Client(release.package).predict([morning, morning | {"hr": "3", "weathersit": "3", "hum": 0.95}])
    assert busy["prediction"] > 200
    assert quiet["prediction"] < 50
