"""What goes into the images, as far as that is known without building them."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOO_HEAVY = ("pandas", "sklearn", "pyarrow", "scipy", "onnx", "boto3", "pydantic")


def test_the_server_needs_only_the_serving_group() -> None:
    program = "import sys, model_server.loading, model_server.server; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    assert not set(TOO_HEAVY) & set(loaded.stdout.split())


def test_to_listen_it_needs_neither_numpy_nor_onnx_runtime() -> None:
    program = "import sys, model_server.__main__; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    assert not {"numpy", "onnxruntime"} & set(loaded.stdout.split())


@pytest.mark.parametrize("target", ["serving", "job"])
def test_every_folder_that_the_dockerfile_copies_is_there(target: str) -> None:
    lines = (ROOT / "model_server" / "Dockerfile").read_text().splitlines()
    start = next(place for place, line in enumerate(lines) if line.endswith(f" AS {target}"))
    body = lines[start + 1 :]
    end = next((place for place, line in enumerate(body) if line.startswith("FROM")), len(body))
    copied = [line.split()[1] for line in body[:end] if line.startswith("COPY ") and "--from" not in line]
    assert "model_server" in copied
    assert all((ROOT / folder).is_dir() for folder in copied)


def test_the_image_installs_uv_in_the_version_of_the_project() -> None:
    pinned = next(
        requirement
        for requirement in tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["dev"]
        if isinstance(requirement, str) and requirement.startswith("uv==")
    )
    assert pinned in (ROOT / "model_server" / "Dockerfile").read_text()
