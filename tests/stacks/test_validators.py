"""Two validators that know AWS's schemas find no error in what we deploy."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cloudformation_validate import Engine, RegoEngine, Severity

from tests.synthesis import Template


@pytest.fixture(scope="module")
def engine() -> Engine:
    return RegoEngine()


def test_cloudformation_validate_finds_no_error(engine: Engine, assembly: Path) -> None:
    for file in sorted(assembly.glob("*.template.json")):
        report = engine.validate_template(str(file))
        errors = [finding for finding in report.diagnostics if finding.severity in (Severity.ERROR, Severity.FATAL)]
        assert not errors, (file.name, errors)


def test_cloudformation_validate_would_find_one(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "wrong.json"
    file.write_text('{"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotaton": true}}}}')
    assert engine.validate_template(str(file)).diagnostics


@pytest.mark.slow
def test_cfn_lint_finds_no_error(assembly: Path, templates: dict[str, Template]) -> None:
    assert templates
    files = [str(file) for file in sorted(assembly.glob("*.template.json"))]
    done = subprocess.run(
        ["cfn-lint", "--format", "parseable", "--non-zero-exit-code", "error", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
