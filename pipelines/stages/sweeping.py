"""Models and endpoint configs that releases have replaced: their stacks let go of them, and their tags find them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from config.naming import Names


def sweep(sagemaker: Any, endpoint: str, used: Iterable[str], before: datetime) -> tuple[list[str], list[str]]:
    """Deletes the endpoint configs and models of *endpoint* that were made before a time and whose name is not *used*.

    Gives their names. What is younger belongs to an update that has begun meanwhile. *used* are names or ARNs.
    """
    kept = {_plain(name) for name in used}

    def left(owner: str) -> bool:
        return owner == endpoint

    configs = [name for name in tagged_configs(sagemaker, left, before) if _plain(name) not in kept]
    models = [name for name in tagged_models(sagemaker, left, before) if _plain(name) not in kept]
    for name in configs:
        sagemaker.delete_endpoint_config(EndpointConfigName=name)
    for name in models:
        sagemaker.delete_model(ModelName=name)
    return configs, models


def tagged_configs(sagemaker: Any, ours: Callable[[str], bool], before: datetime | None = None) -> Iterator[str]:
    """The endpoint configs whose endpoint, by their tag, is ours."""
    for page in sagemaker.get_paginator("list_endpoint_configs").paginate(**_made(before)):
        for found in page["EndpointConfigs"]:
            if _owner(sagemaker, found["EndpointConfigArn"], ours):
                yield found["EndpointConfigName"]


def tagged_models(sagemaker: Any, ours: Callable[[str], bool], before: datetime | None = None) -> Iterator[str]:
    """The models whose endpoint, by their tag, is ours."""
    for page in sagemaker.get_paginator("list_models").paginate(**_made(before)):
        for found in page["Models"]:
            if _owner(sagemaker, found["ModelArn"], ours):
                yield found["ModelName"]


def same(one: str, other: str) -> bool:
    """Whether two names or ARNs are of one resource; SageMaker writes ARNs in small letters."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return name.rsplit("/", 1)[-1].lower()


def _made(before: datetime | None) -> dict[str, datetime]:
    return {"CreationTimeBefore": before} if before else {}


def _owner(sagemaker: Any, arn: str, ours: Callable[[str], bool]) -> bool:
    try:
        tags = sagemaker.list_tags(ResourceArn=arn)["Tags"]
    except ClientError as error:
        if "ValidationException" in str(error) or "ResourceNotFound" in str(error):
            return False  # somebody has deleted it since it was listed
        raise
    return any(tag["Key"] == Names.ENDPOINT_TAG and ours(tag["Value"]) for tag in tags)
