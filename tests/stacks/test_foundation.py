"""What the shared buckets and keys are protected against, and what is written down of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.synthesis import ROOT, Template, fork, resources, synthesize, templates_of

PLACES = ("greenlight-tooling", "greenlight-staging", "greenlight-production")
LOGGED = {"greenlight-tooling": {"data/", "artifacts/"}, "greenlight-staging": {"records/"}}


def kept(template: Template) -> dict[str, Template]:
    """The buckets of models, by logical id: those that log who reads and writes."""
    found = {name: each["Properties"] for name, each in resources(template, "AWS::S3::Bucket").items()}
    return {name: each for name, each in found.items() if "LoggingConfiguration" in each}


def logs(template: Template) -> tuple[str, Template]:
    """The one bucket that the others log into."""
    ((name, found),) = (
        (name, each["Properties"])
        for name, each in resources(template, "AWS::S3::Bucket").items()
        if "LoggingConfiguration" not in each["Properties"]
    )
    return name, found


def policy(template: Template, bucket: str) -> list[Template]:
    (found,) = (
        each["Properties"]["PolicyDocument"]["Statement"]
        for each in resources(template, "AWS::S3::BucketPolicy").values()
        if each["Properties"]["Bucket"] == {"Ref": bucket}
    )
    return found


def test_every_bucket_of_a_place_logs_who_reads_and_writes_into_one(templates: dict[str, Template]) -> None:
    for place in PLACES:
        name, _ = logs(templates[place])
        found = [each["LoggingConfiguration"] for each in kept(templates[place]).values()]
        assert {each["DestinationBucketName"]["Ref"] for each in found} == {name}
        expected = LOGGED["greenlight-tooling" if place == "greenlight-tooling" else "greenlight-staging"]
        assert {each["LogFilePrefix"] for each in found} == expected


def test_access_logs_end_as_other_logs_do_under_the_only_encryption_that_s3_delivers_them_with(
    templates: dict[str, Template],
) -> None:
    for place, days in zip(PLACES, (365, 30, 365), strict=True):
        _, found = logs(templates[place])
        (rule,) = found["LifecycleConfiguration"]["Rules"]
        assert rule["ExpirationInDays"] == days
        (encryption,) = found["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_only_s3_writes_access_logs_and_of_our_buckets_alone(templates: dict[str, Template]) -> None:
    for place in PLACES:
        name, _ = logs(templates[place])
        allowed = [each for each in policy(templates[place], name) if each["Effect"] == "Allow"]
        assert len(allowed) == len(kept(templates[place]))
        for statement in allowed:
            assert statement["Principal"] == {"Service": "logging.s3.amazonaws.com"}
            assert statement["Action"] == "s3:PutObject"
            assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        sources = {each["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::GetAtt"][0] for each in allowed}
        assert sources == set(kept(templates[place]))


def test_no_role_of_the_project_deletes_a_version(templates: dict[str, Template]) -> None:
    for place in PLACES:
        for name in kept(templates[place]):
            (denied,) = (each for each in policy(templates[place], name) if each["Action"] == "s3:DeleteObjectVersion")
            assert (denied["Effect"], denied["Principal"]) == ("Deny", {"AWS": "*"})
            assert ":role/greenlight-*" in json.dumps(denied["Condition"]["ArnLike"])


@pytest.mark.parametrize("place", PLACES)
def test_a_key_knows_its_account_and_for_topics_a_service_within_bounds(
    templates: dict[str, Template], place: str
) -> None:
    """The statement for the account is what lets IAM decide at all; without it no policy of a role would count."""
    key = resources(templates[place], "AWS::KMS::Key")["Key961B73FD"]["Properties"]
    root, *others = key["KeyPolicy"]["Statement"]
    assert root["Action"] == "kms:*"
    assert json.dumps(root["Principal"]).endswith('":root"]]}}')
    for statement in others:
        assert list(statement["Principal"]) == ["Service"]
        assert not {"kms:*", "kms:CreateGrant", "kms:PutKeyPolicy"} & set(statement["Action"])
    assert key["EnableKeyRotation"] is True


def test_what_a_place_keeps_is_under_its_own_key(templates: dict[str, Template]) -> None:
    for place in PLACES:
        for bucket in kept(templates[place]).values():
            (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
            assert rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == {"Fn::GetAtt": ["Key961B73FD", "Arn"]}
            assert rule["BucketKeyEnabled"] is True


@pytest.mark.slow
def test_versions_are_kept_as_long_as_the_project_says(tmp_path: Path) -> None:
    text = (ROOT / "project.yaml").read_text().replace("production:\n", "production:\n  keep_versions_days: 35\n", 1)
    made = templates_of(synthesize(tmp_path / "out", fork(tmp_path, project_yaml=text)))
    days = {
        place: {
            rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
            for bucket in kept(made[place]).values()
            for rule in bucket["LifecycleConfiguration"]["Rules"]
            if "NoncurrentVersionExpiration" in rule
        }
        for place in PLACES
    }
    assert days == {"greenlight-tooling": {90}, "greenlight-staging": {90}, "greenlight-production": {35}}


def test_what_the_registry_knows_is_written_down_whenever_it_changes(templates: dict[str, Template]) -> None:
    tooling = templates["greenlight-tooling"]
    (machine,) = (each["Properties"] for each in resources(tooling, "AWS::StepFunctions::StateMachine").values())
    rules = [each["Properties"] for each in resources(tooling, "AWS::Events::Rule").values()]
    (rule,) = (each for each in rules if each.get("Name") == "greenlight-recorder")
    assert rule["EventPattern"]["detail"] == {"ModelPackageGroupName": [{"prefix": "greenlight-"}]}, "any approval"
    assert "'_registry/'" in json.dumps(machine["DefinitionString"])


def test_the_folder_of_the_records_is_no_teams(templates: dict[str, Template]) -> None:
    """A job that could write there would approve packages by way of a restore."""
    for place, template in templates.items():
        for name, each in resources(template, "AWS::IAM::Policy").items():
            if "_registry" in json.dumps(each):
                assert (place, name.startswith("Recorder")) == ("greenlight-tooling", True)
