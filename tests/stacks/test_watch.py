"""The watch over the models in production."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from cloudformation_validate import RegoEngine, Severity

from config import load_project
from tests.synthesis import ROOT, Template, fork, only, resources, synthesize, templates_of

TEAMS = load_project(ROOT).teams
WATCH = "greenlight-watch-production"


@pytest.fixture(scope="module")
def watch(templates: dict[str, Template]) -> Template:
    return templates[WATCH]


def properties(template: Template, kind: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in resources(template, kind).values()]


def text_of(value: Any) -> str:
    """A joined text with what CloudFormation fills in as `?`."""
    return value if isinstance(value, str) else "".join(p if isinstance(p, str) else "?" for p in value["Fn::Join"][1])


def definition(machine: dict[str, Any]) -> dict[str, Any]:
    return json.loads(text_of(machine["DefinitionString"]))


def test_every_team_has_a_schedule_that_starts_its_own_machine_only(watch: Template) -> None:
    machines = {name: each["Properties"] for name, each in resources(watch, "AWS::StepFunctions::StateMachine").items()}
    schedules = properties(watch, "AWS::Scheduler::Schedule")
    names = {f"greenlight-watch-{team}" for team in TEAMS}
    assert {each["StateMachineName"] for each in machines.values()} == {each["Name"] for each in schedules} == names
    for schedule in schedules:
        target = schedule["Target"]
        assert machines[target["Arn"]["Ref"]]["StateMachineName"] == schedule["Name"]
        assert json.loads(target["Input"]) == {"at": "<aws.scheduler.scheduled-time>"}
        assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
        role = target["RoleArn"]["Fn::GetAtt"][0]
        (policy,) = [each for each in properties(watch, "AWS::IAM::Policy") if {"Ref": role} in each["Roles"]]
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert (statement["Action"], statement["Resource"]) == ("states:StartExecution", target["Arn"])


def test_without_an_image_a_run_ends_cleanly_and_no_alarm_is_there(watch: Template) -> None:
    assert watch["Parameters"]["Image"]["Default"] == "none"
    states = definition(properties(watch, "AWS::StepFunctions::StateMachine")[0])["States"]
    (choice,) = states["Built"]["Choices"]
    assert (choice["StringEquals"], states[choice["Next"]]["Type"]) == ("none", "Succeed")
    for kind in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
        assert {alarm["Condition"] for alarm in resources(watch, kind).values()} == {"Built"}


def test_one_alarm_of_a_team_tells_it_and_the_others_do_not(watch: Template) -> None:
    children = properties(watch, "AWS::CloudWatch::Alarm")
    assert not any("AlarmActions" in alarm for alarm in children)
    assert all(len(alarm["AlarmDescription"]) > 30 for alarm in children)
    together = properties(watch, "AWS::CloudWatch::CompositeAlarm")
    assert {alarm["AlarmName"] for alarm in together} == {f"greenlight-watch-{team}" for team in TEAMS}
    assert all(len(alarm["AlarmActions"]) == 1 for alarm in together)


def test_silence_is_an_alarm_that_cloudwatch_can_evaluate(watch: Template) -> None:
    silent = [each for each in properties(watch, "AWS::CloudWatch::Alarm") if each["AlarmName"].endswith("-silent")]
    for alarm in silent:
        assert alarm["TreatMissingData"] == "breaching"
        assert alarm["Period"] * alarm["EvaluationPeriods"] == 30 * 3600 <= 7 * 24 * 3600
        dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
        assert dimensions.keys() == {"Environment", "Team"}
        assert (alarm["Namespace"], alarm["MetricName"]) == ("greenlight/watch", "Judged")
    assert len(silent) == len(TEAMS)


def test_eventbridge_may_publish_without_a_condition_and_use_the_key_for_topics_alone(
    watch: Template, templates: dict[str, Template]
) -> None:
    assert len(properties(watch, "AWS::Events::Rule")) == 4 * len(TEAMS)

    def statements(stack: str, kind: str, name: str) -> list[dict[str, Any]]:
        found = [each for policy in properties(templates[stack], kind) for each in policy[name]["Statement"]]
        return [each for each in found if "events.amazonaws.com" in json.dumps(each["Principal"])]

    to_topics = statements("greenlight-production", "AWS::SNS::TopicPolicy", "PolicyDocument")
    assert len(to_topics) == len(TEAMS)
    assert not any("Condition" in statement for statement in to_topics)
    (with_key,) = statements("greenlight-production", "AWS::KMS::Key", "KeyPolicy")
    assert with_key["Condition"].keys() == {"ArnLike"}
    assert with_key["Condition"]["ArnLike"].keys() == {"kms:EncryptionContext:aws:sns:topicArn"}
    for kind, name in (("AWS::SNS::TopicPolicy", "PolicyDocument"), ("AWS::KMS::Key", "KeyPolicy")):
        assert statements("greenlight-staging", kind, name) == []


def test_an_unknown_light_has_a_rule_of_its_own(watch: Template) -> None:
    patterns = [rule["EventPattern"] for rule in properties(watch, "AWS::Events::Rule")]
    lights = [pattern["detail"]["to"] for pattern in patterns if "to" in pattern["detail"]]
    assert sorted(map(len, lights)) == [1] * len(TEAMS) + [3] * len(TEAMS)
    for pattern in patterns:
        assert pattern["source"] == ["greenlight.watch"]
        assert pattern["detail"]["tell"] == [True]
        assert pattern["account"] == [{"Ref": "AWS::AccountId"}]


def test_the_sentence_is_what_is_sent(watch: Template) -> None:
    for rule in properties(watch, "AWS::Events::Rule"):
        (target,) = rule["Targets"]
        assert target["InputPath"] == "$.detail.message"


def test_the_dashboard_of_all_names_no_model(watch: Template) -> None:
    dashboard = only(watch, "AWS::CloudWatch::Dashboard")["Properties"]
    assert dashboard["DashboardName"] == "greenlight-production"
    body = text_of(dashboard["DashboardBody"])
    assert body.count("SEARCH(") == 8
    assert not any(folder.parent.name in body for folder in (ROOT / "model_code").glob("*/model.yaml"))


def test_a_machine_may_pass_the_role_of_its_job_only(watch: Template) -> None:
    for policy in properties(watch, "AWS::IAM::Policy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            if "iam:PassRole" in statement["Action"]:
                assert statement["Resource"]["Fn::GetAtt"][0].startswith(tuple(TEAMS))


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fork with the longest names, a chat, and a watch on three instances."""
    root = fork(tmp_path_factory.mktemp("long"))
    project = yaml.safe_load((root / "project.yaml").read_text())
    team = next(iter(project["teams"]))
    project["name"] = "p" * 32
    project["teams"]["t" * 32] = {**project["teams"].pop(team), "webhook": "chat/address", "watch": {"instances": 3}}
    (root / "project.yaml").write_text(yaml.safe_dump(project))
    for file in root.glob("model_code/*/model.yaml"):
        file.write_text(file.read_text().replace(f"team: {team}", f"team: {'t' * 32}"))
    return synthesize(root / "out", root)


