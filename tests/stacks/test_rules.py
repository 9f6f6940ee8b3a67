"""Our own rules, stacks/rules/*.guard: each holds for what we deploy, and not where what it asks for is gone."""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cloudformation_validate import (
    CompositeEngine,
    CompositeEngineConfig,
    ExternalRuleSource,
    RuleOrigin,
    ValidateConfig,
)

from config import load_project
from config.instances import has_own_disks
from stacks.validation import our_rules
from tests.config.test_instances import sagemaker_instances
from tests.synthesis import ROOT, Template

pytestmark = pytest.mark.slow

Break = Callable[[Template], None]
"""Changes a resource so that it breaks a rule."""


def without(*path: str) -> Break:
    def change(resource: Template) -> None:
        place: Any = resource
        for part in path[:-1]:
            place = place[part]
        del place[path[-1]]

    return change


def setting(value: object, *path: str) -> Break:
    def change(resource: Template) -> None:
        place: Any = resource
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = value

    return change


def _policy(*path: str) -> Callable[[Callable[[dict[str, Any]], None]], Break]:
    """Changes the last statement that allows something."""

    def with_change(change_statement: Callable[[dict[str, Any]], None]) -> Break:
        def change(resource: Template) -> None:
            place: Any = resource
            for part in path:
                place = place[part]
            change_statement([item for item in place["Statement"] if item["Effect"] == "Allow"][-1])

        return change

    return with_change


_allowed = _policy("Properties", "PolicyDocument")
_trusted = _policy("Properties", "AssumeRolePolicyDocument")


def _plain_http(resource: Template) -> None:
    document = resource["Properties"]["PolicyDocument"]
    document["Statement"] = [item for item in document["Statement"] if item["Effect"] != "Deny"]


def _for_everybody(statement: dict[str, Any]) -> None:
    statement["Principal"] = {"AWS": "*"}
    statement.pop("Condition", None)


def _isolated_no_more(resource: Template) -> None:
    if not resource["Properties"]["EnableNetworkIsolation"]:
        raise KeyError
    resource["Properties"]["EnableNetworkIsolation"] = False


ENCRYPTION = ("Properties", "BucketEncryption", "ServerSideEncryptionConfiguration")
CLOSED = ("Properties", "PublicAccessBlockConfiguration")
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"

