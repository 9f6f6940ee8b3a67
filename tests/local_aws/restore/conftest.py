"""The stacks as they are synthesized, once for all tests of a restore."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stacks.conftest import synthesize


@pytest.fixture(scope="package")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesize(tmp_path_factory.mktemp("restore"))
