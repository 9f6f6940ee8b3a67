"""Which commits affect a model, read from git."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from config.naming import Names
from pipelines.stages.plan import SHARED, changed_files, why_release
from tests.pipelines.by_hand.test_snapshot import git, repository
from tests.pipelines.tables import model

__all__ = ["repository"]


class Registry:
    """A registry whose newest package is of a commit and of a retraining."""

    def __init__(self, commit: str) -> None:
        self._metadata = {"commit": commit, "revision": "v1", "retraining": "2026-03-abc"}

    def list_model_packages(self, **_: Any) -> dict[str, Any]:
        return {"ModelPackageSummaryList": [{"ModelPackageArn": "arn"}]}

    def describe_model_package(self, **_: Any) -> dict[str, Any]:
        containers = {"Containers": [{"ModelDataUrl": "s3://x"}]}
        return {
            "ModelPackageArn": "arn",
            "ModelPackageGroupName": "greenlight-parcels",
            "ModelApprovalStatus": "Approved",
            "InferenceSpecification": containers,
            "CustomerMetadataProperties": self._metadata,
        }


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


def test_a_retraining_of_the_commit_in_production_changes_nothing_for_the_next_push(repository: Path) -> None:
    trained = git(repository, "rev-parse", "HEAD")
    registry = Registry(trained)
    around = cast("Any", SimpleNamespace(root=repository, names=Names("greenlight"), client=lambda _: registry))
    (repository / "README.md").write_text("changed\n")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "-m", "Words")
    assert why_release(around, model()) is None
    (repository / "model_code/parcels").mkdir(parents=True)
    (repository / "model_code/parcels/train.py").write_text("changed\n")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "-m", "Train")
    assert why_release(around, model()) == (
        f"model_code/parcels/train.py changed since its package of commit {trained[:8]}."
    )
