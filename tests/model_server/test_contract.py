"""What each request gets: the table of cases, and what holds for all of them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from model_server.contract import Answer, Request
from model_server.exported import Exported
from model_server.routes import Routes
from model_server.testing import Client, Reply
from tests.model_server import cases
from tests.model_server.cases import ARROW, CSV, GOOD, JSON, LINES, NPY, PARQUET, Case, instances

LARGEST = 8 << 20


@pytest.fixture(scope="module")
def client(parcels: Path) -> Client:
    return Client(parcels, largest_body=LARGEST)


def ask(client: Client, case: Case) -> Reply:
    return client.invoke(case.body, case.content_type, case.accept, **case.headers)


def test_there_are_two_hundred_cases() -> None:
    assert len([*cases.answered(), *cases.refused()]) >= 200


@pytest.mark.parametrize("case", cases.answered())
def test_what_is_answered(client: Client, case: Case) -> None:
    reply = ask(client, case)
    assert reply.status == case.status, reply.body
    assert reply.rows == case.told
    probabilities = probabilities_in(reply)
    assert len(probabilities) == case.told
    assert ((probabilities > 0) & (probabilities < 1)).all()


@pytest.mark.parametrize("case", cases.refused())
def test_what_is_refused(client: Client, case: Case) -> None:
    reply = ask(client, case)
    told = json.loads(reply.body)
    assert (reply.status, told["message"]) == (case.status, case.told)
    assert reply.type == JSON
    assert told.keys() <= {"code", "message", "field", "row"}
    if told["message"].startswith("row "):
        assert told["message"].split()[1].rstrip(":") == str(told["row"])


def probabilities_in(reply: Reply) -> np.ndarray:
    match reply.type:
        case "application/json":
            return np.array([each["probability"] for each in json.loads(reply.body)["predictions"]])
        case "application/jsonlines":
            return np.array([json.loads(line)["probability"] for line in reply.body.splitlines()])
        case "text/csv":
            return np.array([float(line.split(b",")[0]) for line in reply.body.splitlines()])
        case "application/x-npy":
            return np.load(io.BytesIO(reply.body))[:, 0]
        case "application/vnd.apache.parquet":
            return pq.read_table(io.BytesIO(reply.body))["probability"].to_numpy()
        case _:
            return pa.ipc.open_stream(reply.body).read_all()["probability"].to_numpy()


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (Request("GET", "/"), 404, "route"),
        (Request("POST", "/invocations/"), 404, "route"),
        (Request("POST", "/models"), 404, "route"),
        (Request("GET", "/invocations"), 405, "method"),
        (Request("POST", "/ping"), 405, "method"),
        (Request("DELETE", "/metrics"), 405, "method"),
    ],
)
def test_other_routes_and_methods_are_refused(client: Client, request_: Request, status: int, code: str) -> None:
    reply = client.request(request_.method, request_.path)
    assert (reply.status, json.loads(reply.body)["code"]) == (status, code)


def test_ping_says_healthy(client: Client) -> None:
    assert (client.ping().status, client.ping().body) == (200, b'{"status":"healthy"}')


def test_batch_transform_is_told_how_many_requests_to_send(client: Client) -> None:
    assert json.loads(client.request("GET", "/execution-parameters").body) == {
        "MaxConcurrentTransforms": 1,
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": 6,
    }


@pytest.mark.parametrize("path", ["/ping", "/invocations"])
def test_before_the_model_is_loaded_and_while_draining_nothing_is_begun(client: Client, path: str) -> None:
    request = Request("GET" if path == "/ping" else "POST", path, JSON, JSON, GOOD)
    starting, draining = Routes(), Routes(client.routes.contract)
    draining.draining = True
    assert json.loads(starting.handle(request).body)["code"] == "starting"
    assert json.loads(draining.handle(request).body)["code"] == "draining"
    assert starting.handle(request).status == draining.handle(request).status == 503
    assert draining.handle_many([request])[0].status == 503


def test_our_own_fault_is_a_500_without_its_cause(client: Client) -> None:
    class Broken(Exported):
        def answer(self, request: Request) -> Answer:
            raise ZeroDivisionError(request.path)

    assert isinstance(client.routes.contract, Exported)
    response = Routes(Broken(client.routes.contract._model)).handle(Request("POST", "/invocations", JSON, JSON, GOOD))
    assert response.status == 500
    assert json.loads(response.body)["code"] == "internal"
    assert b"invocations" not in response.body
    assert response.cause
    assert "ZeroDivisionError: /invocations" in response.cause


def test_what_the_caller_sent_to_be_told_apart_comes_back(client: Client) -> None:
    sent = {"x_amzn_sagemaker_custom_attributes": "trace=7", "x_amzn_sagemaker_inference_id": "abc"}
    for body in (GOOD, b"{"):
        reply = client.invoke(body, **sent)
        assert reply.headers["x-amzn-sagemaker-custom-attributes"] == "trace=7;inference-id=abc"
        assert reply.headers["x-amzn-sagemaker-inference-id"] == "abc"
    assert "x-amzn-sagemaker-inference-id" not in client.invoke(GOOD).headers


def test_a_caller_without_a_wish_is_answered_as_sagemaker_was_configured(parcels: Path) -> None:
    client = Client(parcels, accept=CSV)
    assert client.invoke(GOOD, accept="").type == client.invoke(GOOD).type == CSV
    assert client.invoke(GOOD * 1, accept=LINES).type == LINES
    assert client.invoke(instances(*[[3, "red"]] * 5000)).type == CSV


def test_a_body_that_is_too_large_is_refused(client: Client) -> None:
    reply = client.invoke(b"3,red\n" * (LARGEST // 6 + 1), CSV)
    message = f"the body has more; at most {LARGEST} are read, so send fewer rows at once"
    assert (reply.status, json.loads(reply.body)) == (413, {"code": "too_large", "message": message})


def test_a_csv_answer_has_a_line_for_each_row_and_no_header(client: Client) -> None:
    lines = client.invoke("3,red\n4,blue\n", CSV).body.decode().splitlines()
    assert len(lines) == 2
    for line in lines:
        probability, prediction = line.split(",")
        assert prediction == str(int(float(probability) > 0.5))


def test_several_classes_answer_with_each_probability(kinds: Path) -> None:
    client = Client(kinds)
    (prediction,) = client.predict([{"size": 9.5, "colour": "red"}])
    assert prediction["prediction"] == "c"
    assert prediction["probabilities"].keys() == {"a", "b", "c"}
    assert sum(prediction["probabilities"].values()) == pytest.approx(1, abs=1e-6)
    fields = client.invoke("9.5,red\n", CSV).body.decode().strip().split(",")
    assert [float(field) for field in fields[:3]] == list(prediction["probabilities"].values())
    assert fields[3] == "c"
    columns = pa.ipc.open_stream(client.invoke("9.5,red\n", CSV, ARROW).body).read_all().to_pydict()
    assert columns == {f"probability_{name}": [p] for name, p in prediction["probabilities"].items()} | {
        "prediction": ["c"]
    }


def test_a_regression_answers_with_its_value(hours: Path) -> None:
    client = Client(hours)
    (prediction,) = client.predict([{"size": 4, "colour": "red"}])
    assert prediction["prediction"] == pytest.approx(6, abs=1e-4)
    assert float(client.invoke("4,red\n", CSV).body) == prediction["prediction"]
    assert np.load(io.BytesIO(client.invoke("4,red\n", CSV, NPY).body)).tolist() == [[prediction["prediction"]]]


def test_the_client_tells_a_model_author_why_a_row_is_refused(client: Client) -> None:
    with pytest.raises(AssertionError, match=r"422: .*colour is 'pink'"):
        client.predict([{"size": 4, "colour": "pink"}])


def test_where_the_caller_asks_for_it_broken_rows_leave_the_others_their_answers(client: Client) -> None:
    rows: list[Any] = [[3, "red"], [3], [99, "red"], {"size": 1}, [4, "pink"], [5, "blue"]]
    alone = [prediction["probability"] for prediction in client.predict([rows[0], rows[5]])]
    reply = client.invoke(instances(*rows), accept=f"{JSON}; partial=true")
    assert reply.status == 200
    told = json.loads(reply.body)["predictions"]
    assert [each.get("error", {}).get("code") for each in told] == [
        None,
        "row_length",
        "out_of_range",
        "column_missing",
        "category_unknown",
        None,
    ]
    assert [each["error"]["row"] for each in told if "error" in each] == [1, 2, 3, 4]
    assert [each["probability"] for each in told if "error" not in each] == alone
    lines = client.invoke(instances(*rows), accept=f"{CSV}; partial=true").body.decode().splitlines()
    assert [line == "," for line in lines] == ["error" in each for each in told]
    columns = pq.read_table(io.BytesIO(client.invoke(instances(*rows), accept=f"{PARQUET};partial=true").body))
    assert [value is None for value in columns["probability"].to_pylist()] == ["error" in each for each in told]
    assert json.loads(columns["violation"].to_pylist()[4]) == told[4]["error"]


def test_partial_results_of_a_large_body_name_the_rows_as_the_caller_counts_them(client: Client) -> None:
    rows = [b"3,red"] * 100_000
    rows[70_000] = b"3,pink"
    reply = client.invoke(b"\n".join(rows), CSV, f"{JSON};partial=true")
    told = json.loads(reply.body)["predictions"]
    assert len(told) == 100_000
    assert [each["error"]["row"] for each in told if "error" in each] == [70_000]
    assert "error" in told[70_000]
