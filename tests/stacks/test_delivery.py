"""Two pipelines for however many models."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.stages.image import CONTENT
from tests.synthesis import Template, resources


@pytest.fixture(scope="module")
def pipelines(templates: dict[str, Template]) -> dict[str, dict[str, Any]]:
    found = resources(templates["greenlight-delivery"], "AWS::CodePipeline::Pipeline").values()
    return {pipeline["Properties"]["Name"]: pipeline["Properties"] for pipeline in found}


def environment_of(action: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in json.loads(action["Configuration"]["EnvironmentVariables"])}


def stages(pipeline: dict[str, Any]) -> list[str]:
    return [stage["Name"] for stage in pipeline["Stages"]]


def test_the_platform_pipeline_checks_before_it_deploys_and_plans_last(pipelines: dict[str, dict[str, Any]]) -> None:
    platform = pipelines["greenlight-platform"]
    assert stages(platform) == ["Source", "Check", "Image", "Deploy", "Plan"]
    assert platform["ExecutionMode"] == "QUEUED"
    assert platform["RestartExecutionOnUpdate"] is True


def test_a_release_verifies_and_asks_before_production(pipelines: dict[str, dict[str, Any]]) -> None:
    release = pipelines["greenlight-release"]
    assert stages(release) == ["Source", "Train", "Staging", "Verify", "Decide", "Approve", "Production", "Confirm"]
    assert [variable["Name"] for variable in release["Variables"]] == [
        "MODEL",
        "PACKAGE",
        "IMAGE",
        "REASON",
        "RETRAINING",
    ]


def test_training_learns_which_revision_it_is_of_and_which_retraining(pipelines: dict[str, dict[str, Any]]) -> None:
    (train,) = next(stage for stage in pipelines["greenlight-release"]["Stages"] if stage["Name"] == "Train")["Actions"]
    given = environment_of(train)
    assert given["RETRAINING"] == "#{variables.RETRAINING}"
    assert given["REVISION"].startswith("#{Source.")
    assert given["REVISION_TYPE"] in ("COMMIT_ID", "S3_OBJECT_VERSION_ID")


def test_releases_of_different_models_do_not_wait_for_each_other(pipelines: dict[str, dict[str, Any]]) -> None:
    assert pipelines["greenlight-release"]["ExecutionMode"] == "PARALLEL"


def test_every_stage_after_training_is_skipped_unless_a_package_is_registered(
    pipelines: dict[str, dict[str, Any]],
) -> None:
    for stage in pipelines["greenlight-release"]["Stages"][2:]:
        if stage["Name"] in ("Decide", "Approve"):
            continue
        (condition,) = stage["BeforeEntry"]["Conditions"]
        assert condition["Result"] == "SKIP"
        assert condition["Rules"][0]["Configuration"] == {
            "Operator": "EQ",
            "Value": "registered",
            "Variable": "#{Train.OUTCOME}",
        }


def test_a_deployment_passes_the_package_explicitly(pipelines: dict[str, dict[str, Any]]) -> None:
    for stage in pipelines["greenlight-release"]["Stages"]:
        if stage["Name"] in ("Staging", "Production"):
            given = environment_of(stage["Actions"][0])
            assert given["PACKAGE"] == "#{Train.PACKAGE}"
            assert given["ENVIRONMENT"] == stage["Name"].lower()
            assert given["EXECUTION"] == "#{codepipeline.PipelineExecutionId}"


def test_a_person_is_asked_only_where_the_rule_has_not_approved(pipelines: dict[str, dict[str, Any]]) -> None:
    (approve,) = [stage for stage in pipelines["greenlight-release"]["Stages"] if stage["Name"] == "Approve"]
    (condition,) = approve["BeforeEntry"]["Conditions"]
    asked = {rule["Configuration"]["Variable"]: rule["Configuration"]["Value"] for rule in condition["Rules"]}
    assert asked == {"#{Decide.APPROVAL}": "needed"}


def test_what_the_approval_asks_for_is_left_by_a_stage_that_is_never_skipped(
    pipelines: dict[str, dict[str, Any]],
) -> None:
    (decide,) = [stage for stage in pipelines["greenlight-release"]["Stages"] if stage["Name"] == "Decide"]
    assert "BeforeEntry" not in decide
    assert "Verify." not in json.dumps(decide)


def test_only_the_image_build_may_use_docker(templates: dict[str, Template]) -> None:
    projects = resources(templates["greenlight-delivery"], "AWS::CodeBuild::Project").values()
    privileged = {
        project["Properties"]["Name"]: project["Properties"]["Environment"]["PrivilegedMode"] for project in projects
    }
    assert [name for name, docker in privileged.items() if docker] == ["greenlight-image"]


def test_every_build_has_a_role_of_its_own(templates: dict[str, Template]) -> None:
    projects = resources(templates["greenlight-delivery"], "AWS::CodeBuild::Project").values()
    roles = [project["Properties"]["ServiceRole"]["Fn::GetAtt"][0] for project in projects]
    assert len(roles) == len(set(roles)) == 9


def test_every_image_that_may_be_built_has_a_place_to_be_noted(templates: dict[str, Template]) -> None:
    parameters = resources(templates["greenlight-delivery"], "AWS::SSM::Parameter").values()
    noted = {parameter["Properties"]["Name"].rpartition("/")[2] for parameter in parameters}
    assert noted == CONTENT.keys()


def test_the_platform_pipeline_passes_the_job_image_to_the_watch(pipelines: dict[str, dict[str, Any]]) -> None:
    (deploy,) = [stage for stage in pipelines["greenlight-platform"]["Stages"] if stage["Name"] == "Deploy"]
    given = deploy["Actions"][0]["Configuration"]["EnvironmentVariables"]
    assert "greenlight-watch-production:Image=#{Image.JOB_IMAGE}" in given
    assert "greenlight-watch-*" in given


def test_a_wanted_retraining_of_the_watched_account_starts_a_release(templates: dict[str, Template]) -> None:
    rules = [each["Properties"] for each in resources(templates["greenlight-delivery"], "AWS::Events::Rule").values()]
    (rule,) = [each for each in rules if each["EventPattern"]["source"] == ["greenlight.watch"]]
    assert rule["EventPattern"]["detail-type"] == ["Model Retraining Wanted"]
    assert rule["EventPattern"]["account"] == [{"Ref": "AWS::AccountId"}]
    (target,) = rule["Targets"]
    assert target["InputPath"] == "$.detail.release"
    assert not resources(templates["greenlight-delivery"], "AWS::Events::EventBusPolicy")
