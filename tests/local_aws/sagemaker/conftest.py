from __future__ import annotations

import pytest

from local_aws.account import Account
from tests.local_aws.sagemaker.stage import Stage


@pytest.fixture(scope="session")
def stage(account: Account) -> Stage:
    return Stage(account)
