"""Which images are built."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from pipelines.stages.image import CONTENT, needed
from tests.pipelines.tables import model


@pytest.mark.parametrize(
    ("engines", "expected"),
    [
        ([], ["serving", "job"]),
        (["onnx"], ["serving", "job"]),
        (["onnx", "auto"], ["serving", "serving-native", "job"]),
        (["native"], ["serving", "serving-native", "job"]),
    ],
)
def test_the_larger_image_is_built_where_a_model_asks_for_it(engines: list[str], expected: list[str]) -> None:
    around = SimpleNamespace(models=[model(serving={"engine": engine}) for engine in engines])
    assert needed(cast("Any", around)) == expected


def test_every_image_that_a_model_may_ask_for_is_known() -> None:
    assert {model(serving={"engine": engine}).serving.image for engine in ("onnx", "native", "auto")} < CONTENT.keys()


def test_the_job_image_is_always_there_to_be_passed_on() -> None:
    """The platform pipeline gives it to the watch as `#{Image.JOB_IMAGE}`."""
    assert "job" in needed(cast("Any", SimpleNamespace(models=[])))
