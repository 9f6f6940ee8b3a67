"""Artifacts hold the files that the buildspec names, where the project wants them."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.account import Account
from tests.local_aws.delivery import LOGS, OBJECTS, allow, bucket, buildspec, built, phase, project, role, unzipped

FILES = (
    "mkdir -p out/deep tmp && echo 1 > out/a.txt && echo 2 > out/deep/b.txt && echo 3 > out/deep/c.tmp && echo 4 > d"
)


@pytest.fixture(scope="module")
def place(account: Account) -> str:
    return bucket(account)


@pytest.fixture(scope="module")
def service_role(account: Account) -> str:
    return role(account, "codebuild", LOGS, OBJECTS)


def build(account: Account, service_role: str, place: str, files: dict[str, Any], **members: Any) -> dict[str, Any]:
    spec = buildspec(FILES, artifacts=files)
    zip_file = {"type": "S3", "location": place, "packaging": "ZIP", "namespaceType": "BUILD_ID", "name": "it.zip"}
    return built(account, project(account, spec, service_role, **{"artifacts": zip_file, **members}))


@pytest.mark.parametrize(
    ("artifacts", "names"),
    [
        ({"files": ["**/*"]}, {"d", "out/a.txt", "out/deep/b.txt", "out/deep/c.tmp"}),
        ({"files": ["**/*"], "base-directory": "out"}, {"a.txt", "deep/b.txt", "deep/c.tmp"}),
        ({"files": ["**/*"], "base-directory": "out", "exclude-paths": ["**/*.tmp"]}, {"a.txt", "deep/b.txt"}),
        ({"files": ["out/*.txt", "d"]}, {"out/a.txt", "d"}),
        ({"files": ["out/**/*.txt"], "discard-paths": "yes"}, {"a.txt", "b.txt"}),
        ({"files": ["**/*"], "base-directory": "out/d*"}, {"b.txt", "c.tmp"}),
    ],
)
def test_the_files_that_the_buildspec_names_are_packed(
    account: Account, service_role: str, place: str, artifacts: dict[str, Any], names: set[str]
) -> None:
    done = build(account, service_role, place, artifacts)
    run = done["id"].partition(":")[2]
    assert set(unzipped(account, place, f"{run}/it.zip")) == names
    assert done["artifacts"]["location"] == f"arn:aws:s3:::{place}/{run}/it.zip"
    assert len(done["artifacts"]["sha256sum"]) == 64


def test_secondary_artifacts_are_written_by_their_identifiers(account: Account, service_role: str, place: str) -> None:
    second = {"type": "S3", "location": place, "packaging": "ZIP", "name": "second.zip", "artifactIdentifier": "two"}
    artifacts = {"files": ["d"], "secondary-artifacts": {"two": {"files": ["a.txt"], "base-directory": "out"}}}
    done = build(account, service_role, place, artifacts, secondaryArtifacts=[second])
    assert set(unzipped(account, place, "second.zip")) == {"a.txt"}
    assert done["secondaryArtifacts"][0]["artifactIdentifier"] == "two"


def test_without_packaging_each_file_is_an_object(account: Account, service_role: str, place: str) -> None:
    plain = {"type": "S3", "location": place, "path": "plain", "name": "files"}
    build(account, service_role, place, {"files": ["**/*.txt"], "base-directory": "out"}, artifacts=plain)
    found = account.client("s3").list_objects_v2(Bucket=place, Prefix="plain/")["Contents"]
    assert {item["Key"] for item in found} == {"plain/files/a.txt", "plain/files/deep/b.txt"}


def test_files_that_do_not_exist_fail_the_upload(account: Account, service_role: str, place: str) -> None:
    done = build(account, service_role, place, {"files": ["nothing"]})
    assert done["buildStatus"] == "FAILED"
    assert phase(done, "UPLOAD_ARTIFACTS") == (
        "FAILED",
        "CLIENT_ERROR",
        "no matching artifact paths found: nothing",
    )


def test_a_role_that_may_not_write_fails_the_upload_in_aws_words(account: Account, place: str) -> None:
    done = build(account, role(account, "codebuild", LOGS, allow("s3:GetObject")), place, {"files": ["d"]})
    status, code, message = phase(done, "UPLOAD_ARTIFACTS")
    assert (status, code) == ("FAILED", "CLIENT_ERROR")
    assert message.startswith("Error in UPLOAD_ARTIFACTS phase: AccessDenied: ")


def test_artifacts_are_encrypted_with_the_projects_key(account: Account, place: str) -> None:
    key = account.client("kms").create_key()["KeyMetadata"]["Arn"]
    allowed = role(account, "codebuild", LOGS, OBJECTS, allow("kms:GenerateDataKey*", "kms:Decrypt", "kms:Encrypt"))
    done = build(account, allowed, place, {"files": ["d"]}, encryptionKey=key)
    object_key = done["artifacts"]["location"].partition("/")[2]
    head = account.client("s3").head_object(Bucket=place, Key=object_key)
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)
