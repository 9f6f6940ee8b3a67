"""The house keeps its walls: imports point one way, and only a model's own folder names it."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("config", "stacks", "model_code", "model_server", "monitoring", "pipelines", "local_aws")

ALLOWED = {
    "config": {"config"},
    "stacks": {"stacks", "config", "pipelines.definition"},
    "pipelines.definition": {"config"},
    "pipelines": {"pipelines", "config", "model_server", "monitoring"},
    "model_server": {"model_server"},
    "monitoring": {"monitoring"},
    "model_code": set(),
    "local_aws": {"local_aws", "config", "pipelines", "model_server", "monitoring"},
}
"""What each room may import of ours; the longest name that fits decides."""


def modules() -> Iterator[tuple[str, Path]]:
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            yield ".".join(file.relative_to(ROOT).with_suffix("").parts), file


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{file}: imports are absolute"
            yield node.module


def rule_for(module: str) -> set[str]:
    return ALLOWED[max((name for name in ALLOWED if f"{module}.".startswith(f"{name}.")), key=len)]


@pytest.mark.parametrize(("module", "file"), list(modules()), ids=lambda value: value if isinstance(value, str) else "")
def test_imports_point_one_way(module: str, file: Path) -> None:
    allowed = rule_for(module)
    for imported in imports(file):
        if imported.split(".")[0] in ROOMS:
            assert any(f"{imported}.".startswith(f"{name}.") for name in allowed), f"{module} imports {imported}"


def tracked() -> list[str]:
    command = ["git", "ls-files", "-co", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return listing.stdout.decode().splitlines()


def test_only_its_own_folder_names_a_model() -> None:
    names = [folder.parent.name for folder in (ROOT / "model_code").glob("*/model.yaml")]
    rooms = tuple(f"{room}/" for room in ROOMS if room != "model_code")
    for path in tracked():
        if path.endswith(".py") and (path.startswith(rooms) or path == "app.py"):
            text = (ROOT / path).read_text()
            assert not any(name in text for name in names), f"{path} names a model"


def test_no_file_is_a_drawer() -> None:
    names = {Path(path).name for path in tracked()}
    assert not names & {"utils.py", "helpers.py", "constants.py", "common.py", "misc.py"}


def test_files_stay_small_enough_to_read() -> None:
    lengths = {
        path: sum(bool(line.strip()) for line in (ROOT / path).read_text().splitlines())
        for path in tracked()
        if path.endswith(".py") and path.startswith(tuple(f"{room}/" for room in ROOMS))
    }
    too_long = {path: length for path, length in lengths.items() if length > 250}
    assert not too_long
