"""An image's bill of materials (SBOM): its Python packages, in CycloneDX, from the lock file that it installs from."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from packaging.markers import Marker

GROUPS = {"serving": "serving", "serving-native": "serving-native", "job": "jobs"}
"""The dependency group that the Dockerfile installs, by target."""

_LINUX = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "sys_platform": "linux",
}
"""Where images run, as the conditions of a lock file (PEP 508) call it."""


def bill_of_materials(root: Path, target: str, version: str, digest: str) -> bytes:
    """The SBOM of a target's image, the same bytes for the same image; *version* names the image's content."""
    command = ["uv", "export", "--quiet", "--offline", "--frozen", "--format", "cyclonedx1.5"]
    exported = subprocess.run(
        [*command, "--only-group", GROUPS[target]], cwd=root, check=True, capture_output=True
    ).stdout
    return render(json.loads(exported), target, version, digest, python_of(root / "model_server/Dockerfile"))


def python_of(dockerfile: Path) -> str:
    """The version of Python that the images have, such as 3.12."""
    found = re.search(r"^ARG PYTHON=python:(\d+\.\d+)", dockerfile.read_text(), re.MULTILINE)
    if not found:
        raise ValueError(
            f"{dockerfile} has no line such as `ARG PYTHON=python:3.12-slim`, which says the image's Python"
        )
    return found[1]


def render(exported: dict[str, Any], target: str, version: str, digest: str, python: str) -> bytes:
    """What uv exports, about the image instead of the repository, and without what another export would not repeat."""
    about = exported["metadata"]
    del about["timestamp"], exported["serialNumber"]
    project = about["component"]
    about["component"] = {
        "type": "container",
        "bom-ref": project["bom-ref"],
        "name": f"{project['name']}-{target}",
        "version": version,
        "hashes": [{"alg": "SHA-256", "content": digest.removeprefix("sha256:")}],
    }
    environment = _LINUX | {"python_version": python, "python_full_version": f"{python}.0"}
    there = [component for component in exported["components"] if _is_there(component, environment)]
    references = {project["bom-ref"], *(component["bom-ref"] for component in there)}
    exported["components"] = there
    exported["dependencies"] = [
        each | ({"dependsOn": kept} if (kept := _kept(each.get("dependsOn", ()), references)) else {})
        for each in exported.get("dependencies", ())
        if each["ref"] in references
    ]
    body = json.dumps(exported, indent=1, sort_keys=True)
    exported["serialNumber"] = f"urn:uuid:{uuid.UUID(hashlib.sha256(body.encode()).hexdigest()[:32], version=5)}"
    return json.dumps(exported, indent=1, sort_keys=True).encode()


def _is_there(component: dict[str, Any], environment: dict[str, str]) -> bool:
    """Whether a package is for that system and Python; uv writes the condition of the lock file beside it."""
    markers = [each["value"] for each in component.get("properties", ()) if each["name"] == "uv:package:marker"]
    return all(Marker(marker).evaluate(environment) for marker in markers)


def _kept(references: Sequence[str], known: set[str]) -> list[str]:
    return [each for each in references if each in known]
