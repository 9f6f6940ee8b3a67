"""The serving image is really built, and answers as a container that may do little more than that."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from lightgbm import LGBMClassifier

from model_server.golden import Golden
from tests.model_server import image_build
from tests.model_server.image_build import Builder, Image
from tests.model_server.serving import Serving, free_port
from tests.pipelines import models
from tests.pipelines.jobs import Release
from tests.pipelines.tables import model

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(image_build.missing()), reason=image_build.missing() or "everything is here"),
]
USER = 10001
LARGEST_MB = 250
"""What the packages and the server may add to the base."""


@pytest.fixture(scope="module")
def builder() -> Iterator[Builder]:
    with image_build.builder() as made:
        yield made


@pytest.fixture(scope="module")
def serving(builder: Builder) -> Image:
    return builder.build("serving")


@contextmanager
def served(image: Image, model: Path) -> Generator[Serving]:
    """`docker run --read-only IMAGE serve`, as SageMaker says it."""
    port = free_port()
    command = [*image.config["Entrypoint"], "serve"]
    image.key.seal(model)
    container = Serving(port, image.run(command, model, SAGEMAKER_BIND_TO_PORT=str(port)))
    try:
        container.wait_for(200, 60)
        yield container
    finally:
        if container.process.poll() is None:
            first_process(container).kill()  # with it, all in the container end
        container.ended()


def first_process(container: Serving) -> psutil.Process:
    """The process that is number 1 in the container."""
    [first] = psutil.Process(container.process.pid).children()
    return first


def test_it_answers_as_the_model_did_when_it_was_released(serving: Image, release: Release) -> None:
    golden = Golden.read(release.package)
    assert golden
    assert golden.requests
    with served(serving, release.package) as container:
        for request in golden.requests:
            status, answer = container.invoke(request.body, request.content_type, request.accept)
            assert (status, golden.difference(request, answer)) == (200, None)
        assert [line["event"] for line in container.logged()] == ["ready"]


def test_no_process_has_a_right_or_a_file_that_it_can_write(serving: Image, release: Release) -> None:
    with served(serving, release.package) as container:
        first = first_process(container)
        processes = [first, *first.children(recursive=True)]
        assert len(processes) > 1
        for process in processes:
            assert set(process.uids()) == set(process.gids()) == {USER}
            assert "CapEff:\t0000000000000000" in Path(f"/proc/{process.pid}/status").read_text()
    for folder in ("/", "/tmp", "/opt/greenlight", "/opt/ml/model"):
        assert "Read-only file system" in serving.output(["touch", f"{folder}/new"], release.package)[1]


def test_it_stops_when_it_is_told_to(serving: Image, release: Release) -> None:
    with served(serving, release.package) as container:
        first_process(container).terminate()
        assert container.ended() == 0


def test_its_health_check_tells_a_server_that_answers_from_none(serving: Image, release: Release) -> None:
    check = serving.config["Healthcheck"]["Test"]
    assert check[0] == "CMD"
    with served(serving, release.package) as container:
        port = str(container.port)
        assert serving.output(check[1:], release.package, SAGEMAKER_BIND_TO_PORT=port) == (0, "")
    assert serving.output(check[1:], release.package, SAGEMAKER_BIND_TO_PORT=port)[0] == 1


def test_it_holds_the_server_its_libraries_and_nothing_of_the_build(serving: Image) -> None:
    home = serving.root / "opt" / "greenlight"
    assert {path.name for path in home.iterdir()} == {".venv", "model_server", "trusted_keys"}
    libraries = {path.name for path in home.glob(".venv/lib/python3*/site-packages/*")}
    assert {"numpy", "onnxruntime", "uvicorn"} <= libraries
    assert not {"sklearn", "pandas", "scipy", "uv", "pip", "boto3"} & libraries
    assert not [
        place for place in ("etc/pip.conf", "etc/uv", "tmp/uv.txt", "root/.cache") if (serving.root / place).exists()
    ]
    assert serving.config["Labels"]["org.opencontainers.image.base.name"] == image_build.BASE


def test_its_programs_are_compiled_and_belong_to_root(serving: Image) -> None:
    home = serving.root / "opt" / "greenlight"
    programs = list((home / "model_server").rglob("*.py"))
    assert all(list(path.parent.glob(f"__pycache__/{path.stem}.*.pyc")) for path in programs)
    for path in home.rglob("*"):
        found = path.lstat()
        assert (found.st_uid, found.st_gid) == (0, 0)
        assert path.is_symlink() or not found.st_mode & 0o022


def test_it_stays_small(serving: Image) -> None:
    base, *ours = serving.layers
    print(f"base {base / 1e6:.1f} MB, ours {[round(size / 1e6, 1) for size in ours]} MB, {os.uname().machine}")
    assert sum(ours) < LARGEST_MB * 1e6


def test_the_image_for_native_models_answers_with_lightgbm(builder: Builder, tmp_path: Path) -> None:
    """Its wheel is the only one that leaves a library to the system."""
    described, table = model(serving={"engine": "native"}), models.random_rows(500)
    estimator = models.ordinals(LGBMClassifier(n_estimators=5, verbose=-1))
    fitted, columns = models.fitted(described, table, estimator, table["late"].to_numpy())
    package = models.written(tmp_path / "package", models.chosen(described, fitted, columns))
    with served(builder.build("serving-native"), package) as container:
        status, answer = container.invoke('{"instances":[{"size":9.5,"colour":"red"}]}')
        assert status == 200
        assert json.loads(answer)["predictions"][0]["prediction"] == 1