BROKEN: list[tuple[str, str, Break]] = [
    ("buckets_refuse_plain_http", "AWS::S3::BucketPolicy", _plain_http),
    ("buckets_are_closed_to_the_public", "AWS::S3::Bucket", without(*CLOSED)),
    ("buckets_are_closed_to_the_public", "AWS::S3::Bucket", without(*CLOSED, "BlockPublicAcls")),
    ("buckets_are_closed_to_the_public", "AWS::S3::Bucket", setting(False, *CLOSED, "BlockPublicPolicy")),
    ("buckets_are_closed_to_the_public", "AWS::S3::Bucket", setting(False, *CLOSED, "IgnorePublicAcls")),
    ("buckets_are_closed_to_the_public", "AWS::S3::Bucket", setting(False, *CLOSED, "RestrictPublicBuckets")),
    ("buckets_are_closed_to_the_public", "AWS::S3::Bucket", without("Properties", "OwnershipControls")),
    ("buckets_keep_versions", "AWS::S3::Bucket", without("Properties", "VersioningConfiguration")),
    (
        "buckets_keep_versions",
        "AWS::S3::Bucket",
        setting({"Status": "Suspended"}, "Properties", "VersioningConfiguration"),
    ),
    ("buckets_let_old_versions_go", "AWS::S3::Bucket", without("Properties", "LifecycleConfiguration")),
    ("buckets_are_under_our_key", "AWS::S3::Bucket", without("Properties", "BucketEncryption")),
    (
        "buckets_are_under_our_key",
        "AWS::S3::Bucket",
        setting([{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}], *ENCRYPTION),
    ),
    ("symmetric_keys_rotate", "AWS::KMS::Key", without("Properties", "EnableKeyRotation")),
    ("symmetric_keys_rotate", "AWS::KMS::Key", setting(False, "Properties", "EnableKeyRotation")),
    ("images_are_under_our_key", "AWS::ECR::Repository", without("Properties", "EncryptionConfiguration")),
    ("images_are_under_our_key", "AWS::ECR::Repository", without("Properties", "EncryptionConfiguration", "KmsKey")),
    ("volumes_are_under_our_key", "AWS::SageMaker::EndpointConfig", without("Properties", "KmsKeyId")),
    ("images_never_change_under_their_name", "AWS::ECR::Repository", without("Properties", "ImageTagMutability")),
    ("builds_are_under_our_key", "AWS::CodeBuild::Project", without("Properties", "EncryptionKey")),
    (
        "pipelines_are_under_our_key",
        "AWS::CodePipeline::Pipeline",
        without("Properties", "ArtifactStore", "EncryptionKey"),
    ),
    ("logs_have_an_end", "AWS::Logs::LogGroup", without("Properties", "RetentionInDays")),
    ("topics_refuse_plain_http", "AWS::SNS::TopicPolicy", _plain_http),
    ("topics_are_under_our_key", "AWS::SNS::Topic", without("Properties", "KmsMasterKeyId")),
    ("topics_are_under_our_key", "AWS::SNS::Topic", setting("alias/aws/sns", "Properties", "KmsMasterKeyId")),
    ("alarms_reach_somebody", "AWS::CloudWatch::CompositeAlarm", without("Properties", "AlarmActions")),
    ("alarms_reach_somebody", "AWS::CloudWatch::CompositeAlarm", setting([], "Properties", "AlarmActions")),
    ("alarms_reach_somebody", "AWS::CloudWatch::CompositeAlarm", setting("FALSE", "Properties", "AlarmRule")),
    ("models_are_cut_off_from_the_network", "AWS::SageMaker::Model", without("Properties", "EnableNetworkIsolation")),
    ("models_are_cut_off_from_the_network", "AWS::SageMaker::Model", _isolated_no_more),
    ("what_serves_outlives_its_replacement", "AWS::SageMaker::Model", without("UpdateReplacePolicy")),
    ("what_serves_outlives_its_replacement", "AWS::SageMaker::Model", setting("a", "Properties", "ModelName")),
    ("what_serves_outlives_its_replacement", "AWS::SageMaker::EndpointConfig", without("UpdateReplacePolicy")),
    (
        "what_serves_outlives_its_replacement",
        "AWS::SageMaker::EndpointConfig",
        setting("a", "Properties", "EndpointConfigName"),
    ),
    ("nobody_works_by_hand", "AWS::SNS::Topic", setting("AWS::SageMaker::NotebookInstance", "Type")),
    ("nobody_works_by_hand", "AWS::SNS::Topic", setting("AWS::IAM::User", "Type")),
    ("nobody_works_by_hand", "AWS::SNS::Topic", setting("AWS::IAM::AccessKey", "Type")),
    ("actions_are_named", "AWS::IAM::Policy", _allowed(lambda statement: statement.update(Action="*"))),
    (
        "actions_are_named",
        "AWS::IAM::Policy",
        _allowed(lambda statement: statement.update(Action=["s3:GetObject", "s3:*"])),
    ),
    ("actions_are_named", "AWS::IAM::Policy", _allowed(lambda statement: statement.update(NotAction="s3:GetObject"))),
    (
        "resources_are_named",
        "AWS::IAM::Policy",
        _allowed(lambda statement: statement.update(Action="s3:GetObject", Resource="*")),
    ),
    (
        "resources_are_named",
        "AWS::IAM::Policy",
        _allowed(
            lambda statement: statement.update(Action=["sagemaker:ListModels", "s3:GetObject"], Resource=["a", "*"])
        ),
    ),
    ("resources_are_named", "AWS::IAM::Policy", _allowed(lambda statement: statement.update(NotResource="a"))),
    ("roles_have_no_policy_inside", "AWS::IAM::Role", setting([{"PolicyName": "a"}], "Properties", "Policies")),
    ("roles_have_no_policy_of_aws", "AWS::IAM::Role", setting([ADMINISTRATOR], "Properties", "ManagedPolicyArns")),
    (
        "roles_are_taken_for_our_account_only",
        "AWS::IAM::Role",
        _trusted(lambda statement: statement.update(Principal={"Service": ["states.amazonaws.com"]}, Condition={})),
    ),
    ("nobody_is_everybody", "AWS::IAM::Role", _trusted(_for_everybody)),
    ("nobody_is_everybody", "AWS::IAM::Role", _trusted(lambda statement: statement.update(Principal="*"))),
    ("nobody_is_everybody", "AWS::SNS::TopicPolicy", _allowed(_for_everybody)),
    ("nobody_is_everybody", "AWS::KMS::Key", _policy("Properties", "KeyPolicy")(_for_everybody)),
    (
        "nobody_is_everybody",
        "AWS::ECR::Repository",
        setting({"Statement": [{"Effect": "Allow", "Principal": "*"}]}, "Properties", "RepositoryPolicyText"),
    ),
]
"""A rule, a type of resource, and a change after which that resource breaks that rule."""

EXEMPT = {"buckets_are_under_our_key": "AccessLogs"}
"""A rule, and how the resources begin that it leaves out."""

