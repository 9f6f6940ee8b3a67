"""A person in the wrong shell reads a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NOBODY = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


def run(program: str, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", f"pipelines.by_hand.{program}", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **NOBODY, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("program", "arguments"),
    [("bootstrap", ()), ("push", ()), ("upload", ("employment",)), ("destroy", ("greenlight",))],
)
def test_without_a_region_or_credentials_the_program_says_so(program: str, arguments: tuple[str, ...]) -> None:
    assert "No region is set" in run(program, *arguments, HOME="/nonexistent")
    said = run(program, *arguments, HOME="/nonexistent", AWS_DEFAULT_REGION="eu-west-1")
    assert "Unable to locate credentials" in said


def test_destroying_needs_the_projects_name() -> None:
    assert "To go on: make destroy CONFIRM=greenlight" in run("destroy", "something")


def test_an_unknown_model_is_told_from_the_known_ones() -> None:
    known = ", ".join(sorted(file.parent.name for file in (ROOT / "model_code").glob("*/model.yaml")))
    assert f"there is no such folder in model_code; there are: {known}" in run("upload", "nope")


def test_a_folder_that_is_not_there_is_named() -> None:
    assert "FROM is 'nowhere': no such folder" in run("upload", "employment", "nowhere")
