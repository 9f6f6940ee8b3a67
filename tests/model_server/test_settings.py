from __future__ import annotations

import os
from pathlib import Path

import pytest

from model_server.settings import Settings


def test_without_variables_it_is_a_container_of_sagemaker() -> None:
    settings = Settings.from_environment({})
    assert (settings.model, settings.script) == (Path("/opt/ml/model"), Path("code/inference.py"))
    assert (settings.host, settings.port) == ("0.0.0.0", 8080)
    assert settings.workers == len(os.sched_getaffinity(0))
    assert settings.largest_body == 100 * 1024 * 1024
    assert (settings.accept, settings.timeout, settings.batch_payload_mb) == ("", 60, 6)


def test_sagemakers_variables_are_honoured() -> None:
    settings = Settings.from_environment(
        {
            "SAGEMAKER_BIND_TO_PORT": "8081",
            "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
            "SAGEMAKER_MODEL_SERVER_TIMEOUT": "30",
            "SAGEMAKER_MODEL_SERVER_WORKERS": "3",
            "SAGEMAKER_PROGRAM": "serve.py",
        }
    )
    assert (settings.port, settings.accept, settings.timeout, settings.workers) == (8081, "text/csv", 30, 3)
    assert settings.script == Path("code/serve.py")


def test_metrics_can_be_turned_off() -> None:
    assert Settings.from_environment({"METRICS_SECONDS": "0"}).metrics_seconds == 0


@pytest.mark.parametrize(("limit", "megabytes"), [("6", 6), ("0", 100), ("", 100)])
def test_batch_transform_tells_its_largest_body_and_0_means_no_limit_of_its_own(limit: str, megabytes: int) -> None:
    settings = Settings.from_environment({"SAGEMAKER_MAX_PAYLOAD_IN_MB": limit})
    assert settings.largest_body == megabytes * 1024 * 1024


def test_nothing_is_recorded_unless_a_share_is_given() -> None:
    assert Settings.from_environment({}).record_percent == 0
    assert Settings.from_environment({"RECORD_PERCENT": ""}).record_percent == 0
    assert Settings.from_environment({"RECORD_PERCENT": "2.5"}).record_percent == 2.5


@pytest.mark.parametrize("share", ["-1", "100.1", "all", "nan"])
def test_a_share_that_is_none_is_a_sentence(share: str) -> None:
    with pytest.raises(ValueError, match=f"RECORD_PERCENT is '{share}'; give a number from 0 to 100"):
        Settings.from_environment({"RECORD_PERCENT": share})
