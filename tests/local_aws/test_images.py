"""Images are found where they were pushed, and nowhere else."""

from __future__ import annotations

import pytest

from local_aws.account import Account
from local_aws.errors import AwsError
from tests.local_aws.delivery import unique


@pytest.mark.parametrize("suffix", ["", ":v1", "@sha256:" + 64 * "0"])
def test_an_image_that_was_never_pushed_is_named_with_those_that_were(account: Account, suffix: str) -> None:
    uri = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{unique('never')}{suffix}"
    with pytest.raises(AwsError) as refused:
        account.images.find(uri)
    assert refused.value.code == "ImageNotFoundException"
    assert refused.value.message.startswith(f"The image {uri} was never pushed to the local AWS, which has: ")
    assert "Build and push it in a build here first" in refused.value.message


def test_an_image_whose_files_are_not_here_is_not_found(account: Account) -> None:
    ecr = account.client("ecr")
    name = unique("repository")
    uri = ecr.create_repository(repositoryName=name)["repository"]["repositoryUri"]
    ecr.put_image(repositoryName=name, imageManifest="{}", imageTag="v1")
    with pytest.raises(AwsError, match=f"was never pushed to the local AWS, which has: .*{uri}:v1"):
        account.images.find(f"{uri}:v1")
