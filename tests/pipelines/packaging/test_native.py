"""Fitted models kept as they are: the same answers, the same bytes, and no code of anybody's own."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, SplineTransformer
from sklearn.utils._testing import assert_run_python_script_without_output
from xgboost import XGBClassifier

from model_server.engines import Fitted
from model_server.scoring import matrices
from pipelines.container import StepError
from pipelines.packaging import native, package
from tests.pipelines import models
from tests.pipelines.tables import model

ROOT = Path(__file__).parents[3]
TABLE = models.random_rows(1000)
LATE = TABLE["late"].to_numpy().astype(int)

WITHOUT_PYARROW = """
import json, sys
from pathlib import Path

class Absent:
    def find_spec(self, name, *_):
        if name.partition(".")[0] == "pyarrow":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
from model_server.testing import Client
rows = json.loads(sys.argv[2])
print(json.dumps(Client(Path(sys.argv[1])).predict(rows)))
"""


class Own(LogisticRegression):
    """What an author might write in train.py."""


def doubled(numbers: np.ndarray) -> np.ndarray:
    return numbers * 2


def estimators() -> list[Any]:
    return [
        models.one_hot(LogisticRegression()),
        models.one_hot(make_pipeline(SplineTransformer(), FunctionTransformer(np.tanh), LogisticRegression())),
        models.one_hot(RandomForestClassifier(10, random_state=0, n_jobs=2)),
        models.ordinals(HistGradientBoostingClassifier(max_iter=10, random_state=0, categorical_features=[0])),
        HistGradientBoostingClassifier(max_iter=10, random_state=0, categorical_features="from_dtype"),
        LGBMClassifier(n_estimators=10, verbose=-1),
        XGBClassifier(n_estimators=10, enable_categorical=True),
    ]


@pytest.mark.parametrize("place", range(len(estimators())))
def test_a_model_answers_from_its_file_as_it_did_and_two_fits_give_the_same_bytes(place: int) -> None:
    pipeline, columns = models.fitted(model(), TABLE, estimators()[place], LATE)
    content = native.dump(pipeline)
    signature = package.describe(model(), columns, (0, 1))
    rows = matrices(signature, columns)
    # Adding up the trees of a forest on one thread, not two, moves the last bit.
    np.testing.assert_allclose(native.load(signature, content)(rows), Fitted(signature, pipeline)(rows), atol=1e-12)
    again, _ = models.fitted(model(), TABLE, estimators()[place], LATE)
    assert native.dump(again) == content


def test_the_server_gives_each_model_one_thread() -> None:
    pipeline, columns = models.fitted(model(), TABLE, models.one_hot(RandomForestClassifier(5, n_jobs=2)), LATE)
    engine = native.load(package.describe(model(), columns, (0, 1)), native.dump(pipeline))
    assert engine._answer.__self__[-1].n_jobs == 1
    assert pipeline[-1].n_jobs == 2


@pytest.mark.parametrize(
    ("pipeline", "culprit"),
    [
        (Own(), "Own"),
        (make_pipeline(FunctionTransformer(doubled), LogisticRegression()), "doubled"),
        # A function of a library would do as well to have loading run something.
        (
            make_pipeline(FunctionTransformer(assert_run_python_script_without_output), LogisticRegression()),
            "assert_run",
        ),
        (make_pipeline(FunctionTransformer(functools.partial(doubled)), LogisticRegression()), "doubled"),
    ],
    ids=["a class", "a function", "a function of a library", "a partial"],
)
def test_code_of_anybody_else_is_refused(pipeline: Any, culprit: str) -> None:
    signature = package.describe(model(), models.model_columns(TABLE, model().features), (0, 1))
    sentence = (
        rf"cannot be served as it is: model.skops holds .*{culprit}.*; keep to scikit-learn, LightGBM and XGBoost"
    )
    with pytest.raises(StepError, match=sentence):
        native.load(signature, native.dump(pipeline))


def test_what_cannot_be_kept_is_said() -> None:
    with pytest.raises(StepError, match="the fitted model cannot be kept as it is: "):
        native.dump(make_pipeline(FunctionTransformer(kw_args={"rows": (row for row in ())}), LogisticRegression()))


@pytest.mark.parametrize("place", [0, 5, 6])
def test_it_answers_alike_where_pyarrow_is_not_installed(tmp_path: Path, place: int) -> None:
    described = model(serving={"engine": "native"})
    pipeline, columns = models.fitted(described, TABLE, estimators()[place], LATE)
    chosen = models.chosen(described, pipeline, columns)
    folder = models.written(tmp_path / "model", chosen)
    rows = [{"size": 1.5, "colour": "red"}, {"size": 7, "colour": "blue"}]
    command = [sys.executable, "-W", "ignore", "-c", WITHOUT_PYARROW, str(folder), json.dumps(rows)]
    answered = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answered.returncode == 0, answered.stderr
    asked = {"size": np.array([[1.5], [7]], np.float32), "colour": np.array([["red"], ["blue"]], object)}
    expected = Fitted(chosen.signature, pipeline)(matrices(chosen.signature, asked))[:, 1]
    found = [answer["probability"] for answer in json.loads(answered.stdout)]
    np.testing.assert_allclose(found, expected, atol=1e-12)
