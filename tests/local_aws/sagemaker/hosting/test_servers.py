from __future__ import annotations

import time

import pytest

from local_aws.sagemaker.containers import Container
from local_aws.sagemaker.hosting.servers import ModelServer, StartupError
from tests.local_aws.delivery import unique
from tests.local_aws.sagemaker.stage import Stage


def server(stage: Stage, **content: object) -> ModelServer:
    name = unique("server")
    container = Container(image=stage.server, role=stage.role, artifact=stage.artifact(**content))
    log = stage.account.log_stream("/servers", name, stage.role, service_principal="sagemaker.amazonaws.com")
    return ModelServer(stage.account, container, stage.account.settings.home / name, log, "variant A", "endpoint")


@pytest.mark.parametrize("content", [{"ping": 500}, {"ping_seconds": 10}], ids=["unhealthy", "silent"])
def test_a_container_whose_ping_never_answers_200_is_given_up_after_its_time(
    stage: Stage, content: dict[str, int]
) -> None:
    sick = server(stage, **content)
    began = time.monotonic()

    with pytest.raises(StartupError, match="did not pass the ping health check"):
        sick.start({}, seconds=1)
    took = time.monotonic() - began
    sick.stop()

    assert 1 <= took < 5
    assert sick.process is not None
    assert not sick.process.alive


def test_a_stopped_server_takes_no_request_and_leaves_no_files(stage: Stage) -> None:
    running = server(stage)
    running.start({})
    before = running.acquire()
    running.release()

    running.stop()

    assert before
    assert not running.acquire()
    assert not running.root.exists()


def test_an_artifact_that_is_no_archive_is_said(stage: Stage) -> None:
    container = Container(image=stage.server, role=stage.role, artifact=stage.put("broken/model.tar.gz", "no archive"))
    log = stage.account.log_stream("/servers", unique("broken"))
    broken = ModelServer(stage.account, container, stage.account.settings.home / "broken", log, "variant A", "endpoint")

    with pytest.raises(StartupError, match=r"Failed to download model data for variant A .*not a gzip file"):
        broken.start({})
