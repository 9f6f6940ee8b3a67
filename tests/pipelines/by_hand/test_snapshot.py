"""What a push delivers is what is in the folder, history and uncommitted changes included."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

from pipelines.by_hand.snapshot import snapshot, write_zip


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Someone", "-c", "user.email=someone@example.com"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    (root / ".gitignore").write_text("secret\n")
    (root / "model.yaml").write_text("one\n")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "First")
    return root


def unpacked(root: Path, commit: str, target: Path) -> Path:
    write_zip(root, commit, target.with_suffix(".zip"))
    with zipfile.ZipFile(target.with_suffix(".zip")) as archive:
        archive.extractall(target)
    return target


def test_a_clean_tree_is_delivered_as_its_commit(repository: Path, tmp_path: Path) -> None:
    taken = snapshot(repository)
    assert taken.commit == git(repository, "rev-parse", "HEAD")
    assert not taken.uncommitted
    folder = unpacked(repository, taken.commit, tmp_path / "out")
    assert git(folder, "rev-parse", "HEAD") == taken.commit
    assert git(folder, "status", "--porcelain") == ""


def test_uncommitted_changes_are_delivered_and_no_branch_moves(repository: Path, tmp_path: Path) -> None:
    head = git(repository, "rev-parse", "HEAD")
    (repository / "model.yaml").write_text("two\n")
    (repository / "train.py").write_text("new\n")
    (repository / "secret").write_text("ignored\n")
    taken = snapshot(repository)
    assert taken.uncommitted
    assert taken == snapshot(repository), "the same changes make the same commit"
    folder = unpacked(repository, taken.commit, tmp_path / "out")
    assert (folder / "model.yaml").read_text() == "two\n"
    assert (folder / "train.py").exists()
    assert not (folder / "secret").exists()
    assert git(folder, "rev-parse", "HEAD~1") == head == git(repository, "rev-parse", "HEAD")
    assert "train.py" in git(repository, "status", "--porcelain"), "what was uncommitted stays so"


def test_a_shallow_clone_is_delivered_with_the_history_that_it_has(repository: Path, tmp_path: Path) -> None:
    (repository / "second").write_text("two\n")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "-m", "Second")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", repository.as_uri(), str(shallow))
    taken = snapshot(shallow)
    folder = unpacked(shallow, taken.commit, tmp_path / "out")
    assert git(folder, "log", "--format=%s") == "Second"
    assert git(folder, "status", "--porcelain") == ""


def test_a_folder_without_history_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="run: git init"):
        snapshot(tmp_path)
