"""The state machine that starts the releases of a commit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from config import ConfigError, load_project
from tests.stacks.test_watch import definition
from tests.synthesis import ROOT, Template, fork, only, resources, synthesize, templates_of


def machine(templates: dict[str, Template]) -> dict[str, Any]:
    return only(templates["greenlight-delivery"], "AWS::StepFunctions::StateMachine")


def policies(templates: dict[str, Template]) -> list[dict[str, Any]]:
    """The statements of the machine's role."""
    found = resources(templates["greenlight-delivery"], "AWS::IAM::Policy")
    return [
        statement
        for name, each in found.items()
        if name.startswith("WaveMachine")
        for statement in each["Properties"]["PolicyDocument"]["Statement"]
    ]


@pytest.mark.slow
def test_it_runs_as_many_at_once_and_tolerates_as_many_failures_as_the_project_says(
    templates: dict[str, Template], tmp_path: Path
) -> None:
    default = definition(machine(templates)["Properties"])["States"]["All"]
    assert (default["MaxConcurrency"], default["ToleratedFailurePercentage"]) == (5, 10)
    assert default["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
    project = (ROOT / "project.yaml").read_text() + "\nwaves: {at_once: 2, tolerated_failures_percent: 0}\n"
    assembly = synthesize(tmp_path / "out", fork(tmp_path, project_yaml=project))
    other = definition(machine(templates_of(assembly))["Properties"])["States"]["All"]
    assert (other["MaxConcurrency"], other.get("ToleratedFailurePercentage", 0)) == (2, 0)


def test_its_role_may_start_and_look_at_releases_and_tell_and_nothing_else(templates: dict[str, Template]) -> None:
    given = {
        action: json.dumps(each["Resource"])
        for each in policies(templates)
        for action in (each["Action"] if isinstance(each["Action"], list) else [each["Action"]])
    }
    assert {action for action in given if not action.startswith(("logs:", "kms:"))} == {
        "codepipeline:GetPipelineExecution",
        "codepipeline:StartPipelineExecution",
        "sns:Publish",
        "states:DescribeExecution",
        "states:ListExecutions",
        "states:ListMapRuns",
        "states:RedriveExecution",
        "states:StartExecution",
        "states:StopExecution",
    }
    assert "ReleasePipeline" in given["codepipeline:StartPipelineExecution"]
    assert "WaveMachine" in given["states:StartExecution"]
    for action in ("states:ListExecutions", "states:ListMapRuns"):
        assert "greenlight-wave" in given[action]


def test_only_it_may_start_releases_and_only_plan_may_start_it(templates: dict[str, Template]) -> None:
    starters = {
        name
        for name, each in resources(templates["greenlight-delivery"], "AWS::IAM::Policy").items()
        if "WaveMachine" in json.dumps(each["Properties"]["PolicyDocument"])
        and "states:StartExecution" in json.dumps(each["Properties"]["PolicyDocument"])
    }
    assert {name.partition("Machine")[0].partition("Project")[0] for name in starters} == {"Wave", "PlatformPlan"}
    plan = next(
        each["Properties"]["PolicyDocument"]
        for name, each in resources(templates["greenlight-delivery"], "AWS::IAM::Policy").items()
        if name.startswith("PlatformPlan")
    )
    assert "codepipeline:StartPipelineExecution" not in json.dumps(plan)


@pytest.mark.parametrize("share", ["at_once: 0", "at_once: 41", "tolerated_failures_percent: 101", "at_a_time: 5"])
def test_what_a_wave_cannot_be_is_refused_with_the_field(tmp_path: Path, share: str) -> None:
    (tmp_path / "project.yaml").write_text((ROOT / "project.yaml").read_text() + f"\nwaves: {{{share}}}\n")
    with pytest.raises(ConfigError, match=rf"waves\.{share.partition(':')[0]}"):
        load_project(tmp_path)
