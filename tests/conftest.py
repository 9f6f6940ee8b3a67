"""Tests find the tools that `make setup` has installed, and no AWS account but the local one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.synthesis import Template, synthesize, templates_of

_TOOLS = Path(sys.executable).parent
os.environ["PATH"] = os.pathsep.join((str(_TOOLS), str(_TOOLS.parents[1] / "node_modules/.bin"), os.environ["PATH"]))
# OpenMP's threads spin while they wait, which costs most where tests share few cores.
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
for name in [name for name in os.environ if name.startswith("AWS_") and name != "AWS_CA_BUNDLE"]:
    del os.environ[name]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--assembly", type=Path, help="what `make synth` has just made of the shipped project; else made")


@pytest.fixture(scope="session")
def assembly(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped project as it is synthesized, once for all tests, which do not change it."""
    return request.config.getoption("assembly") or synthesize(tmp_path_factory.mktemp("assembly"))


@pytest.fixture(scope="session")
def templates(assembly: Path) -> dict[str, Template]:
    return templates_of(assembly)
