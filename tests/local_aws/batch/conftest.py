from __future__ import annotations

from pathlib import Path

import pytest

from local_aws.account import Account
from tests.local_aws.batch.world import Packages, World
from tests.local_aws.sagemaker.stage import Stage


@pytest.fixture(scope="session")
def stage(account: Account) -> Stage:
    return Stage(account)


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    return Packages(tmp_path_factory.mktemp("packages"))


@pytest.fixture
def world(account: Account, stage: Stage, packages: Packages, tmp_path: Path) -> World:
    """A model that serves by a package whose training never saw a blue parcel."""
    return World(account, stage, packages, tmp_path)
