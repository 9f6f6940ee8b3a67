"""What a release is trained and served with."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from config.naming import NOTHING, Names
from pipelines.stages.registry import Package
from pipelines.stages.train import Settings, is_done, newest_image, sentence, told
from pipelines.watch.state import Version


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


def evaluation(rows: str = "holdout", *, bar: float = 0.88, champion: float | None = 0.85) -> dict[str, Any]:
    promotion = {"metric": "roc_auc", "value": 0.9, "compared": 0.87, "bar": bar}
    measured = {} if champion is None else {"roc_auc": {"value": champion}}
    found = {"rows": rows, "metrics": measured, "value": champion or -1e9, "bar": (champion or -1e9) - 0.002}
    return {"promotion": promotion, "champion": found} | ({"recent": {"rows": 1234}} if rows == "recent" else {})


def test_a_release_says_what_the_gate_asked_for() -> None:
    assert sentence(evaluation(), is_error=False) == "roc_auc 0.9000 (needs 0.8800)"
    assert sentence(evaluation(), is_error=True) == "roc_auc 0.9000 (needs at most 0.8800)"


def test_with_rows_from_production_it_says_what_both_models_were_there() -> None:
    assert sentence(evaluation("recent"), is_error=False) == (
        "roc_auc 0.9000 (needs 0.8800); on 1,234 recent rows 0.8700, the champion 0.8500 (needs 0.8480)"
    )
    assert sentence(evaluation("recent", champion=None), is_error=False) == (
        "roc_auc 0.9000 (needs 0.8800); on 1,234 recent rows 0.8700, without a champion"
    )


def test_people_are_told_how_it_ended_and_that_it_is_a_retraining() -> None:
    assert told(evaluation(), "registered", NOTHING, is_error=False) == "roc_auc 0.9000 (needs 0.8800): registered."
    said = told(evaluation("recent"), "refused", "2026-03-abc", is_error=False)
    assert said.startswith("Retraining 2026-03-abc: roc_auc 0.9000 (needs 0.8800); on 1,234 recent rows 0.8700, ")
    assert said.endswith(": refused by the gate.")


def test_what_is_not_given_is_none_and_a_package_of_no_retraining_says_so() -> None:
    read = Settings.read({"MODEL": "parcels", "ARTIFACTS_BUCKET": "artifacts"})
    assert (read.package, read.retraining, read.revision, read.revision_type) == (NOTHING,) * 4
    given = {"RETRAINING": "2026-03-abc", "REVISION": "v1", "REVISION_TYPE": "S3_OBJECT_VERSION_ID"}
    read = Settings.read({"MODEL": "parcels", "ARTIFACTS_BUCKET": "artifacts"} | given)
    assert (read.retraining, read.revision, read.revision_type) == tuple(given.values())
    said = [Version("arn", "config", "", "", metadata).retraining for metadata in ({}, {"retraining": NOTHING})]
    assert said == ["", ""]
    assert Version("arn", "config", "", "", {"retraining": "2026-03-abc"}).retraining == "2026-03-abc"


def test_a_retraining_whose_event_comes_twice_is_released_once() -> None:
    def package(retraining: str) -> Package:
        return Package("arn", "group", "Approved", "s3://b/k", {"retraining": retraining})

    assert is_done("2026-03-abc", package("2026-03-abc"))
    assert not is_done("2026-03-abc", package("2026-01-abc"))
    assert not is_done("2026-03-abc", None)
    assert not is_done(NOTHING, package(NOTHING))
