from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression

from tests.pipelines import jobs, models
from tests.pipelines.tables import CATEGORY, NUMBER, model

Target = Callable[[np.ndarray, np.ndarray], np.ndarray]

FEATURES = [NUMBER | {"nullable": True}, CATEGORY]


@pytest.fixture(scope="session")
def release() -> jobs.Release:
    """The real model, trained on a sample of the real data."""
    return jobs.release()


@pytest.fixture(scope="session")
def parcels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small binary model of `size`, from 0 to 10 or null, and `colour`: red, green or blue."""
    return _package(
        tmp_path_factory, "binary", HistGradientBoostingClassifier(max_iter=10), lambda late, _: late.astype(int)
    )


@pytest.fixture(scope="session")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with three classes."""
    return _package(
        tmp_path_factory,
        "multiclass",
        LogisticRegression(),
        lambda _, size: np.array(["a", "b", "c"])[(size // 4).astype(int)],
    )


@pytest.fixture(scope="session")
def hours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a regression."""
    return _package(tmp_path_factory, "regression", LinearRegression(), lambda _, size: size * 1.5)


def _package(factory: pytest.TempPathFactory, task: str, estimator: Any, target: Target) -> Path:
    described = model(task=task, features=FEATURES)
    table = models.random_rows(500)
    late, size = table["late"].to_numpy(), table["size"].to_numpy()
    pipeline, columns = models.fitted(described, table, models.one_hot(estimator), target(late, size))
    return models.packaged(factory.mktemp(task), described, pipeline, columns)
