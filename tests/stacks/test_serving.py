from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks.alarms import vcpus
from tests.synthesis import Template, fork, only, resources, synthesize, templates_of

PRODUCTION, STAGING = "greenlight-serving-employment-production", "greenlight-serving-employment-staging"


def test_without_a_package_there_is_no_endpoint(templates: dict[str, Template]) -> None:
    template = templates[PRODUCTION]
    assert template["Parameters"]["Package"]["Default"] == ""
    unconditional = {
        resource["Type"] for resource in template["Resources"].values() if resource.get("Condition") != "Released"
    }
    assert unconditional <= {"AWS::Logs::LogGroup", "AWS::CDK::Metadata"}


def test_the_endpoint_keeps_its_name_and_model_and_config_have_none(templates: dict[str, Template]) -> None:
    template = templates[PRODUCTION]
    assert (
        only(template, "AWS::SageMaker::Endpoint")["Properties"]["EndpointName"] == "greenlight-employment-production"
    )
    assert "ModelName" not in only(template, "AWS::SageMaker::Model")["Properties"]
    assert "EndpointConfigName" not in only(template, "AWS::SageMaker::EndpointConfig")["Properties"]


def test_what_a_rollback_needs_survives_its_replacement(templates: dict[str, Template]) -> None:
    for kind in ("AWS::SageMaker::Model", "AWS::SageMaker::EndpointConfig"):
        assert only(templates[PRODUCTION], kind)["UpdateReplacePolicy"] == "Retain"


def test_what_a_release_leaves_behind_is_found_by_its_tag(templates: dict[str, Template]) -> None:
    for kind in ("AWS::SageMaker::Model", "AWS::SageMaker::EndpointConfig"):
        tags = only(templates[PRODUCTION], kind)["Properties"]["Tags"]
        assert {"Key": "endpoint", "Value": "greenlight-employment-production"} in tags


def test_the_log_group_is_there_before_a_container_can_make_it(templates: dict[str, Template]) -> None:
    (log,) = [
        name
        for name, found in resources(templates[PRODUCTION], "AWS::Logs::LogGroup").items()
        if "Endpoints/" in str(found["Properties"]["LogGroupName"])
    ]
    assert log in only(templates[PRODUCTION], "AWS::SageMaker::Endpoint")["DependsOn"]


def test_a_release_shifts_traffic_as_the_model_says_and_alarms_bring_it_back(templates: dict[str, Template]) -> None:
    endpoint = only(templates[PRODUCTION], "AWS::SageMaker::Endpoint")
    condition, gradual, otherwise = endpoint["Properties"]["DeploymentConfig"]["Fn::If"]
    assert (condition, otherwise) == ("Gradual", {"Ref": "AWS::NoValue"})
    policy = gradual["BlueGreenUpdatePolicy"]
    assert policy["TrafficRoutingConfiguration"] == {
        "Type": "CANARY",
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
        "WaitIntervalInSeconds": 600,
    }
    alarms = resources(templates[PRODUCTION], "AWS::CloudWatch::Alarm")
    watched = {name for name, alarm in alarms.items() if name in endpoint["DependsOn"] and alarm}
    names = {json.dumps(alarms[name]["Properties"]["AlarmName"]) for name in watched} | {
        json.dumps({"Ref": name}) for name in watched
    }
    given = [alarm["AlarmName"] for alarm in gradual["AutoRollbackConfiguration"]["Alarms"]]
    assert len(given) == len(watched) == 2
    assert {json.dumps(name) for name in given} <= names


def test_a_release_keeps_what_scaling_has_set_and_nothing_else_of_the_old(templates: dict[str, Template]) -> None:
    properties = only(templates[PRODUCTION], "AWS::SageMaker::Endpoint")["Properties"]
    assert properties["RetainAllVariantProperties"] is True
    excluded = {each["VariantPropertyType"] for each in properties["ExcludeRetainedVariantProperties"]}
    assert excluded == {"DataCaptureConfig", "DesiredWeight"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            "{kind: rolling, percent: 50, bake_minutes: 5}",
            {
                "RollingUpdatePolicy": {
                    "MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 50},
                    "WaitIntervalInSeconds": 300,
                }
            },
        ),
        (
            "{kind: linear, percent: 20, keep_minutes: 15, alarms: [sales-fall]}",
            {
                "BlueGreenUpdatePolicy": {
                    "TrafficRoutingConfiguration": {
                        "Type": "LINEAR",
                        "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 20},
                        "WaitIntervalInSeconds": 600,
                    },
                    "TerminationWaitInSeconds": 900,
                }
            },
        ),
    ],
)
def test_every_kind_of_rollout_is_one_of_sagemakers(tmp_path: Path, written: str, expected: dict[str, Any]) -> None:
    root = fork(tmp_path)
    file = root / "model_code/employment/model.yaml"
    more = f"  production:\n    rollout: {written}\n"
    file.write_text(file.read_text() + more)
    template = templates_of(synthesize(tmp_path / "out", root))[PRODUCTION]
    gradual = only(template, "AWS::SageMaker::Endpoint")["Properties"]["DeploymentConfig"]["Fn::If"][1]
    alarms = gradual.pop("AutoRollbackConfiguration")["Alarms"]
    assert gradual == expected
    if "sales-fall" in written:
        assert {"AlarmName": "sales-fall"} in alarms
        allowed = json.dumps(resources(template, "AWS::IAM::Policy"))
        assert ":alarm:sales-fall" in allowed


