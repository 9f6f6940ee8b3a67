"""One local AWS account for all tests of this process: MiniStack keeps its state in its modules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from local_aws.account import Account
from local_aws.settings import Settings

CHECKOUT = Path(__file__).parents[2]
STARTED: list[Account] = []
"""One at the most; none where no test of the run asks for it."""


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with Account(Settings(home=tmp_path_factory.mktemp("account"), checkout=CHECKOUT, port=0)) as account:
        STARTED.append(account)
        yield account


@pytest.fixture(autouse=True, scope="module")
def _endpoints_end_with_their_module() -> Iterator[None]:
    """Else more than a hundred servers would wait beside later tests; those of stacks are their stacks' own."""
    yield
    for sagemaker in [account.client("sagemaker") for account in STARTED]:
        pages = sagemaker.get_paginator("list_endpoints").paginate()
        for name in [each["EndpointName"] for page in pages for each in page["Endpoints"]]:
            if not name.startswith("greenlight-"):
                with suppress(ClientError):  # one that is on its way to another status
                    sagemaker.delete_endpoint(EndpointName=name)
