"""Which commits change what a package is trained from, read from real git repositories."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.stages.affecting import JOBS, NOT_TRAINED, ROOTS, GitHistory, _is_below
from tests.pipelines.by_hand.test_snapshot import git

ROOT = Path(__file__).parents[3]
LOADED = """
import importlib, json, sys
from pathlib import Path
for name in sys.argv[1:]:
    importlib.import_module(name)
files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
print(json.dumps([file for file in files if file]))
"""
FILES = {
    "model_code/one/train.py": "",
    "model_code/two/train.py": "",
    "model_server/routes.py": "",
    "monitoring/counting.py": "",
    "monitoring/page.py": "",
    "pipelines/steps/train.py": "from monitoring import counting\nimport pipelines.rows.reading\n",
    "pipelines/rows/reading.py": "from model_server import routes\n",
    "pipelines/watch/job.py": "",
    "pipelines/definition.py": "",
    "stacks/serving.py": "",
}


def commit(root: Path) -> str:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "-m", "Change")
    return git(root, "rev-parse", "HEAD")


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def with_version(package: str, version: str) -> str:
    """The real lock file with another version of a package, whose files are named after it."""
    blocks = (ROOT / "uv.lock").read_text().split("[[package]]")
    for place, block in enumerate(blocks):
        if block.startswith(f'\nname = "{package}"\nversion = "'):
            blocks[place] = block.replace(block.split('"')[3], version)
            return "[[package]]".join(blocks)
    raise AssertionError(f"{package} is not locked")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    for name, text in FILES.items():
        write(tmp_path, name, text)
    for name in ("pyproject.toml", "uv.lock"):
        write(tmp_path, name, (ROOT / name).read_text())
    commit(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "affects"),
    [
        ("model_code/one/train.py", True),
        ("model_code/one/new.py", True),
        ("pipelines/steps/train.py", True),
        ("pipelines/rows/reading.py", True),
        ("pipelines/definition.py", True),
        ("monitoring/counting.py", True),
        ("monitoring/page.py", False),
        ("pipelines/watch/job.py", False),
        ("model_code/two/train.py", False),
        ("model_server/routes.py", False),
        ("stacks/serving.py", False),
        ("README.md", False),
    ],
)
def test_a_model_is_trained_again_where_its_folder_or_what_trains_has_changed(
    repository: Path, file: str, affects: bool
) -> None:
    before = git(repository, "rev-parse", "HEAD")
    write(repository, file, f"{FILES.get(file, '')}# changed\n")
    commit(repository)
    said = GitHistory(repository).retraining("one", before)
    assert said == (f"{file} changed since its package of commit {before[:8]}." if affects else None)


def test_what_was_changed_and_changed_back_is_as_it_was(repository: Path) -> None:
    before = git(repository, "rev-parse", "HEAD")
    write(repository, "model_code/one/train.py", "other")
    commit(repository)
    write(repository, "model_code/one/train.py", "")
    commit(repository)
    assert GitHistory(repository).retraining("one", before) is None


def test_a_file_that_moves_out_of_the_folder_changes_it(repository: Path) -> None:
    write(repository, "model_code/one/big.py", "content\n" * 99)
    before = commit(repository)
    git(repository, "mv", "model_code/one/big.py", "docs.py")
    commit(repository)
    assert "model_code/one/big.py changed" in str(GitHistory(repository).retraining("one", before))


@pytest.mark.parametrize(("package", "affects"), [("skl2onnx", True), ("xgboost-cpu", True), ("pytest", False)])
def test_of_the_lock_file_only_the_packages_that_train_count(repository: Path, package: str, affects: bool) -> None:
    before = git(repository, "rev-parse", "HEAD")
    (repository / "uv.lock").write_text(with_version(package, "0.0.1"))
    commit(repository)
    said = GitHistory(repository).retraining("one", before)
    expected = f"the packages of the group {JOBS} in uv.lock changed since its package of commit {before[:8]}."
    assert said == (expected if affects else None)


@pytest.mark.parametrize("since", ["", "none", "0" * 40, "--output=x"])
def test_a_commit_that_the_history_does_not_hold_trains(repository: Path, since: str) -> None:
    said = GitHistory(repository).retraining("one", since)
    assert said == (f"Its package was trained at commit {since[:8] or 'unknown'}, which this history does not hold.")


def test_everything_that_the_jobs_import_counts_or_is_named_with_a_reason() -> None:
    """Held against what Python really loads, so that the reading of imports cannot miss any."""
    modules = [place.removesuffix(".py").replace("/", ".") for place in ROOTS]
    steps = sorted(file.stem for file in (ROOT / ROOTS[0]).glob("[a-z]*.py"))
    modules = [modules[1], *(f"{modules[0]}.{step}" for step in steps)]
    command = [sys.executable, "-c", LOADED, *modules]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    places = [Path(file) for file in json.loads(done.stdout)]
    rooms = ("config", "monitoring", "model_server", "pipelines", "model_code")
    loaded = {
        place.relative_to(ROOT).as_posix()
        for place in places
        if place.is_relative_to(ROOT) and place.relative_to(ROOT).parts[0] in rooms
    }
    assert len(loaded) > 20
    assert not [name for name in loaded - GitHistory(ROOT).training if not _is_below(name, NOT_TRAINED)]
    assert all(any(_is_below(name, (place,)) for name in loaded) for place in NOT_TRAINED), "one is imported no more"


def test_what_is_known_to_shape_a_package_counts() -> None:
    training = GitHistory(ROOT).training
    assert {"config/model.py", "monitoring/baseline.py", "pipelines/container.py", "pipelines/definition.py"} < training
    assert not any(name.startswith(("stacks/", "pipelines/stages/", "pipelines/watch/")) for name in training)
