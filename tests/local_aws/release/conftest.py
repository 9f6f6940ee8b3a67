from __future__ import annotations

from pathlib import Path

import pytest

from local_aws.account import Account
from tests.local_aws.codepipeline.conftest import Delivery, delivery
from tests.local_aws.release.world import World
from tests.local_aws.sagemaker.conftest import stage
from tests.local_aws.sagemaker.stage import Stage

__all__ = ["delivery", "stage"]


@pytest.fixture
def world(account: Account, delivery: Delivery, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    for name, value in account.environment().items():  # of the CDK, which stands for the roles of `cdk bootstrap`
        monkeypatch.setenv(name, value)
    return World(delivery, stage, tmp_path)
