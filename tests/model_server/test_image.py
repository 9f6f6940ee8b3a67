"""What goes into the images, as far as that is known without building them."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from local_aws.docker.build import Builder
from local_aws.docker.dockerfile import DockerError, Instruction, parse
from pipelines.stages.image import CONTENT
from tests.model_server.serving import free_port
from tests.sealed import Key, trust

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "model_server" / "Dockerfile").read_text()
TOO_HEAVY = ("pandas", "sklearn", "pyarrow", "scipy", "onnx", "boto3", "pydantic")


def test_the_server_needs_only_the_serving_group() -> None:
    program = "import sys, model_server.loading, model_server.server; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    assert not set(TOO_HEAVY) & set(loaded.stdout.split())


def test_to_listen_it_needs_neither_numpy_nor_onnx_runtime() -> None:
    program = "import sys, model_server.__main__; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    assert not {"numpy", "onnxruntime"} & set(loaded.stdout.split())


@pytest.mark.parametrize("target", CONTENT)
def test_an_image_holds_of_ours_only_the_folders_that_its_tag_is_made_of(target: str, tmp_path: Path) -> None:
    image = Builder(DOCKERFILE, context(tmp_path / "context", target), tmp_path, {}, lambda _: None).build(target)
    files = [path.relative_to(image.root).parts for path in image.root.rglob("*") if path.is_file()]
    assert {parts[:2] for parts in files} == {("opt", "greenlight")}
    folders = {name for name in CONTENT[target] if (ROOT / name).is_dir()}
    assert {parts[2] for parts in files} == {*folders, "trusted_keys"}
    assert [parts[3:] for parts in files if parts[2] == "trusted_keys"] == [("first.pem",)]
    assert not [parts for parts in files if "__pycache__" in parts or parts[-1] == "Dockerfile"]


@pytest.mark.parametrize("target", CONTENT)
def test_without_its_keys_no_image_is_built(target: str, tmp_path: Path) -> None:
    folder = context(tmp_path / "context", target)
    shutil.rmtree(folder / "trusted_keys")
    with pytest.raises(DockerError, match='"/trusted_keys": not found'):
        Builder(DOCKERFILE, folder, tmp_path, {}, lambda _: None).build(target)


def context(folder: Path, target: str) -> Path:
    """What a build of a target sees, with a key as the Image stage leaves it there."""
    folder.mkdir()
    shutil.copy(ROOT / ".dockerignore", folder)
    for name in CONTENT[target]:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    trust(folder / "trusted_keys", first=Key())
    return folder


def test_every_stage_starts_from_a_base_that_can_be_pinned_by_its_digest() -> None:
    pinned = "python@sha256:0123"
    stages = parse(DOCKERFILE, {"PYTHON": pinned})
    assert {stage.base for stage in stages} - {stage.name for stage in stages} == {pinned}


def test_the_image_installs_uv_by_the_hashes_of_the_version_of_the_project() -> None:
    pinned = next(
        requirement
        for requirement in tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["dev"]
        if isinstance(requirement, str) and requirement.startswith("uv==")
    )
    [install] = [step for step in instructions("packages", "RUN") if "uv.lock" in step.rest]
    _python, _c, program = shlex.split(install.rest)[:3]
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    requirement, *hashes = ran.stdout.split()
    assert requirement == pinned
    assert hashes
    assert all(given.startswith("--hash=sha256:") for given in hashes)
    assert "--require-hashes" in install.rest


@pytest.mark.parametrize("target", ["serving", "serving-native"])
def test_a_server_has_no_root_unless_the_build_asks_for_it(target: str) -> None:
    assert [step.rest for step in instructions(target, "USER")] == ["${SERVING_USER}"]
    default = next(line for line in DOCKERFILE.splitlines() if line.startswith("ARG SERVING_USER="))
    assert default.partition("=")[2] == "10001:10001"


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (None, 1)])
def test_the_health_check_fails_unless_ping_says_200(status: int | None, code: int) -> None:
    [check] = instructions("server", "HEALTHCHECK")
    program = json.loads(check.rest.removeprefix("CMD "))
    with pinged(status) as port:
        ran = subprocess.run(
            [sys.executable, *program[1:]],
            env={"SAGEMAKER_BIND_TO_PORT": str(port), "http_proxy": "http://127.0.0.1:9"},
            capture_output=True,
            check=False,
        )
    assert ran.returncode == code, ran.stderr


def instructions(stage: str, keyword: str) -> list[Instruction]:
    """The instructions of one kind in a stage of the Dockerfile."""
    [found] = [one for one in parse(DOCKERFILE, {}) if one.name == stage]
    return [instruction for instruction in found.instructions if instruction.keyword == keyword]


@contextmanager
def pinged(status: int | None) -> Generator[int]:
    """The port of a server that answers /ping with *status*, and any other path with 404; None: nothing listens."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if status and self.path == "/ping" else 404)
            self.end_headers()

    if status is None:
        yield free_port()
        return
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_nothing_reports_to_the_makers_of_a_library(parcels: Path, tmp_path: Path) -> None:
    """ONNX Runtime 1.31 does, unless it is told not to before its import."""
    program = f"from pathlib import Path; from model_server import loading; loading.load(Path({str(parcels)!r}))"
    program += "; print(len(list(Path('/proc/self/task').iterdir())))"
    given = {"HOME": str(tmp_path), "PATH": "", "OPENBLAS_NUM_THREADS": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=given, check=True, capture_output=True, text=True
    )
    assert ran.stdout.split() == ["1"]
    assert not list(tmp_path.iterdir())
