"""The server as a process, over real sockets."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from config import load_model
from model_server.golden import Golden
from tests.model_server.serving import CSV, JSON, Serving, serve
from tests.pipelines import jobs

SLOW = """
import time

def model_fn(folder):
    time.sleep(0.5)
    return None

def input_fn(body, content_type):
    return float(body)

def predict_fn(seconds, model):
    time.sleep(seconds)
    return seconds

def output_fn(prediction, accept):
    return f"slept {prediction}", "text/plain"
"""


@pytest.fixture(scope="module")
def server(release: jobs.Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serve(tmp_path_factory.mktemp("ml"), release.package, SAGEMAKER_MAX_PAYLOAD_IN_MB="6") as serving:
        yield serving


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Serving]:
    """A server whose model loads in half a second and answers in as many seconds as the body says."""
    code = tmp_path / "package" / "code"
    code.mkdir(parents=True)
    (code / "inference.py").write_text(SLOW)
    with serve(tmp_path / "ml", code.parent, wait=False) as serving:
        yield serving


def test_every_golden_request_is_answered_as_stored(server: Serving, release: jobs.Release) -> None:
    golden = Golden.read(release.package)
    assert golden
    for request in golden.requests:
        status, body = server.invoke(request.body, request.content_type, request.accept)
        assert status == 200
        assert golden.difference(request, body) is None


def test_the_auc_on_2016_is_that_of_the_fitted_model(server: Serving, release: jobs.Release) -> None:
    truth, expected = jobs.fitted_on_2016()
    rows = features_of_2016(release)
    answers = [_score(server, rows.slice(start, 10_000)) for start in range(0, len(rows), 10_000)]
    probability = np.concatenate(answers)
    assert np.abs(probability - expected).max() < 1e-6
    assert abs(roc_auc_score(truth, probability) - roc_auc_score(truth, expected)) < 1e-6


def features_of_2016(release: jobs.Release) -> pa.Table:
    rows = pq.read_table(release.prepared.output("test") / "2016.parquet")
    return rows.select([feature.name for feature in load_model(jobs.CODE).features])


def _score(server: Serving, rows: pa.Table) -> np.ndarray:
    sink = pa.BufferOutputStream()
    pyarrow.csv.write_csv(rows, sink)
    status, body = server.invoke(sink.getvalue().to_pybytes(), CSV)
    assert status == 200, body
    return np.array([float(line.split(",")[0]) for line in body.decode().splitlines()])


def test_a_connection_is_kept_for_the_next_request(server: Serving) -> None:
    connection = server.connect()
    for body, status in (("1,2", 422), ("{", 422), ("1,2", 422)):
        connection.request("POST", "/invocations", body, {"Content-Type": CSV})
        response = connection.getresponse()
        response.read()
        assert response.status == status
        assert connection.sock is not None
    connection.close()


def test_a_body_that_is_too_large_is_refused_with_an_answer(server: Serving) -> None:
    status, body = server.invoke(b"1" * (7 * 1024 * 1024), CSV)
    assert status == 413
    assert json.loads(body)["message"].startswith(f"the body has {7 * 1024 * 1024} bytes; at most {6 * 1024 * 1024}")
    assert server.ping() == 200


def test_large_bodies_do_not_keep_ping_waiting(server: Serving, release: jobs.Release) -> None:
    worst = 0.0
    scoring = threading.Thread(target=_score, args=(server, features_of_2016(release)))
    scoring.start()
    while scoring.is_alive():
        started = time.perf_counter()
        assert server.ping() == 200
        worst = max(worst, time.perf_counter() - started)
    assert worst < 2  # SageMaker gives a ping no more


def test_the_log_has_one_line_for_each_request_and_no_values(server: Serving, release: jobs.Release) -> None:
    time.sleep(0.3)  # by now it has logged what others asked
    before = len(server.lines)
    golden = Golden.read(release.package)
    assert golden
    server.invoke(golden.requests[0].body)
    server.invoke(golden.requests[0].body.replace('"SEX":"', '"SEX":"secret'))
    server.ping()
    answered, refused = sorted(server.logs(2, since=before), key=lambda line: line["status"])
    assert answered["rows"] == 1
    assert answered["status"] == 200
    assert (refused["status"], refused["code"], refused["field"]) == (422, "category_unknown", "SEX")
    assert not any("secret" in line for line in server.lines)


def test_until_the_model_is_loaded_it_listens_and_says_503(slow: Serving) -> None:
    slow.wait_for(503)
    status, body = slow.invoke("0", "text/plain")
    assert (status, json.loads(body)["code"]) == (503, "starting")
    slow.wait_for(200)
    assert slow.invoke("0", "text/plain") == (200, b"slept 0.0")


def test_sigterm_under_load_answers_what_was_begun_and_begins_nothing(slow: Serving) -> None:
    slow.wait_for(200)
    answers: list[tuple[int, bytes]] = []
    clients = [threading.Thread(target=lambda: answers.append(slow.invoke("2", "text/plain"))) for _ in range(3)]
    for client in clients:
        client.start()
    time.sleep(0.5)
    slow.terminate()
    slow.wait_for(503)
    late = slow.invoke("0", "text/plain")
    for client in clients:
        client.join()
    assert slow.ended() == 0
    assert answers == [(200, b"slept 2.0")] * 3
    assert (late[0], json.loads(late[1])["code"]) == (503, "draining")


def test_sigterm_amid_many_requests_loses_none_that_it_took(release: jobs.Release, tmp_path: Path) -> None:
    golden = Golden.read(release.package)
    assert golden
    statuses: list[int] = []

    def ask(serving: Serving) -> None:
        connection = serving.connect()
        while True:
            try:
                connection.request("POST", "/invocations", golden.requests[0].body, {"Content-Type": JSON})
                response = connection.getresponse()
            except OSError:  # nothing of an answer came: the server no longer took the request
                return
            response.read()
            statuses.append(response.status)

    with serve(tmp_path, release.package) as serving:
        clients = [threading.Thread(target=ask, args=(serving,)) for _ in range(4)]
        for client in clients:
            client.start()
        time.sleep(0.3)
        serving.terminate()
        for client in clients:
            client.join(10)
        assert serving.ended() == 0
    answered = statuses.count(200)
    assert answered > 10
    assert set(statuses) <= {200, 503}
    logged = [line for line in serving.logged() if line.get("route") == "/invocations"]
    assert sum(line.get("of", 1) for line in logged if line["status"] == 200) == answered
    assert sum(line["Requests"] for line in serving.logged() if "_aws" in line) == len(statuses)


def test_sigterm_at_rest_ends_at_once(release: jobs.Release, tmp_path: Path) -> None:
    with serve(tmp_path, release.package) as serving:
        idle = serving.connect()
        idle.request("GET", "/ping")
        idle.getresponse().read()
        started = time.monotonic()
        serving.terminate()
        assert serving.ended() == 0
        assert time.monotonic() - started < 5  # a drain waits much longer
        idle.close()


def test_a_model_that_forgot_its_golden_answer_is_not_served(release: jobs.Release, tmp_path: Path) -> None:
    package = tmp_path / "package"
    shutil.copytree(release.package, package)
    golden = json.loads((package / "golden.json").read_text())
    golden["requests"][0]["answer"] = '{"predictions":[{"probability":0.75,"prediction":1}]}'
    (package / "golden.json").write_text(json.dumps(golden))
    with serve(tmp_path / "ml", package, wait=False) as serving:
        assert serving.ended() == 1
        (line,) = serving.logged()
        assert line["event"] == "failed"
        assert "the first golden request is not answered as when the model was released" in line["message"]
        assert "stored is 0.75" in line["message"]


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [("signature.json", "has no signature.json; unpack a released model"), ("model.onnx", "has no model.onnx")],
)
def test_an_incomplete_package_ends_the_server_with_a_sentence(
    release: jobs.Release, tmp_path: Path, missing: str, sentence: str
) -> None:
    package = tmp_path / "package"
    shutil.copytree(release.package, package)
    (package / missing).unlink()
    with serve(tmp_path / "ml", package, wait=False) as serving:
        assert serving.ended() == 1
        assert sentence in serving.logged()[0]["message"]