NOT_OURS: list[tuple[str, Template, Template]] = [
    (
        "queues_refuse_plain_http",
        {"Type": "AWS::SQS::Queue", "Properties": {"KmsMasterKeyId": {"Ref": "Key"}}},
        {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "It"}],
                "PolicyDocument": {
                    "Statement": [
                        {"Effect": "Deny", "Action": "sqs:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
                    ]
                },
            },
        },
    ),
    (
        "no_way_in_from_everywhere",
        {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"SecurityGroupIngress": [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "0.0.0.0/0"}]},
        },
        {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {"CidrIp": "10.0.0.0/8"}},
    ),
    (
        "no_way_in_from_everywhere",
        {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {"CidrIpv6": "::/0"}},
        {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "Closed."}},
    ),
    (
        "no_address_of_the_internet",
        {"Type": "AWS::EC2::Subnet", "Properties": {"MapPublicIpOnLaunch": True}},
        {"Type": "AWS::EC2::Subnet", "Properties": {"MapPublicIpOnLaunch": False}},
    ),
    ("no_address_of_the_internet", {"Type": "AWS::EC2::InternetGateway"}, {"Type": "AWS::EC2::VPC"}),
    ("queues_are_under_our_key", {"Type": "AWS::SQS::Queue", "Properties": {}}, {"Type": "AWS::EC2::VPC"}),
    (
        "queues_are_under_our_key",
        {"Type": "AWS::SQS::Queue", "Properties": {"KmsMasterKeyId": "alias/aws/sqs"}},
        {"Type": "AWS::EC2::VPC"},
    ),
    (
        "nobody_is_everybody",
        {"Type": "AWS::Events::EventBusPolicy", "Properties": {"Statement": {"Principal": {"AWS": "*"}}}},
        {
            "Type": "AWS::Events::EventBusPolicy",
            "Properties": {"Statement": {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o"}}}},
        },
    ),
]
"""A rule, a resource that we do not have and that breaks it, and one that stands beside it and does not."""


class Guard:
    """Our rules alone, in the engine that the CDK runs at synthesis."""

    def __init__(self, folder: Path) -> None:
        rules = [ExternalRuleSource(name=rule.name, content=rule.content) for rule in our_rules(load_project(ROOT))]
        self._file = folder / "template.json"
        self._engine = CompositeEngine(CompositeEngineConfig(guard_rules=rules))
        self.sentences = {
            rule.id: rule.description for rule in self._engine.list_rules() if rule.origin == RuleOrigin.GUARD
        }

    def findings(self, template: Template) -> set[tuple[str, str]]:
        """Each rule that is broken, with the resource that breaks it."""
        self._file.write_text(json.dumps(template))
        report = self._engine.validate_template(str(self._file), ValidateConfig(disable_builtin_rules=True))
        return {
            (finding.rule_id, finding.entity.logical_id if finding.entity else "") for finding in report.diagnostics
        }


@pytest.fixture(scope="module")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Guard:
    return Guard(tmp_path_factory.mktemp("guard"))


def test_what_we_deploy_keeps_every_rule(guard: Guard, templates: dict[str, Template]) -> None:
    for name, template in templates.items():
        assert not guard.findings(template), name


def _broken(templates: dict[str, Template], kind: str, change: Break) -> Iterator[tuple[Template, str]]:
    """Our templates, each with one resource of the type changed, where it can be."""
    for template in templates.values():
        for name, resource in template["Resources"].items():
            if resource["Type"] == kind:
                other = copy.deepcopy(template)
                try:
                    change(other["Resources"][name])
                except (KeyError, IndexError):
                    continue
                yield other, name


@pytest.mark.parametrize(("rule", "kind", "change"), BROKEN, ids=[f"{rule}-{n}" for n, (rule, *_) in enumerate(BROKEN)])
def test_a_rule_sees_what_breaks_it(
    guard: Guard, templates: dict[str, Template], rule: str, kind: str, change: Break
) -> None:
    broken = list(itertools.islice(_broken(templates, kind, change), 3))
    unseen = [name for other, name in broken if rule not in {found for found, _ in guard.findings(other)}]
    assert broken
    assert len(unseen) < len(broken)
    assert all(name.startswith(EXEMPT.get(rule, "none")) for name in unseen), unseen


@pytest.mark.parametrize(("rule", "wrong", "right"), NOT_OURS, ids=[rule for rule, *_ in NOT_OURS])
def test_a_rule_sees_what_we_do_not_have(guard: Guard, rule: str, wrong: Template, right: Template) -> None:
    if rule != "queues_refuse_plain_http":
        assert (rule, "It") in guard.findings({"Resources": {"It": wrong, "Beside": right}})
        assert not guard.findings({"Resources": {"Beside": right}})
    else:
        assert (rule, "It") in guard.findings({"Resources": {"It": wrong}})
        assert not guard.findings({"Resources": {"It": wrong, "Beside": right}})


def test_a_key_is_asked_for_where_sagemaker_takes_one(guard: Guard) -> None:
    """The rule says in its own language what config/instances.py says."""
    configs = {
        instance.title().replace(".", "").replace("-", ""): (instance, _config_of(instance))
        for instance in sagemaker_instances("ProductionVariant")
    }
    found = guard.findings({"Resources": {name: config for name, (_, config) in configs.items()}})
    wanted = {name for name, (instance, _) in configs.items() if not has_own_disks(instance)}
    assert found == {("volumes_are_under_our_key", name) for name in wanted}


def _config_of(instance: str) -> Template:
    properties = {"ProductionVariants": [{"InstanceType": instance}]}
    return {"Type": "AWS::SageMaker::EndpointConfig", "UpdateReplacePolicy": "Retain", "Properties": properties}


def test_every_rule_is_broken_by_a_test_and_says_what_to_do(guard: Guard) -> None:
    assert set(guard.sentences) == {rule for rule, *_ in (*BROKEN, *NOT_OURS)}
    for rule, sentence in guard.sentences.items():
        assert re.fullmatch(r"[A-Z].+[.,;] .+\.", sentence), (rule, sentence)
