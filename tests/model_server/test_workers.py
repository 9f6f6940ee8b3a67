"""The server as several processes: what one of them does to the others, and to the callers."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from tests.model_server.serving import CSV, Serving, serve

STUCK = """
import time

def model_fn(folder):
    return None

def input_fn(body, content_type):
    return float(body)

def predict_fn(seconds, model):
    time.sleep(seconds)
    return [seconds]
"""
THREADED = STUCK.replace(
    "return None", "import threading; threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
)


def script(folder: Path, source: str) -> Path:
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "inference.py").write_text(source)
    return folder


def wait_until(condition: object, seconds: float = 10) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_each_core_has_a_worker_that_shares_the_model(parcels: Path, tmp_path: Path) -> None:
    with serve(tmp_path, parcels, SAGEMAKER_MODEL_SERVER_WORKERS="3") as serving:
        assert len(serving.workers()) == 3
        (ready,) = serving.logs(1)
        assert (ready["workers"], ready["shared"]) == (3, True)


def test_a_killed_worker_costs_only_what_it_was_at_and_another_takes_its_place(parcels: Path, tmp_path: Path) -> None:
    statuses: Counter[int | str] = Counter()
    stop = threading.Event()

    def ask(serving: Serving) -> None:
        connection = serving.connect()
        while not stop.is_set():
            try:
                connection.request("POST", "/invocations", b"3,red\n", {"Content-Type": CSV})
                response = connection.getresponse()
                response.read()
                statuses[response.status] += 1
            except (OSError, http.client.HTTPException):
                statuses["lost"] += 1
                connection.close()

    with serve(tmp_path, parcels, SAGEMAKER_MODEL_SERVER_WORKERS="2") as serving:
        clients = [threading.Thread(target=ask, args=(serving,)) for _ in range(4)]
        for client in clients:
            client.start()
        for round_ in range(3):
            time.sleep(0.3)
            victim = serving.workers()[round_ % 2]
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda victim=victim: len(serving.workers()) == 2 and victim not in serving.workers())
        time.sleep(0.3)
        stop.set()
        for client in clients:
            client.join()
        ended = [line for line in serving.logged() if line.get("event") == "worker_ended"]
    assert len(ended) == 3
    assert statuses[200] > 100
    assert set(statuses) <= {200, "lost"}
    assert statuses["lost"] <= 3 * 4  # each kill costs a caller at most the request that it waits for


def test_a_model_that_gets_stuck_is_ended_and_replaced(tmp_path: Path) -> None:
    package = script(tmp_path / "package", STUCK)
    with serve(
        tmp_path / "ml", package, SAGEMAKER_MODEL_SERVER_TIMEOUT="1", SAGEMAKER_MODEL_SERVER_WORKERS="1"
    ) as serving:
        with pytest.raises(http.client.RemoteDisconnected):
            serving.invoke("30", "text/plain")
        serving.wait_for(200)
        assert serving.invoke("0", "text/plain") == (200, b"[0.0]")
        assert any(line.get("event") == "stuck" for line in serving.logged())


def test_a_model_with_threads_is_loaded_by_each_worker_for_itself(tmp_path: Path) -> None:
    package = script(tmp_path / "package", THREADED)
    with serve(tmp_path / "ml", package, SAGEMAKER_MODEL_SERVER_WORKERS="2") as serving:
        assert serving.logs(1)[0]["shared"] is False
        wait_until(lambda: len(serving.workers()) == 2)
        assert serving.invoke("0", "text/plain") == (200, b"[0.0]")
        metrics = serving.request("GET", "/metrics")[1].decode()
        serving.terminate()
        assert serving.ended() == 0
    assert "model_server_requests_total" in metrics


def test_workers_that_keep_dying_end_the_container(tmp_path: Path) -> None:
    source = STUCK.replace("time.sleep(seconds)", "import os; os._exit(3)")
    with serve(tmp_path / "ml", script(tmp_path / "package", source), SAGEMAKER_MODEL_SERVER_WORKERS="1") as serving:
        for _ in range(12):
            try:
                serving.invoke("0", "text/plain")
            except (OSError, http.client.HTTPException):
                continue
        assert serving.ended() == 1
    assert "10 workers ended within 60 s" in serving.logged()[-1]["message"]


def test_workers_end_when_their_parent_is_killed(parcels: Path, tmp_path: Path) -> None:
    with serve(tmp_path, parcels) as serving:
        workers = serving.workers()
        serving.process.kill()
        wait_until(lambda: not any(psutil.pid_exists(pid) for pid in workers))


def test_metrics_add_up_over_workers_and_outlive_them(parcels: Path, tmp_path: Path) -> None:
    with serve(tmp_path, parcels, SAGEMAKER_MODEL_SERVER_WORKERS="2") as serving:
        for _ in range(20):
            assert serving.invoke("3,red\n4,red\n", CSV)[0] == 200
        assert serving.invoke("3,pink\n", CSV)[0] == 422
        wait_until(lambda: value(serving, 'requests_total{status="200"}') == 20)
        for pid in serving.workers():
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: serving.ping() == 200)
        assert serving.invoke("3,red\n", CSV)[0] == 200
        wait_until(lambda: value(serving, 'requests_total{status="200"}') == 21)
        assert value(serving, "rows_total") == 41
        assert value(serving, 'rejected_rows_total{code="category_unknown",action="refuse"}') == 1
        assert value(serving, "request_seconds_count") == 22
        assert value(serving, 'part_seconds_total{part="score"}') > 0


def value(serving: Serving, name: str) -> float:
    body = serving.request("GET", "/metrics")[1].decode()
    (line,) = [line for line in body.splitlines() if line.startswith(f"model_server_{name} ")]
    return float(line.split()[-1])


def test_cloudwatch_metrics_are_lines_of_the_log(parcels: Path, tmp_path: Path) -> None:
    with serve(
        tmp_path, parcels, SAGEMAKER_MODEL_SERVER_WORKERS="1", ENDPOINT_NAME="parcels-staging", METRICS_SECONDS="0.2"
    ) as serving:
        serving.invoke("3,red\n4,red\n", CSV)
        serving.invoke("99,red\n", CSV)
        serving.terminate()
        serving.ended()
    lines = [line for line in serving.logged() if "_aws" in line]
    assert sum(line["Requests"] for line in lines) == 2
    assert sum(line["Rows"] for line in lines) == 2
    assert sum(line["RejectedRows"] for line in lines) == 1
    assert sum(sum(line["Latency"]["Counts"]) for line in lines) == 2
    (directive,) = lines[0]["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["Endpoint"]]
    assert lines[0]["Endpoint"] == "parcels-staging"
    assert all(metric["Name"] in lines[0] for metric in directive["Metrics"])


def test_the_openapi_document_describes_this_model(parcels: Path, tmp_path: Path) -> None:
    with serve(tmp_path, parcels) as serving:
        document = json.loads(serving.request("GET", "/openapi.json")[1])
    rows = document["paths"]["/invocations"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    properties = rows["properties"]["instances"]["items"]["anyOf"][0]["properties"]
    assert properties["size"] == {"type": ["number", "null"], "minimum": 0, "maximum": 10}
    assert properties["colour"]["enum"] == ["red", "green", "blue"]
