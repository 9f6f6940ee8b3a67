"""What app.py makes of the project, or of a fork of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
# What the command line adds to the context of cdk.json, so that its templates and these are the same.
_BY_COMMAND_LINE = {"aws:cdk:enable-path-metadata": True, "aws:cdk:enable-asset-metadata": True}
Template = dict[str, Any]


def run_app(target: Path, root: Path = ROOT, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs app.py of *root* as the CDK command line does; the assembly is in *target*.

    *settings* are variables of its environment.
    """
    context = json.loads((ROOT / "cdk.json").read_text())["context"] | _BY_COMMAND_LINE
    given = {"CDK_OUTDIR": str(target), "CDK_CONTEXT_JSON": json.dumps(context), "PYTHONPATH": str(ROOT), **settings}
    environment = {name: value for name, value in os.environ.items() if name != "CDK_VALIDATION"} | given
    return subprocess.run(
        [sys.executable, str(root / "app.py")], env=environment, cwd=root, capture_output=True, text=True, check=False
    )


def synthesize(target: Path, root: Path = ROOT, **settings: str) -> Path:
    """What `run_app` makes without the template validation; gives the assembly, and fails with what app.py said."""
    done = run_app(target, root, CDK_VALIDATION="false", **settings)
    assert done.returncode == 0, done.stderr
    return target


def templates_of(assembly: Path) -> dict[str, Template]:
    return {
        file.name.removesuffix(".template.json"): json.loads(file.read_text())
        for file in assembly.glob("*.template.json")
    }


def fork(target: Path, **files: str) -> Path:
    """A copy of what synth reads, with some files (`project_yaml`, ...) replaced."""
    shutil.copy(ROOT / "app.py", target)
    shutil.copy(ROOT / "project.yaml", target)
    shutil.copytree(ROOT / "model_code", target / "model_code")
    for name, content in files.items():
        (target / name.replace("_yaml", ".yaml")).write_text(content)
    return target


def resources(template: Template, kind: str) -> dict[str, Template]:
    """The resources of a type, by logical id."""
    return {name: resource for name, resource in template["Resources"].items() if resource["Type"] == kind}


def only(template: Template, kind: str) -> Template:
    """The one resource of a type."""
    (found,) = resources(template, kind).values()
    return found
