from __future__ import annotations

from pathlib import Path

import pytest

from tests.monitoring.runs import Workplace


@pytest.fixture
def workplace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Workplace:
    """A folder of its own for commands."""
    return Workplace(tmp_path, capsys)
