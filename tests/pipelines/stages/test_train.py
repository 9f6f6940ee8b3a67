"""What a release is trained and served with."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from config.naming import NOTHING, Names
from pipelines.stages.train import newest_image


class Parameters:
    """A parameter store that knows one image by name."""

    def __init__(self, name: str, value: str) -> None:
        self._values = {name: value}

    def get_parameter(self, *, Name: str) -> dict[str, Any]:  # noqa: N803  boto3's own
        return {"Parameter": {"Value": self._values[Name]}}


AROUND = cast("Any", SimpleNamespace(names=Names("parcels")))


def test_the_newest_image_of_a_target_is_what_the_platform_pipeline_noted() -> None:
    parameters = Parameters("/parcels/images/serving-native", "registry/images@sha256:1")
    assert newest_image(parameters, AROUND, "serving-native") == "registry/images@sha256:1"


def test_a_release_before_the_first_image_says_what_to_do() -> None:
    parameters = Parameters("/parcels/images/serving-native", NOTHING)
    with pytest.raises(SystemExit, match="No serving-native image has been built yet: let the platform pipeline pass"):
        newest_image(parameters, AROUND, "serving-native")
