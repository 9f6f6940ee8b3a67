"""Waves of releases on the local AWS: the project's own state machine under its own permissions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.local_aws.codepipeline.conftest import Delivery
from tests.local_aws.delivery import eventually
from tests.local_aws.waves.world import Waves

PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/shop-one/1"


@pytest.fixture
def waves(delivery: Delivery, tmp_path: Path) -> Waves:
    return Waves(delivery, tmp_path, at_once=3, tolerated_failures_percent=25)


def test_every_model_is_released_once_and_never_more_at_a_time_than_allowed(waves: Waves) -> None:
    models = [f"model{number}" for number in range(8)]
    end = waves.ended(waves.start(models))
    assert end["status"] == "SUCCEEDED", end
    assert sorted(each["model"] for each in json.loads(end["output"])) == models
    assert {each["status"] for each in json.loads(end["output"])} == {"Succeeded"}
    assert sorted(waves.releases()) == models
    assert 2 <= waves.most_at_once() <= 3
    assert waves.is_quiet()


def test_a_release_gets_its_variables_and_the_revision_of_the_push(waves: Waves) -> None:
    waves.delivery.upload(README="newer")  # somebody pushes meanwhile
    assert waves.ended(waves.start(["one"], package=PACKAGE, image="newest"))["status"] == "SUCCEEDED"
    release = waves.releases()["one"]
    assert (release["PACKAGE"], release["IMAGE"], release["REASON"]) == (PACKAGE, "newest", "It changed.")
    assert release["artifactRevisions"][0]["revisionId"] == waves.revision
    assert release["trigger"]["triggerType"] == "StartPipelineExecution"


def test_a_failure_that_is_tolerated_stops_nothing(waves: Waves) -> None:
    models = ["bad0", *(f"model{number}" for number in range(4))]
    end = waves.ended(waves.start(models))
    assert end["status"] == "SUCCEEDED", end
    assert {name: each["status"] for name, each in waves.releases().items()} == {
        name: "Failed" if name == "bad0" else "Succeeded" for name in models
    }


def test_where_too_many_fail_no_further_one_starts_and_people_are_told_of_each(waves: Waves) -> None:
    waiting = [f"model{number}" for number in range(9)]
    end = waves.ended(waves.start(["bad0", "slow", "bad1", "bad2", "bad3", *waiting]))
    assert end["status"] == "FAILED"
    assert end["error"] == "WaveStopped"
    started = waves.releases()
    failed = {name for name in started if name.startswith("bad")}
    assert failed == {"bad0", "bad1", "bad2", "bad3"}
    not_started = [name for name in waiting if name not in started]
    assert len(not_started) >= 6
    said = end["cause"]
    assert said.startswith("The wave has stopped: 4 of 14 releases failed, and project.yaml tolerates 25 percent. ")
    for name in failed:
        assert f"{name}: its release {started[name]['pipelineExecutionId']} is Failed" in said
    assert "Still under way, and ending by themselves: " in said
    assert "slow" in said.partition("Still under way")[2].partition(".")[0]
    assert said.endswith(f" Not started: {', '.join(not_started)}.")
    told = waves.told()
    assert told["Message"] == said
    assert told["Subject"] == f"A wave of releases of {waves.project.name} has stopped"
    eventually(lambda: waves.releases()["slow"]["status"] == "Succeeded")  # what ran has ended by itself
    assert sorted(waves.releases()) == sorted(started)


def test_a_release_that_cannot_be_started_counts_as_failed(waves: Waves) -> None:
    waves.revision = ""  # CodePipeline takes no empty one
    end = waves.ended(waves.start(["one"]))
    assert end["error"] == "WaveStopped"
    assert "one: StartPipelineExecution failed: " in end["cause"]
    assert not waves.releases()
