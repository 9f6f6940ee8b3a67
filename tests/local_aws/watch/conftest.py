from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.account import Account
from tests.local_aws.sagemaker.stage import Stage
from tests.local_aws.watch.world import World


@pytest.fixture(scope="session")
def stage(account: Account) -> Stage:
    return Stage(account)


@pytest.fixture(autouse=True)
def _calendar(account: Account) -> Iterator[None]:
    yield
    account.calendar.set(None)


@pytest.fixture
def world(account: Account, stage: Stage, tmp_path: Path) -> World:
    return World(account, stage, tmp_path)


@pytest.fixture
def other(account: Account, stage: Stage, tmp_path: Path) -> World:
    """A team of its own beside that of `world`."""
    return World(account, stage, tmp_path / "other")
