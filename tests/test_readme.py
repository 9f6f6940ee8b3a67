"""What the documents tell people to type exists, and what they point at is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "data/SOURCES.md"]
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
LOCAL_RUN = "tests/local_aws/test_local_run.py"
BY_HAND = "tests/local_aws/rollback/test_by_hand.py"
EXERCISED = {
    "bench-monitoring": "by hand: a quarter of an hour beside peers of 4 GB",
    "bench-watch": "by hand: four minutes on a quiet machine",
    "bench-serving": "by hand: ten minutes beside peers of 1.5 GB",
    "bootstrap": LOCAL_RUN,
    "chaos": "by hand: six minutes on a quiet machine",
    "check": ".ci/run",
    "data": LOCAL_RUN,
    "deploy-stacks": LOCAL_RUN,
    "delivery": LOCAL_RUN,
    "destroy": LOCAL_RUN,
    "doctor": "tests/pipelines/by_hand/test_doctor.py",
    "foundation": LOCAL_RUN,
    "fuzz": "by hand: long; a seeded part of it is tests/model_server/fuzzing",
    "local": LOCAL_RUN,
    "local-env": LOCAL_RUN,
    "parity": "by hand: it installs 730 MB of its own",
    "permissions": "by hand: long; tests/iam/use judges by what it has recorded",
    "push": LOCAL_RUN,
    "releases": BY_HAND,
    "restore": "tests/local_aws/restore/test_restore.py",
    "rollback": BY_HAND,
    "stage": LOCAL_RUN,
    "synth": LOCAL_RUN,
    "teardown": "tests/local_aws/planning/test_teardown.py",
    "test": ".ci/run",
}
"""Where each word that a document tells people to type is run."""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_make_word_in_a_document_exists_and_is_run_somewhere(document: Path) -> None:
    for word in re.findall(r"(?:^ *|[`(])make ([a-z][a-z-]*)", document.read_text(), re.MULTILINE):
        assert word in TARGETS, f"{document.name} says make {word}"
        assert word in EXERCISED, f"make {word} is run by no test"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_and_paths_in_a_document_lead_somewhere(document: Path) -> None:
    text = document.read_text()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (document.parent / target).exists(), f"{document.name} links to {target}"
    rooms = "config|stacks|pipelines|model_code|model_server|monitoring|local_aws|data|docs"
    for path in re.findall(rf"`((?:{rooms})/[^`*<]*)`", text):
        assert (ROOT / path).exists(), f"{document.name} names {path}"


def test_the_readme_is_short_and_shows_a_command_early() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) <= 120
    assert any(line.startswith("make ") for line in lines[:35])
