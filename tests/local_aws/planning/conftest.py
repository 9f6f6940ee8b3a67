from __future__ import annotations

from pathlib import Path

import pytest

from local_aws.account import Account
from tests.local_aws.planning.world import World
from tests.local_aws.sagemaker.conftest import stage
from tests.local_aws.sagemaker.stage import Stage

__all__ = ["stage"]


@pytest.fixture
def world(account: Account, stage: Stage, tmp_path: Path) -> World:
    return World(account, stage, tmp_path)
