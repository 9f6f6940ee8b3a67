"""Buildspecs are read as CodeBuild reads them, and refused with a sentence."""

from __future__ import annotations

import pytest

from local_aws.codebuild.buildspec import ArtifactFiles, Phase, parse
from local_aws.errors import AwsError

FULL = """
version: 0.2
env:
  shell: bash
  variables: {VERSION: 1.10}
  parameter-store: {TOKEN: /demo/token}
  secrets-manager: {PASSWORD: "demo:password"}
  exported-variables: [VERSION]
phases:
  install:
    runtime-versions: {python: 3.12}
    commands: [make setup]
  build:
    on-failure: ABORT
    commands:
      - make test
      - |
        echo one
        echo two
    finally: [make report]
artifacts:
  files: ["**/*"]
  base-directory: out
  exclude-paths: ["**/*.tmp"]
  discard-paths: yes
  enable-symlinks: yes
  secondary-artifacts:
    plan: {files: [plan.json], name: plan-$(date)}
"""


def test_a_full_buildspec_is_read() -> None:
    spec = parse(FULL)
    assert spec.shell == "bash"
    assert spec.variables == {"VERSION": "1.10"}
    assert (spec.parameters, spec.secrets) == ({"TOKEN": "/demo/token"}, {"PASSWORD": "demo:password"})
    assert spec.exported == ("VERSION",)
    assert spec.phases["install"] == Phase("install", ("make setup",))
    assert spec.phases["build"] == Phase("build", ("make test", "echo one\necho two\n"), ("make report",), "ABORT")
    assert spec.artifacts == ArtifactFiles(("**/*",), "", "out", ("**/*.tmp",), True, True)
    assert spec.secondary_artifacts["plan"].name == "plan-$(date)"


def test_json_is_yaml() -> None:
    assert parse('{"version": "0.2", "phases": {"build": {"commands": ["true"]}}}').phases["build"].commands == (
        "true",
    )


def test_what_is_not_rehearsed_is_named() -> None:
    spec = parse("version: 0.2\nreports: {unit: {files: [x]}}\nphases: {build: {commands: [make]}}")
    assert spec.not_rehearsed == ("reports",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version: 0.2\nphases: {prebuild: {commands: [x]}}", "Invalid buildspec phase name: PREBUILD. Expecting: "),
        ("version: 0.2\n", "The buildspec has no phases"),
        ("phases: {build: {commands: [x]}}", "The buildspec's version is None; it must be 0.2."),
        ("version: 0.2\nphase: {}\nphases: {build: {}}", "The buildspec has unknown keys: phase. It may have: "),
        ("version: 0.2\nphases: {build: {commands: make}}", "phases/build/commands must be a list, and is str."),
        ("version: 0.2\nphases: {build: {commands: [echo a: b]}}", "needs quotes"),
        ("version: 0.2\nphases: {build: {on-failure: STOP}}", "phases/build/on-failure is 'STOP'; it must be one of"),
        ("version: 0.2\nphases: {build: {on-failure: RETRY-2}}", "RETRY-2 is not rehearsed on the local AWS"),
        ("version: 0.2\nphases: [", "while parsing"),
        ("version: 0.2\nenv: {exported-variables: [A-B]}\nphases: {build: {}}", "A-B cannot be a variable"),
        ("version: 0.2\nphases: {build: {}}\nartifacts: {secondary-artifacts: {a: {}}}", "a names no files"),
        ("- a list", "The buildspec must be a mapping, and is list."),
    ],
)
def test_a_malformed_buildspec_is_refused_with_a_sentence(text: str, said: str) -> None:
    with pytest.raises(AwsError) as refused:
        parse(text)
    assert refused.value.code == "YAML_FILE_ERROR"
    assert said in refused.value.message
