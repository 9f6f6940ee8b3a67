from __future__ import annotations

import pytest

from local_aws.account import Account
from tests.local_aws.sagemaker.stage import Stage
from tests.local_aws.verifying.world import World


@pytest.fixture(scope="session")
def world(account: Account, tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(account, Stage(account), tmp_path_factory.mktemp("checkouts"))
