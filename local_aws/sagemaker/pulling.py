"""Pulling an image from ECR as SageMaker does: under the role, so that its permissions decide."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from local_aws.sagemaker import roles

if TYPE_CHECKING:
    from local_aws.account import Account
    from local_aws.images import Image

REPOSITORY = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/"
    r"(?P<name>[^:@]+)(?:@(?P<digest>sha256:[0-9a-f]+)|:(?P<tag>.+))?"
)


class PullError(Exception):
    """The role may not pull the image, or there is none."""


def pull(account: Account, uri: str, role: str) -> Image:
    """The folder that stands for an image. Raises PullError with ECR's refusal, AwsError when it was never pushed."""
    parts = REPOSITORY.fullmatch(uri)
    if parts and parts["account"] == account.settings.account:
        _ask_registry(account, parts, role)
    return account.images.find(uri)


def _ask_registry(account: Account, parts: re.Match[str], role: str) -> None:
    ecr = roles.client(account, "ecr", role)
    image = {"imageDigest": parts["digest"]} if parts["digest"] else {"imageTag": parts["tag"] or "latest"}
    try:
        ecr.get_authorization_token()
        answer = ecr.batch_get_image(repositoryName=parts["name"], imageIds=[image])
        if answer["failures"]:
            raise PullError(f"{answer['failures'][0]['failureReason']}: {parts.string}")
        digest = answer["images"][0]["imageId"]["imageDigest"]
        ecr.get_download_url_for_layer(repositoryName=parts["name"], layerDigest=digest)
    except ClientError as error:
        raise PullError(error.response["Error"]["Message"]) from error
