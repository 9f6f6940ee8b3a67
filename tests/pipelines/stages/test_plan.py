"""Which commits affect a model, read from git."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.stages.plan import SHARED, changed_files
from tests.pipelines.by_hand.test_snapshot import git, repository

__all__ = ["repository"]


@pytest.mark.parametrize(
    ("file", "affects"),
    [
        ("model_code/one/train.py", True),
        ("model_server/routes.py", True),
        ("uv.lock", True),
        ("model_code/two/train.py", False),
        ("README.md", False),
        ("stacks/serving.py", False),
    ],
)
def test_a_commit_affects_a_model_through_its_folder_or_what_is_shared(
    repository: Path, file: str, affects: bool
) -> None:
    before = git(repository, "rev-parse", "HEAD")
    target = repository / file
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("changed\n")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "-m", "Change")
    assert bool(changed_files(repository, before, ("model_code/one", *SHARED))) is affects


@pytest.mark.parametrize("since", ["", "0" * 40])
def test_an_unknown_commit_is_told_from_no_change(repository: Path, since: str) -> None:
    assert changed_files(repository, since, SHARED) is None