def test_staging_and_production_differ_as_model_yaml_says(templates: dict[str, Template]) -> None:
    def instances(stack: str) -> int:
        config = only(templates[stack], "AWS::SageMaker::EndpointConfig")
        return config["Properties"]["ProductionVariants"][0]["InitialInstanceCount"]

    assert (instances(STAGING), instances(PRODUCTION)) == (1, 2)
    assert not resources(templates[STAGING], "AWS::ApplicationAutoScaling::ScalableTarget")
    assert resources(templates[PRODUCTION], "AWS::ApplicationAutoScaling::ScalableTarget")


def test_dedicated_hosting_captures_below_the_teams_folder_and_serverless_does_not(
    templates: dict[str, Template],
) -> None:
    config = only(templates[PRODUCTION], "AWS::SageMaker::EndpointConfig")["Properties"]["DataCaptureConfig"]
    assert config["EnableCapture"] is True
    assert config["InitialSamplingPercentage"] == 100
    assert [option["CaptureMode"] for option in config["CaptureOptions"]] == ["Input", "Output"]
    assert config["DestinationS3Uri"]["Fn::Join"][1][-1] == "/capture/labour"
    bike = only(templates["greenlight-serving-bike-demand-production"], "AWS::SageMaker::EndpointConfig")
    assert "DataCaptureConfig" not in bike["Properties"]


OF_REQUESTS = {"Errors5xx", "Errors4xx", "ModelLatency", "OverheadLatency"}


def endpoint_alarms(template: Template) -> dict[str, Any]:
    """The alarms of requests and machines, by the last word of their names."""
    alarms = [alarm["Properties"] for alarm in resources(template, "AWS::CloudWatch::Alarm").values()]
    return {
        alarm["AlarmName"].rsplit("-", 1)[-1]: alarm
        for alarm in alarms
        if alarm.get("Namespace") in ("AWS/SageMaker", "/aws/sagemaker/Endpoints")
    }


def test_an_endpoint_tells_its_team_once_whatever_goes_off(templates: dict[str, Template]) -> None:
    children = endpoint_alarms(templates[PRODUCTION])
    assert children.keys() == OF_REQUESTS | {"CPU", "Memory", "Disk"}
    assert not any("AlarmActions" in alarm or "OKActions" in alarm for alarm in children.values())
    assert all(len(alarm["AlarmDescription"]) > 30 for alarm in children.values())
    alarm = composite(templates[PRODUCTION], "greenlight-employment-production")
    assert json.dumps(alarm["AlarmRule"]).count("ALARM(") == len(children)
    assert len(alarm["AlarmActions"]) == len(alarm["OKActions"]) == 1
    assert "#dashboards/dashboard/greenlight-employment-production" in json.dumps(alarm["AlarmDescription"])


def composite(template: Template, name: str) -> dict[str, Any]:
    found = [alarm["Properties"] for alarm in resources(template, "AWS::CloudWatch::CompositeAlarm").values()]
    return next(alarm for alarm in found if alarm["AlarmName"] == name)


def test_production_says_where_its_models_answer_and_shows_them(templates: dict[str, Template]) -> None:
    (parameter,) = resources(templates[PRODUCTION], "AWS::SSM::Parameter").values()
    assert parameter["Properties"]["Name"] == "/greenlight/production/models/labour/employment"
    assert json.loads(parameter["Properties"]["Value"]) == {"endpoint": "greenlight-employment-production"}
    assert parameter["Condition"] == "Released"
    dashboard = only(templates[PRODUCTION], "AWS::CloudWatch::Dashboard")["Properties"]
    assert dashboard["DashboardName"] == "greenlight-employment-production"
    body = json.dumps(dashboard["DashboardBody"])
    for word in ("Light", "Psi", "Estimated", "Realized", "CaptureCoverage", "Invocations", "p95", "report.html"):
        assert word in body
    for kind in ("AWS::SSM::Parameter", "AWS::CloudWatch::Dashboard"):
        assert not resources(templates[STAGING], kind)


