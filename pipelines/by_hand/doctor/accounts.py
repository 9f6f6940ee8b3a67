"""What an account must have before the first deploy, asked with the credentials of this shell."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from config.project import CodeCommit, CodeConnections, S3Source
from pipelines.by_hand.doctor.places import Location
from pipelines.by_hand.doctor.quotas import quotas
from pipelines.by_hand.doctor.saying import Check, Said, failed, not_checked, ok, warning

BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"
SCALING_ROLE = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
SCALING_PRINCIPAL = "sagemaker.application-autoscaling.amazonaws.com"


def bootstrap(location: Location) -> Iterator[Said]:
    """The CDK's bootstrap stack."""
    needed = needed_bootstrap(location.around.root / "cdk.out/manifest.json")
    try:
        found = int(location.client("ssm").get_parameter(Name=BOOTSTRAP)["Parameter"]["Value"])
    except location.client("ssm").exceptions.ParameterNotFound:
        yield failed("the account is not prepared for the CDK in this region", "run: make bootstrap")
        return
    if needed is None:
        yield not_checked(
            "the bootstrap version", f"it is {found}; what is needed is not known.", "run: make synth, and this again"
        )
    elif found < needed:
        yield failed(f"the bootstrap version is {found}; the templates need {needed}", "run: make bootstrap")
    else:
        yield ok(f"bootstrap version {found}; the templates need {needed}")


def trust(location: Location) -> Iterator[Said]:
    """Whether the account lets the tooling account deploy."""
    tooling = location.around.project.tooling.account
    account = location.identity["Account"]
    if not tooling or tooling == account:
        return
    role = f"cdk-hnb659fds-deploy-role-{account}-{location.region}"
    try:
        found = location.client("iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    except location.client("iam").exceptions.NoSuchEntityException:
        return  # not bootstrapped, which has been said
    if tooling in json.dumps(found):
        yield ok(f"the bootstrap roles trust the tooling account {tooling}")
    else:
        yield failed(
            f"{role} does not trust the tooling account {tooling}",
            f"cdk bootstrap aws://{account}/{location.region} --trust {tooling} "
            "--cloudformation-execution-policies arn:aws:iam::aws:policy/AdministratorAccess",
        )


def connection(location: Location) -> Iterator[Said]:
    """The connection to the git host, or the repository."""
    match location.around.project.source:
        case CodeConnections(connection=arn):
            service = arn.split(":")[2]  # it was renamed, and each name has its own ARNs
            status = location.client(service).get_connection(ConnectionArn=arn)["Connection"]["ConnectionStatus"]
            if status == "AVAILABLE":
                yield ok("the connection to the git host is AVAILABLE")
            else:
                yield failed(
                    f"the connection to the git host is {status}",
                    "confirm it in the console: Developer Tools, Settings, Connections, Update pending connection",
                )
        case CodeCommit(repository=repository):
            yield _repository(location.client("codecommit"), repository)
        case S3Source():
            yield from _bucket(location)


def images(location: Location) -> Iterator[Said]:
    """The image repository."""
    found = _resource(location, "AWS::ECR::Repository")
    if not found:
        yield ok("the image repository comes with the first deployment")
        return
    (repository,) = location.client("ecr").describe_repositories(repositoryNames=[found])["repositories"]
    if repository["imageScanningConfiguration"]["scanOnPush"]:
        yield ok(f"the image repository {found} is there, and scans what is pushed")
    else:
        yield warning(f"the image repository {found} does not scan what is pushed", "run: make foundation")


def roles(location: Location) -> Iterator[Said]:
    """Service-linked roles."""
    if not location.environments:
        return
    try:
        location.client("iam").get_role(RoleName=SCALING_ROLE)
    except location.client("iam").exceptions.NoSuchEntityException:
        yield ok(
            f"the service-linked role {SCALING_ROLE} comes with the first endpoint that scales; where people may not "
            f"make such roles: aws iam create-service-linked-role --aws-service-name {SCALING_PRINCIPAL}"
        )
    else:
        yield ok(f"the service-linked role {SCALING_ROLE} is there")


EVERYWHERE: Sequence[Check[Location]] = (bootstrap, trust, roles, quotas)
TOOLING: Sequence[Check[Location]] = (connection, images)


def credentials(location: Location, *, several: bool) -> Said:
    """Whose credentials these are, and whether they are of the account that is meant."""
    account, arn = location.identity["Account"], location.identity["Arn"]
    if location.account in (None, account):
        return ok(f"credentials of account {account}: {arn}")
    text = (
        f"{', '.join(location.chosen)}: project.yaml names account {location.account}, the credentials are of {account}"
    )
    fix = f"sign in to {location.account}, then: make doctor ENV={location.chosen[0]}"
    return not_checked(str(location), text, fix) if several else failed(text, fix)


def needed_bootstrap(manifest: Path) -> int | None:
    """The highest bootstrap version that a synthesized stack needs; None before a synthesis."""
    if not manifest.exists():
        return None
    artifacts = json.loads(manifest.read_text())["artifacts"].values()
    return max(each["properties"].get("requiresBootstrapStackVersion", 0) for each in artifacts if "properties" in each)


def _repository(codecommit: Any, name: str) -> Said:
    try:
        codecommit.get_repository(repositoryName=name)
    except codecommit.exceptions.RepositoryDoesNotExistException:
        return failed(
            f"the CodeCommit repository {name} does not exist",
            f"aws codecommit create-repository --repository-name {name}, then push to it",
        )
    return ok(f"the CodeCommit repository {name} is there")


def _bucket(location: Location) -> Iterator[Said]:
    bucket = _output(location, "ArtifactsBucketName")
    if not bucket:
        yield ok("the bucket of the source comes with the first deployment")
        return
    status = location.client("s3").get_bucket_versioning(Bucket=bucket).get("Status")
    if status == "Enabled":
        yield ok(f"the bucket of the source, {bucket}, is there and keeps versions")
    else:
        yield failed(f"the bucket of the source, {bucket}, keeps no versions", "run: make foundation")


def _output(location: Location, name: str) -> str:
    found = _stack(location, "describe_stacks")
    outputs = found["Stacks"][0].get("Outputs", []) if found else []
    return next((each["OutputValue"] for each in outputs if each["OutputKey"] == name), "")


def _resource(location: Location, kind: str) -> str:
    found = _stack(location, "describe_stack_resources")
    resources = found["StackResources"] if found else []
    return next((each["PhysicalResourceId"] for each in resources if each["ResourceType"] == kind), "")


def _stack(location: Location, operation: str) -> dict[str, Any] | None:
    """What CloudFormation says of the tooling stack; None before the first deployment."""
    try:
        return getattr(location.client("cloudformation"), operation)(StackName=location.around.names.stack("tooling"))
    except ClientError as error:
        if "does not exist" in error.response["Error"].get("Message", ""):
            return None
        raise
