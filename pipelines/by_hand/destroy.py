"""Deletes every stack of the project, and then what the stacks were told to retain.

On AWS this cannot be undone: models, data and logs go. Keys are scheduled for deletion, the shortest time AWS allows.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3

from pipelines.by_hand.plainly import plainly
from pipelines.stages.surroundings import Surroundings
from pipelines.stages.sweeping import tagged_configs, tagged_models

Client = Callable[[str], Any]


@dataclass(frozen=True)
class Kind:
    """How a kind of resource is emptied, so that it can be deleted, and how it is deleted if a stack retained it."""

    empty: Callable[[Client, str], object] | None
    delete: Callable[[Client, str], object]


def main() -> None:
    around = Surroundings()
    name = around.project.name
    if sys.argv[1:] != [name]:
        sys.exit(f"This deletes every stack, model and record of {name}. To go on: make destroy CONFIRM={name}")
    client = boto3.client
    stacks = deployed_stacks(client("cloudformation"), name)
    resources = [resource for stack in stacks for resource in kept_resources(client("cloudformation"), stack)]
    for kind, identifier in resources:
        if empty := KINDS[kind].empty:
            print(f"Emptying {identifier} ...", flush=True)
            unless_gone(empty, client, identifier)
    if stacks:
        subprocess.run(["cdk", "destroy", "--app", "cdk.out", "--all", "--force", "--progress", "events"], check=True)
    for kind, identifier in resources:
        unless_gone(KINDS[kind].delete, client, identifier)
    _delete_earlier_versions(client("sagemaker"), name)
    left = deployed_stacks(client("cloudformation"), name)
    if left:
        sys.exit(f"These stacks are still there: {', '.join(left)}; read their events, then say it again.")
    print(f"{name} is gone: {len(stacks)} stacks, and everything that they kept.")


def deployed_stacks(cloudformation: Any, project: str) -> list[str]:
    """The names of the project's stacks."""
    pages = cloudformation.get_paginator("describe_stacks").paginate()
    names = [stack["StackName"] for page in pages for stack in page["Stacks"]]
    return [name for name in names if name.startswith(f"{project}-")]


def kept_resources(cloudformation: Any, stack: str) -> list[tuple[str, str]]:
    """Kind and identifier of each resource of a stack that holds something or may be retained."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    found = [resource for page in pages for resource in page["StackResourceSummaries"]]
    return [
        (resource["ResourceType"], resource["PhysicalResourceId"])
        for resource in found
        if resource["ResourceType"] in KINDS and resource.get("PhysicalResourceId")
    ]


def _delete_earlier_versions(sagemaker: Any, project: str) -> None:
    """Deletes the models and endpoint configs that releases have replaced; their stacks let go of them then."""

    def ours(endpoint: str) -> bool:
        return endpoint.startswith(f"{project}-")

    for config in list(tagged_configs(sagemaker, ours)):
        sagemaker.delete_endpoint_config(EndpointConfigName=config)
    for model in list(tagged_models(sagemaker, ours)):
        sagemaker.delete_model(ModelName=model)


def unless_gone(work: Callable[[Client, str], object], client: Client, identifier: str) -> None:
    """Does this to a resource that may not be there any more."""
    try:
        work(client, identifier)
    except boto3.client("sts").exceptions.ClientError as error:
        code, text = error.response["Error"]["Code"], str(error)
        if not any(word in f"{code} {text}" for word in ("NotFound", "NoSuch", "does not exist", "pending deletion")):
            raise


def _empty_bucket(client: Client, bucket: str) -> None:
    s3 = client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = page.get("Versions", []) + page.get("DeleteMarkers", [])
        objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
        if objects:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})


def _empty_repository(client: Client, repository: str) -> None:
    ecr = client("ecr")
    for page in ecr.get_paginator("list_images").paginate(repositoryName=repository):
        if page["imageIds"]:
            ecr.batch_delete_image(repositoryName=repository, imageIds=page["imageIds"])


def _empty_group(client: Client, group: str) -> None:
    sagemaker = client("sagemaker")
    name = group.rsplit("/", 1)[-1]
    for page in sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=name):
        for package in page["ModelPackageSummaryList"]:
            sagemaker.delete_model_package(ModelPackageName=package["ModelPackageArn"])


KINDS = {
    "AWS::S3::Bucket": Kind(
        _empty_bucket, lambda client, bucket: (_empty_bucket(client, bucket), client("s3").delete_bucket(Bucket=bucket))
    ),
    "AWS::ECR::Repository": Kind(
        _empty_repository, lambda client, name: client("ecr").delete_repository(repositoryName=name, force=True)
    ),
    "AWS::SageMaker::ModelPackageGroup": Kind(
        _empty_group,
        lambda client, group: client("sagemaker").delete_model_package_group(
            ModelPackageGroupName=group.rsplit("/", 1)[-1]
        ),
    ),
    "AWS::KMS::Key": Kind(
        None, lambda client, key: client("kms").schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    ),
    "AWS::Logs::LogGroup": Kind(None, lambda client, group: client("logs").delete_log_group(logGroupName=group)),
}


if __name__ == "__main__":
    with plainly():
        main()