def test_staging_captures_nothing(templates: dict[str, Template]) -> None:
    assert "DataCaptureConfig" not in only(templates[STAGING], "AWS::SageMaker::EndpointConfig")["Properties"]


def test_a_serverless_server_records_itself_what_sagemaker_does_not(templates: dict[str, Template]) -> None:
    def variables(stack: str) -> dict[str, str]:
        return only(templates[stack], "AWS::SageMaker::Model")["Properties"]["PrimaryContainer"]["Environment"]

    assert variables("greenlight-serving-bike-demand-production")["RECORD_PERCENT"] == "100"
    assert "RECORD_PERCENT" not in variables("greenlight-serving-bike-demand-staging")
    assert "RECORD_PERCENT" not in variables(PRODUCTION)


@pytest.mark.slow
def test_sagemaker_captures_no_sensitive_value_and_the_server_masks_it(tmp_path: Path) -> None:
    copy = fork(tmp_path)
    file = copy / "model_code" / "employment" / "model.yaml"
    file.write_text(re.sub(r"\n  capture_as_sent: .*", "", file.read_text()))
    written = templates_of(synthesize(tmp_path / "assembly", copy))
    (config,), (served,) = (
        resources(written[PRODUCTION], f"AWS::SageMaker::{kind}").values() for kind in ("EndpointConfig", "Model")
    )
    assert "DataCaptureConfig" not in config["Properties"]
    variables = served["Properties"]["PrimaryContainer"]["Environment"]
    assert (variables["RECORD_PERCENT"], variables["RECORD_SENSITIVE"]) == ("100", "masked")
    machine = json.dumps(resources(written[PRODUCTION], "AWS::StepFunctions::StateMachine"))
    assert "--mask" in machine
    assert machine.count("InputName") == 3


def test_a_model_that_says_why_is_captured_as_it_was_asked(templates: dict[str, Template]) -> None:
    variables = only(templates[PRODUCTION], "AWS::SageMaker::Model")["Properties"]["PrimaryContainer"]["Environment"]
    assert "RECORD_SENSITIVE" not in variables
    assert "--mask" not in json.dumps(resources(templates[PRODUCTION], "AWS::StepFunctions::StateMachine"))


def test_latency_limits_are_in_the_units_of_the_metric(templates: dict[str, Template]) -> None:
    alarms = resources(templates[PRODUCTION], "AWS::CloudWatch::Alarm").values()
    latency = next(alarm["Properties"] for alarm in alarms if alarm["Properties"].get("MetricName") == "ModelLatency")
    assert latency["Threshold"] == 200_000  # model.yaml says 200 ms, SageMaker measures microseconds
    assert latency["ExtendedStatistic"] == "p99"


def test_the_cpu_limit_counts_the_cores_of_the_instance() -> None:
    types = {"ml.t2.medium": 2, "ml.m5.large": 2, "ml.m5.xlarge": 4, "ml.c6i.4xlarge": 16, "ml.m5.24xlarge": 96}
    assert {name: vcpus(name) for name in types} == types


@pytest.fixture(scope="module")
def serverless(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Production of a fork that hosts its model without instances and does not watch it."""
    root = fork(tmp_path_factory.mktemp("serverless"))
    file = root / "model_code/employment/model.yaml"
    content = yaml.safe_load(file.read_text())
    content |= {"hosting": {"kind": "serverless"}, "monitoring": {"none": "a demonstration that nobody depends on"}}
    file.write_text(yaml.safe_dump(content))
    return templates_of(synthesize(root / "out", root))[PRODUCTION]


def test_a_watched_serverless_model_has_the_alarms_of_requests_only(templates: dict[str, Template]) -> None:
    assert endpoint_alarms(templates["greenlight-serving-bike-demand-production"]).keys() == OF_REQUESTS


@pytest.mark.slow
def test_a_serverless_model_has_no_instances_to_scale_or_isolate(serverless: Template) -> None:
    variant = only(serverless, "AWS::SageMaker::EndpointConfig")["Properties"]["ProductionVariants"][0]
    assert variant["ServerlessConfig"] == {"MaxConcurrency": 20, "MemorySizeInMB": 2048}
    assert "InitialInstanceCount" not in variant
    assert not resources(serverless, "AWS::ApplicationAutoScaling::ScalableTarget")
    assert "EnableNetworkIsolation" not in only(serverless, "AWS::SageMaker::Model")["Properties"]


@pytest.mark.slow
def test_a_model_that_is_not_watched_by_written_decision_has_no_alarms(serverless: Template) -> None:
    assert not endpoint_alarms(serverless)
    for kind in ("AWS::SSM::Parameter", "AWS::CloudWatch::Dashboard"):
        assert not resources(serverless, kind)
