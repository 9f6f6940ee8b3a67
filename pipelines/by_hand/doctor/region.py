"""Whether the region has what the project uses, from the data of botocore: no call to AWS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import botocore.session
from botocore.model import StringShape

from config.project import CodeCommit, CodeConnections
from pipelines.by_hand.doctor.needs import instance_types
from pipelines.by_hand.doctor.places import Location
from pipelines.by_hand.doctor.saying import Check, Said, failed, not_checked, ok, warning

EVERYWHERE = (
    *("application-autoscaling", "cloudformation", "cloudwatch", "ecr", "events", "kms", "logs"),
    *("s3", "sagemaker", "sagemaker-runtime", "scheduler", "service-quotas", "sns", "ssm", "stepfunctions"),
)
TOOLING = ("codebuild", "codepipeline")
ENUMS = {
    "endpoint": "ProductionVariantInstanceType",
    "training job": "TrainingInstanceType",
    "processing job": "ProcessingInstanceType",
    "transform job": "TransformInstanceType",
}
"""SageMaker's own lists of instance types, by what they are for."""


def services(location: Location) -> Iterator[Said]:
    """Services of the region."""
    session = botocore.session.get_session()
    partition = _partition(session, location.region)
    if not partition:
        yield failed(
            f"{location.region} is no region that AWS's SDK knows", "write another region, or export AWS_REGION"
        )
        return
    used = [*EVERYWHERE, *(_tooling(location) if "tooling" in location.holds else ())]
    missing = [name for name in used if location.region not in session.get_available_regions(name, partition)]
    if missing:
        yield warning(
            f"{location.region} has no {', '.join(missing)}, as far as the installed SDK knows",
            "look at https://builder.aws.com/build/capabilities, and take another region where that is so",
        )
    else:
        yield ok(f"{location.region} has the {len(used)} services that are used")


def instances(location: Location) -> Iterator[Said]:
    """Instance types that SageMaker knows."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    used = instance_types(location.around.project, location.around.models, location.holds)
    unknown = [
        f"{name} for a {kind}"
        for kind, names in used.items()
        for name in sorted(names)
        if name not in cast("StringShape", model.shape_for(ENUMS[kind])).enum
    ]
    if unknown:
        yield warning(
            f"SageMaker's API lists no {', '.join(unknown)}, as far as the installed SDK knows",
            "correct `instance` in model.yaml or project.yaml",
        )
    elif used:
        yield ok(f"SageMaker's API lists the instance types: {', '.join(sorted(set().union(*used.values())))}")


def base_image(location: Location) -> Iterator[Said]:
    """The images' base."""
    if "tooling" in location.chosen:
        yield not_checked(
            "the registry of the images' base",
            "only a build in CodeBuild can tell whether it reaches Docker Hub.",
            "where it may not, mirror the base into Amazon ECR and name it in model_server/Dockerfile (ARG PYTHON)",
        )


CHECKS: Sequence[Check[Location]] = (services, instances, base_image)


def _tooling(location: Location) -> Sequence[str]:
    match location.around.project.source:
        case CodeConnections():
            return (*TOOLING, "codestar-connections")  # the SDK lists its regions under the old name only
        case CodeCommit():
            return (*TOOLING, "codecommit")
    return TOOLING


def _partition(session: botocore.session.Session, region: str) -> str:
    """The partition that has the region: even one without SageMaker has S3."""
    partitions = session.get_available_partitions()
    return next((each for each in partitions if region in session.get_available_regions("s3", each)), "")
