"""One local AWS account for all tests of this process: MiniStack keeps its state in its modules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.account import Account
from local_aws.settings import Settings

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with Account(Settings(home=tmp_path_factory.mktemp("account"), checkout=CHECKOUT, port=0)) as account:
        yield account
