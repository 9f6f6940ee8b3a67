"""The model's own `fit`, on real data."""

from __future__ import annotations

import pytest
from sklearn.metrics import roc_auc_score

from config import load_model
from model_server.testing import Client, broken_promises
from pipelines.packaging import author
from tests.pipelines import jobs

MODEL = load_model(jobs.CODE)


@pytest.fixture(scope="module")
def release() -> jobs.Release:
    return jobs.release()


@pytest.mark.usefixtures("release")
def test_a_sixth_of_the_training_rows_is_enough_for_the_gate() -> None:
    assert roc_auc_score(*jobs.fitted_on_2016()) > MODEL.promotion.bound


def test_fit_takes_every_hyperparameter_that_model_yaml_names() -> None:
    frame = jobs.training_rows().head(500)
    fitted = author.fit_function(jobs.CODE)(frame, **MODEL.hyperparameters)
    assert fitted[-1].get_params().items() >= MODEL.hyperparameters.items()


def test_it_keeps_what_the_server_promises_for_every_model(release: jobs.Release) -> None:
    assert not broken_promises(Client(release.package))


def test_a_category_that_no_row_had_is_answered_all_the_same() -> None:
    frame = jobs.training_rows().head(500)
    fitted = author.fit_function(jobs.CODE)(frame, max_iter=5)
    features = frame.drop(columns=MODEL.target).head(3).assign(SCHL="99")
    assert fitted.predict_proba(features).shape == (3, 2)
