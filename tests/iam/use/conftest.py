"""The calls that the roles of the shipped project need."""

from __future__ import annotations

import pytest

from tests.iam.account import Account
from tests.iam.use.judging import Calls
from tests.iam.use.page import needed


@pytest.fixture(scope="session")
def calls(account: Account) -> Calls:
    return needed(account)
