"""What each request gets, in one table: the server's contract with its callers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from model_server.contract import Answer
from model_server.routes import Request, Routes
from model_server.testing import Client

JSON, LINES, CSV = "application/json", "application/jsonlines", "text/csv"
GOOD = '{"instances": [{"size": 3, "colour": "red"}]}'


@pytest.fixture(scope="module")
def client(parcels: Path) -> Client:
    return Client(parcels)


def instances(*rows: Any) -> str:
    return json.dumps({"instances": rows})


@pytest.mark.parametrize(
    ("body", "content_type", "rows"),
    [
        (GOOD, JSON, 1),
        (GOOD, "Application/JSON; charset=UTF-8", 1),
        ('{"dataframe_records": [{"size": 3, "colour": "red"}]}', JSON, 1),
        (instances([3, "red"], [4.5, "blue"]), JSON, 2),
        (instances({"colour": "red", "size": 3, "id": "unknown columns are ignored"}), JSON, 1),
        (instances({"size": 3, "colour": "red"}, [4, "blue"]), JSON, 2),
        (instances({"size": None, "colour": "red"}), JSON, 1),
        (instances({"size": 0, "colour": "red"}, {"size": 10, "colour": "red"}), JSON, 2),
        ('{"size": 3, "colour": "red"}\n{"size": 4, "colour": "blue"}', LINES, 2),
        ('{"size": 3, "colour": "red"}\r\n\n[4, "blue"]\n', LINES, 2),
        ('{"size": 3, "colour": "red"}', "application/x-ndjson", 1),
        ("3,red", CSV, 1),
        ("3,red\n", CSV, 1),
        ("3,red\r\n4,blue\r\n", "text/csv; charset=utf-8", 2),
        ("size,colour\n3,red\n", CSV, 1),
        ("colour,size\nred,3\nblue,4\n", CSV, 2),
        ("id,colour,size\n7,red,3\n", CSV, 1),
        ("size,colour\n3,red\n", "text/csv; header=present", 1),
        ("3,red\n", "text/csv; header=absent", 1),
        (",red\n", CSV, 1),
        ('"3","red"\n', CSV, 1),
        ("\ufeffsize,colour\n3,red\n", CSV, 1),
        ("3,red\n\n\n4,red\n", CSV, 2),
        ("1e0,red\n.5,red\n+2.,red\n", CSV, 3),
    ],
)
def test_what_is_answered(client: Client, body: str, content_type: str, rows: int) -> None:
    response = client.invoke(body, content_type, accept=JSON)
    assert response.status == 200, response.body
    predictions = json.loads(response.body)["predictions"]
    assert len(predictions) == response.rows == rows
    for prediction in predictions:
        assert prediction.keys() == {"probability", "prediction"}
        assert prediction["prediction"] == int(prediction["probability"] > 0.5)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code", "field", "row"),
    [
        # Bodies that cannot be read.
        ("", JSON, 400, "malformed", None, None),
        ("", CSV, 400, "no_rows", None, None),
        ("", LINES, 400, "no_rows", None, None),
        ("{", JSON, 400, "malformed", None, None),
        ("[]", JSON, 400, "malformed", None, None),
        ("3", JSON, 400, "malformed", None, None),
        ("{}", JSON, 400, "malformed", None, None),
        ('{"instances": {}}', JSON, 400, "malformed", None, None),
        ('{"instances": []}', JSON, 400, "no_rows", None, None),
        ('{"instances": [3]}', JSON, 400, "malformed", None, 0),
        ('{"instances": [{"size": NaN, "colour": "red"}]}', JSON, 400, "malformed", None, None),
        ('{"size": 3, "colour": "red"}\n{', LINES, 400, "malformed", None, 1),
        ("size,colour\n", CSV, 400, "no_rows", None, None),
        ('3,"red\n', CSV, 400, "malformed", None, None),
        (b"3,r\xe9d\n", CSV, 400, "malformed", None, None),
        (b'{"instances": [{"size": 3, "colour": "r\xe9d"}]}', JSON, 400, "malformed", None, None),
        # Types that are not read.
        (GOOD, "", 415, "content_type", None, None),
        (GOOD, "application/octet-stream", 415, "content_type", None, None),
        (GOOD, "application/json, text/csv", 415, "content_type", None, None),
        ("3,red", "text/csv; charset=latin-1", 415, "charset", None, None),
        # Rows that break the schema.
        (instances({"colour": "red"}), JSON, 422, "column_missing", "size", 0),
        (instances([3, "red"], {"size": 3}), JSON, 422, "column_missing", "colour", 1),
        (instances([3]), JSON, 422, "row_length", None, 0),
        (instances([3, "red"], [3, "red", 1]), JSON, 422, "row_length", None, 1),
        ("3,red\n4\n", CSV, 422, "row_length", None, 1),
        ("size,color\n3,red\n", CSV, 422, "column_missing", "colour", None),
        ("size,colour,size\n3,red,4\n", CSV, 422, "column_missing", "size", None),
        ("size,colour\n3,red\n4,red,5\n", CSV, 422, "row_length", None, 1),
        ("size,colour\n3,red\n", "text/csv; header=absent", 422, "type", "size", 0),
        (instances({"size": "3", "colour": "red"}), JSON, 422, "type", "size", 0),
        (instances({"size": True, "colour": "red"}), JSON, 422, "type", "size", 0),
        (instances({"size": [3], "colour": "red"}), JSON, 422, "type", "size", 0),
        (instances({"size": 3, "colour": 1.5}), JSON, 422, "type", "colour", 0),
        (instances({"size": 3, "colour": True}), JSON, 422, "type", "colour", 0),
        (instances({"size": 3, "colour": {"a": 1}}), JSON, 422, "type", "colour", 0),
        ("big,red\n", CSV, 422, "type", "size", 0),
        ("nan,red\n", CSV, 422, "type", "size", 0),
        ("inf,red\n", CSV, 422, "type", "size", 0),
        ("1_0,red\n", CSV, 422, "type", "size", 0),
        ("٣,red\n", CSV, 422, "type", "size", 0),
        (" 3,red\n", CSV, 422, "type", "size", 0),
        ("3,red\n4-5,red\n", CSV, 422, "type", "size", 1),
        (instances({"size": 3, "colour": None}), JSON, 422, "value_missing", "colour", 0),
        (instances({"size": 3, "colour": ""}), JSON, 422, "value_missing", "colour", 0),
        ("3,\n", CSV, 422, "value_missing", "colour", 0),
        (instances({"size": 3, "colour": "pink"}), JSON, 422, "category_unknown", "colour", 0),
        (instances({"size": 3, "colour": 7}), JSON, 422, "category_unknown", "colour", 0),
        ("3,red\n3, red\n", CSV, 422, "category_unknown", "colour", 1),
        (instances([3, "red"], [10.001, "red"]), JSON, 422, "out_of_range", "size", 1),
        (instances([-1e-300, "red"]), JSON, 422, "out_of_range", "size", 0),
        ("1e400,red\n", CSV, 422, "out_of_range", "size", 0),
        # The first row that breaks it, whichever column that is.
        (instances([3, "red"], [3, "pink"], [99, "red"]), JSON, 422, "category_unknown", "colour", 1),
    ],
)
def test_what_is_refused(
    client: Client, body: str | bytes, content_type: str, status: int, code: str, field: str | None, row: int | None
) -> None:
    response = client.invoke(body, content_type)
    told = json.loads(response.body)
    assert (response.status, told["code"], told.get("field"), told.get("row")) == (status, code, field, row), told
    assert response.type == JSON
    assert told["message"]
    assert "Traceback" not in told["message"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("11,red\n", "row 0: size is '11'; expected a number of at least 0 and of at most 10"),
        ("3,pink\n", "row 0: colour is 'pink'; expected one of: red, green, blue"),
        ("3,\n", "row 0: colour is empty; the model needs it in every row"),
        ("x,red\n", "row 0: size is 'x'; expected a number"),
        ("3\n", "row 0 has 1 values; expected 2"),
        (f"3,{'x' * 500}\n", f"row 0: colour is '{'x' * 79}...; expected one of: red, green, blue"),
    ],
)
def test_a_refusal_says_what_is_wrong_the_value_and_what_is_allowed(client: Client, body: str, message: str) -> None:
    assert json.loads(client.invoke(body, CSV).body)["message"] == message


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (Request("GET", "/"), 404, "route"),
        (Request("POST", "/invocations/"), 404, "route"),
        (Request("GET", "/invocations"), 405, "method"),
        (Request("POST", "/ping"), 405, "method"),
    ],
)
def test_other_routes_and_methods_are_refused(client: Client, request_: Request, status: int, code: str) -> None:
    response = client._routes.handle(request_)
    assert (response.status, json.loads(response.body)["code"]) == (status, code)


def test_ping_says_healthy(client: Client) -> None:
    assert (client.ping().status, client.ping().body) == (200, b'{"status":"healthy"}')


@pytest.mark.parametrize("path", ["/ping", "/invocations"])
def test_before_the_model_is_loaded_and_while_draining_nothing_is_begun(client: Client, path: str) -> None:
    request = Request("GET" if path == "/ping" else "POST", path, JSON, JSON, GOOD.encode())
    starting, draining = Routes(), Routes(client._routes.contract)
    draining.draining = True
    assert json.loads(starting.handle(request).body)["code"] == "starting"
    assert json.loads(draining.handle(request).body)["code"] == "draining"
    assert starting.handle(request).status == draining.handle(request).status == 503


def test_our_own_fault_is_a_500_without_its_cause() -> None:
    class Broken:
        quick = True

        def answer(self, body: bytes, content_type: str, accept: str) -> Answer:  # noqa: ARG002
            raise ZeroDivisionError("secret")

    response = Routes(Broken()).handle(Request("POST", "/invocations", JSON, JSON, GOOD.encode()))
    assert response.status == 500
    assert json.loads(response.body)["code"] == "internal"
    assert b"secret" not in response.body
    assert response.cause
    assert "ZeroDivisionError: secret" in response.cause


def test_a_csv_answer_has_a_line_for_each_row_and_no_header(client: Client) -> None:
    lines = client.invoke("3,red\n4,blue\n", CSV).body.decode().splitlines()
    assert len(lines) == 2
    for line in lines:
        probability, prediction = line.split(",")
        assert prediction == str(int(float(probability) > 0.5))


def test_a_json_lines_answer_has_an_object_for_each_row(client: Client) -> None:
    response = client.invoke("3,red\n4,blue\n", CSV, accept=LINES)
    assert response.type == LINES
    assert [json.loads(line).keys() for line in response.body.splitlines()] == [{"probability", "prediction"}] * 2


def test_several_classes_answer_with_each_probability(kinds: Path) -> None:
    client = Client(kinds)
    (prediction,) = client.predict([{"size": 9.5, "colour": "red"}])
    assert prediction["prediction"] == "c"
    assert prediction["probabilities"].keys() == {"a", "b", "c"}
    assert sum(prediction["probabilities"].values()) == pytest.approx(1, abs=1e-6)
    fields = client.invoke("9.5,red\n", CSV).body.decode().strip().split(",")
    assert [float(field) for field in fields[:3]] == list(prediction["probabilities"].values())
    assert fields[3] == "c"


def test_a_regression_answers_with_its_value(hours: Path) -> None:
    client = Client(hours)
    (prediction,) = client.predict([{"size": 4, "colour": "red"}])
    assert prediction["prediction"] == pytest.approx(6, abs=1e-4)
    assert float(client.invoke("4,red\n", CSV).body) == prediction["prediction"]


def test_the_client_tells_a_model_author_why_a_row_is_refused(client: Client) -> None:
    with pytest.raises(AssertionError, match=r"422: .*colour is 'pink'"):
        client.predict([{"size": 4, "colour": "pink"}])
