from __future__ import annotations

from pathlib import Path

import pytest

from model_server.settings import Settings


def test_without_variables_it_is_a_container_of_sagemaker() -> None:
    settings = Settings.from_environment({})
    assert settings == Settings(Path("/opt/ml/model"), "0.0.0.0", 8080, 100 * 1024 * 1024)


@pytest.mark.parametrize(("limit", "megabytes"), [("6", 6), ("0", 100), ("", 100)])
def test_batch_transform_tells_its_largest_body_and_0_means_no_limit_of_its_own(limit: str, megabytes: int) -> None:
    settings = Settings.from_environment({"SAGEMAKER_MAX_PAYLOAD_IN_MB": limit})
    assert settings.largest_body == megabytes * 1024 * 1024
