"""The bill of materials of an image, from the real lock file."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipelines.stages.image import CONTENT
from pipelines.stages.materials import GROUPS, bill_of_materials, python_of

ROOT = Path(__file__).parents[3]
DIGEST = f"sha256:{'ab' * 32}"
DOCKERFILE = ROOT / "model_server/Dockerfile"


def bill(target: str) -> dict[str, Any]:
    return json.loads(bill_of_materials(ROOT, target, "0123456789ab", DIGEST))


@pytest.mark.parametrize("target", CONTENT)
def test_it_lists_each_package_once_with_version_and_hashes(target: str) -> None:
    found = bill(target)
    names = Counter(component["name"] for component in found["components"])
    assert max(names.values()) == 1  # the lock file has some twice, for other versions of Python
    assert names["numpy"]
    assert not names["pytest"]
    for component in found["components"]:
        assert component["purl"] == f"pkg:pypi/{component['name']}@{component['version']}"
        assert all(reference["hashes"] for reference in component["externalReferences"])


@pytest.mark.parametrize("target", CONTENT)
def test_it_is_of_the_group_that_the_dockerfile_installs(target: str) -> None:
    stage = f"{target}-packages\nRUN uv sync --frozen --only-group {GROUPS[target]} "
    assert stage in DOCKERFILE.read_text()


def test_it_has_what_linux_installs_and_nothing_of_other_systems() -> None:
    names = {component["name"] for component in bill("job")["components"]}
    assert "xgboost-cpu" in names
    assert not names & {"xgboost", "tzdata"}


@pytest.mark.parametrize("target", CONTENT)
def test_every_dependency_leads_to_something_that_is_listed(target: str) -> None:
    found = bill(target)
    listed = {component["bom-ref"] for component in found["components"]} | {found["metadata"]["component"]["bom-ref"]}
    for dependency in found["dependencies"]:
        assert {dependency["ref"], *dependency.get("dependsOn", ())} <= listed


def test_it_names_the_very_image_and_is_the_same_each_time() -> None:
    found = bill("serving")
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.5")
    assert found["metadata"]["component"]["name"] == f"{name()}-serving"
    assert found["metadata"]["component"]["version"] == "0123456789ab"
    assert found["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", found["serialNumber"])
    assert bill("serving") == found


def test_the_images_python_is_the_dockerfiles(tmp_path: Path) -> None:
    assert python_of(DOCKERFILE) == "3.12"
    other = tmp_path / "Dockerfile"
    other.write_text("FROM scratch\n")
    with pytest.raises(ValueError, match="has no line such as `ARG PYTHON=python"):
        python_of(other)


def name() -> str:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["name"]
