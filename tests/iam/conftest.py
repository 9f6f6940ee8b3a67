"""The roles and policies of the shipped project, synthesized once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.iam.account import Account
from tests.synthesis import ROOT, fork, synthesize


@pytest.fixture(scope="session")
def account(assembly: Path) -> Account:
    return Account(assembly)


@pytest.fixture(scope="session")
def separate(tmp_path_factory: pytest.TempPathFactory) -> Account:
    """Tools, staging and production in three accounts."""
    text = (ROOT / "project.yaml").read_text()
    for number, place in enumerate(("tooling", "staging", "production"), start=1):
        text = text.replace(f"{place}:\n", f"{place}:\n  account: '{str(number) * 12}'\n  region: eu-west-1\n", 1)
    folder = tmp_path_factory.mktemp("separate")
    return Account(synthesize(folder / "out", fork(folder, project_yaml=text)))