@pytest.mark.slow
def test_several_instances_count_and_one_judges(long: Path) -> None:
    machines = properties(templates_of(long)[f"{'p' * 32}-watch-production"], "AWS::StepFunctions::StateMachine")
    (states,) = [found for each in machines if "Count" in (found := definition(each)["States"])]
    assert states["Built"]["Default"] == "Count"
    assert states["DoneCount"]["Choices"][0]["Next"] == "Judge"
    for verb, instances in {"Count": 3, "Judge": 1}.items():
        asked = states[verb]["Parameters"]
        assert asked["ProcessingResources"]["ClusterConfig"]["InstanceCount"] == instances
        assert f"'--only', '{verb.lower()}'" in asked["AppSpecification"]["ContainerArguments.$"]


@pytest.mark.slow
def test_the_longest_names_fit(long: Path) -> None:
    template = templates_of(long)[f"{'p' * 32}-watch-production"]
    for machine in properties(template, "AWS::StepFunctions::StateMachine"):
        assert len(machine["StateMachineName"]) <= 64
        name = definition(machine)["States"]["Judge"]["Parameters"]["ProcessingJobName.$"]
        assert len(name.split("'")[1].replace("{}", "x" * 32)) <= 63
    names = [each["Name"] for each in properties(template, "AWS::Scheduler::Schedule")]
    names += [each["Name"] for each in properties(template, "AWS::Events::Rule")]
    assert max(map(len, names)) <= 64
    assert len(set(names)) == len(names)


@pytest.mark.slow
def test_a_chat_is_told_the_same_and_its_address_is_in_no_template(long: Path) -> None:
    template = templates_of(long)[f"{'p' * 32}-watch-production"]
    chat = only(template, "AWS::Events::ApiDestination")
    assert chat["Properties"]["InvocationEndpoint"] == "{{resolve:secretsmanager:chat/address:SecretString:::}}"
    told = [
        target["InputTransformer"]
        for rule in properties(template, "AWS::Events::Rule")
        for target in rule["Targets"]
        if "InputTransformer" in target
    ]
    assert len(told) == 4
    for each in told:
        (name,) = each["InputPathsMap"]
        assert each["InputPathsMap"][name] == "$.detail.message"
        assert each["InputTemplate"] == f'{{"text":<{name}>}}'


@pytest.mark.slow
def test_the_validator_finds_no_error_in_it(long: Path) -> None:
    report = RegoEngine().validate_template(str(long / f"{'p' * 32}-watch-production.template.json"))
    assert not [each for each in report.diagnostics if each.severity in (Severity.ERROR, Severity.FATAL)]
