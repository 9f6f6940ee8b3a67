"""What holds for every stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.synthesis import Template, fork, only, resources, synthesize, templates_of

ROOT = Path(__file__).parents[2]
MODELS = [file.parent.name.replace("_", "-") for file in (ROOT / "model_code").glob("*/model.yaml")]


@pytest.mark.slow
def test_two_synths_are_equal_byte_for_byte(tmp_path: Path) -> None:
    first, second = (synthesize(tmp_path / name) for name in ("first", "second"))
    names = sorted(file.relative_to(first) for file in first.rglob("*") if file.is_file())
    assert names == sorted(file.relative_to(second) for file in second.rglob("*") if file.is_file())
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


@pytest.mark.slow
def test_a_release_synthesizes_the_stacks_of_its_model_alone_and_they_are_the_same(
    tmp_path: Path, templates: dict[str, Template]
) -> None:
    written = templates_of(synthesize(tmp_path / "out", ONLY_MODEL="bike_demand"))
    foundation = {f"greenlight-{place}" for place in ("tooling", "staging", "production")}
    assert set(written) == stacks_of("bike-demand") | foundation
    for name in stacks_of("bike-demand"):
        assert written[name] == templates[name]


def stacks_of(model: str) -> set[str]:
    parts = (f"training-{model}", f"serving-{model}-staging", f"serving-{model}-production")
    return {f"greenlight-{part}" for part in parts}


@pytest.mark.slow
def test_a_model_that_there_is_not_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(
        AssertionError, match="ONLY_MODEL is 'parcels': there are bike_demand, employment; leave it out"
    ):
        synthesize(tmp_path / "out", ONLY_MODEL="parcels")


def test_stacks_are_named_after_project_part_and_place(templates: dict[str, Template]) -> None:
    environments = ("staging", "production", "rollback-staging", "rollback-production")
    parts = ("tooling", *environments, "watch-production", "delivery")
    shared = {f"greenlight-{part}" for part in parts}
    assert set(templates) == shared.union(*map(stacks_of, MODELS))


def test_buckets_are_private_versioned_encrypted_and_refuse_plain_http(templates: dict[str, Template]) -> None:
    seen = 0
    for template in templates.values():
        policies = list(resources(template, "AWS::S3::BucketPolicy").values())
        for name, bucket in resources(template, "AWS::S3::Bucket").items():
            seen += 1
            properties = bucket["Properties"]
            assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
            assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
            rule = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
            with_key = "LoggingConfiguration" in properties  # the access logs themselves are under S3's own key
            assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == ("aws:kms" if with_key else "AES256")
            assert properties["LifecycleConfiguration"]["Rules"]
            assert any(_denies_plain_http(policy, name) for policy in policies)
    assert seen == 4 + 3


def _denies_plain_http(policy: Template, bucket: str) -> bool:
    return policy["Properties"]["Bucket"] == {"Ref": bucket} and any(
        statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    )


def test_keys_rotate_and_logs_end(templates: dict[str, Template]) -> None:
    for template in templates.values():
        for key in resources(template, "AWS::KMS::Key").values():
            signs = key["Properties"].get("KeyUsage") == "SIGN_VERIFY"  # KMS cannot rotate such a key
            assert signs or key["Properties"]["EnableKeyRotation"] is True
        for group in resources(template, "AWS::Logs::LogGroup").values():
            assert group["Properties"]["RetentionInDays"] > 0


def test_production_retains_what_staging_destroys(templates: dict[str, Template]) -> None:
    def policy(stack: str) -> set[str]:
        return {bucket["DeletionPolicy"] for bucket in resources(templates[stack], "AWS::S3::Bucket").values()}

    assert (policy("greenlight-staging"), policy("greenlight-production")) == ({"Delete"}, {"Retain"})


def statements(template: Template) -> Iterator[dict[str, Any]]:
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        documents = [properties.get("PolicyDocument")] + [
            policy["PolicyDocument"] for policy in properties.get("Policies", [])
        ]
        if resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role"):
            for document in documents:
                yield from (document or {}).get("Statement", [])


NO_RESOURCE = {
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
    "cloudformation:ListStacks",
    "cloudwatch:GetMetricData",
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListModels",
}
"""Actions that AWS gives no resource; only they may be allowed on `*`."""


def test_only_actions_without_a_resource_are_allowed_on_all(templates: dict[str, Template]) -> None:
    for name, template in templates.items():
        for statement in statements(template):
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert not any(action == "*" or action.endswith(":*") for action in actions), (name, statement)
            if statement["Resource"] == "*":
                assert set(actions) <= NO_RESOURCE, (name, statement)


def test_no_role_has_a_policy_written_by_aws(templates: dict[str, Template]) -> None:
    for template in templates.values():
        for role in resources(template, "AWS::IAM::Role").values():
            assert not role["Properties"].get("ManagedPolicyArns")


def test_a_role_that_a_resource_runs_under_has_its_policies_first(templates: dict[str, Template]) -> None:
    """Else the first deployment fails now and then: the resource starts before its role may do anything."""
    runs = ("AWS::StepFunctions::StateMachine", "AWS::CodePipeline::Pipeline", "AWS::SageMaker::Pipeline")
    seen = 0
    for template in templates.values():
        for kind in runs:
            for itself, resource in resources(template, kind).items():
                role = resource["Properties"]["RoleArn"]
                policies = [
                    name
                    for name, policy in resources(template, "AWS::IAM::Policy").items()
                    if {"Ref": role.get("Fn::GetAtt", [""])[0]} in policy["Properties"]["Roles"]
                    # A policy that names the resource can only follow it: the CDK's own of a distributed map.
                    and f'"{itself}"' not in json.dumps(policy["Properties"]["PolicyDocument"])
                ]
                if "Fn::GetAtt" in role:
                    seen += 1
                    assert set(policies) <= set(resource.get("DependsOn", [])), resource
    assert seen >= 4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "provider"),
    [
        ("kind: s3", "S3"),
        ("kind: codecommit\n  repository: models", "CodeCommit"),
        (
            "kind: codeconnections\n  connection: arn:aws:codeconnections:eu-west-1:111122223333:connection/abc\n"
            "  repository: octo-org/models",
            "CodeStarSourceConnection",
        ),
    ],
)
def test_every_kind_of_source_synthesizes(tmp_path: Path, source: str, provider: str) -> None:
    text = (ROOT / "project.yaml").read_text().replace("kind: s3", source)
    assembly = synthesize(tmp_path / "out", fork(tmp_path, project_yaml=text))
    delivery = templates_of(assembly)["greenlight-delivery"]
    for pipeline in resources(delivery, "AWS::CodePipeline::Pipeline").values():
        action = pipeline["Properties"]["Stages"][0]["Actions"][0]
        assert action["ActionTypeId"]["Provider"] == provider


@pytest.mark.slow
def test_three_accounts_synthesize_with_grants_across_them(tmp_path: Path) -> None:
    text = (ROOT / "project.yaml").read_text()
    for number, place in enumerate(("tooling", "staging", "production"), start=1):
        text = text.replace(f"{place}:\n", f"{place}:\n  account: '{str(number) * 12}'\n  region: eu-west-1\n", 1)
    templates = templates_of(synthesize(tmp_path / "out", fork(tmp_path, project_yaml=text)))
    policies = json.dumps(resources(templates["greenlight-tooling"], "AWS::S3::BucketPolicy"))
    assert "333333333333" in policies
    hearing = only(templates["greenlight-delivery"], "AWS::Events::EventBusPolicy")["Properties"]["Statement"]
    assert "333333333333" in json.dumps(hearing["Principal"])
    assert hearing["Condition"]["StringEquals"]["events:source"] == "greenlight.watch"
    rules = resources(templates["greenlight-watch-production"], "AWS::Events::Rule").values()
    assert any("111111111111:event-bus/default" in json.dumps(rule["Properties"]["Targets"]) for rule in rules)
    starts = resources(templates["greenlight-delivery"], "AWS::Events::Rule").values()
    patterns = [rule["Properties"]["EventPattern"] for rule in starts]
    assert ["333333333333"] in [pattern.get("account") for pattern in patterns]


@pytest.mark.slow
def test_hundreds_of_models_synthesize_alike(tmp_path: Path) -> None:
    root = fork(tmp_path)
    yaml = next(root.glob("model_code/*/model.yaml")).read_text()
    for number in range(20):
        folder = root / f"model_code/model_{number}"
        folder.mkdir()
        (folder / "model.yaml").write_text(yaml)
    templates = templates_of(synthesize(tmp_path / "out", root))
    assert len(templates) == 7 + (20 + len(MODELS)) * 3
    assert len(resources(templates["greenlight-delivery"], "AWS::CodePipeline::Pipeline")) == 2
