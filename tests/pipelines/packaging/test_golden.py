from __future__ import annotations

import json
from pathlib import Path

import pyarrow.compute as pc
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression

from model_server.scoring import Model
from pipelines.container import StepError
from pipelines.packaging.golden import choose
from pipelines.rows.columns import model_columns
from tests.pipelines import models
from tests.pipelines.tables import CATEGORY, NUMBER, model

NULLABLE = model(task="regression", features=[NUMBER | {"nullable": True}, CATEGORY | {"nullable": True}])
TABLE = models.random_rows(nulls=True)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pipeline, columns = models.fitted(
        NULLABLE, TABLE, models.one_hot(HistGradientBoostingRegressor(max_iter=10)), TABLE["late"].to_numpy()
    )
    return models.packaged(tmp_path_factory.mktemp("model"), NULLABLE, pipeline, columns)


def test_each_row_is_asked_as_json_and_as_csv_with_the_same_answer(package: Path) -> None:
    columns = model_columns(TABLE, NULLABLE.features)
    found = choose(package, columns, Model.read(package).score(columns)).requests
    rows = (len(found) - 1) // 2
    for one, other in zip(found[:rows], found[rows:-1], strict=True):
        assert json.loads(one.answer)["predictions"][0]["prediction"] == float(other.answer)
    assert any("null" in request.body for request in found[:rows])


def test_a_row_that_the_package_refuses_stops_the_release(package: Path) -> None:
    columns = model_columns(TABLE, NULLABLE.features)
    signature = json.loads((package / "signature.json").read_text())
    signature["features"][0]["maximum"] = 1
    broken = package.parent / "broken"
    broken.mkdir()
    (broken / "model.onnx").write_bytes((package / "model.onnx").read_bytes())
    (broken / "signature.json").write_text(json.dumps(signature))
    predictions = Model.read(package).score(columns)
    with pytest.raises(StepError, match=r"refuses a held-out row with 422: .*expected a number of at least 0"):
        choose(broken, columns, predictions)


@pytest.mark.parametrize("action", ["refuse", "quarantine"])
def test_rows_that_the_policy_leaves_without_an_answer_are_no_golden_ones(tmp_path: Path, action: str) -> None:
    described = model(serving={"unseen": action})
    seen = TABLE.filter(pc.not_equal(TABLE["colour"], "blue")).drop_null()
    pipeline, columns = models.fitted(
        described, seen, models.one_hot(LogisticRegression()), seen["late"].to_numpy().astype(int)
    )
    folder = models.packaged(tmp_path / "model", described, pipeline, columns)
    later = model_columns(models.random_rows(), described.features)
    requests = choose(folder, later, Model.read(folder).score(later)).requests
    assert len(requests) > 40
    assert not any("blue" in request.body for request in requests)


def test_a_row_that_is_flagged_is_a_golden_one(tmp_path: Path) -> None:
    seen = TABLE.filter(pc.equal(TABLE["colour"], "red")).drop_null()
    pipeline, columns = models.fitted(
        model(), seen, models.one_hot(LogisticRegression()), seen["late"].to_numpy().astype(int)
    )
    folder = models.packaged(tmp_path / "model", model(), pipeline, columns)
    later = model_columns(models.random_rows(), model().features)
    requests = choose(folder, later, Model.read(folder).score(later)).requests
    assert any("category_unseen" in request.answer for request in requests)
