"""Every answer has an id, by which a label can be joined to it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from model_server.identity import ATTRIBUTES, INFERENCE_ID, Ids, attributes
from model_server.testing import Client
from tests.model_server.cases import CSV, GOOD, JSON, LINES, PARQUET

NAME = "x-amzn-sagemaker-custom-attributes"


@pytest.fixture(scope="module")
def client(parcels: Path) -> Client:
    return Client(parcels)


@pytest.mark.parametrize("rows", [1, 5000])
def test_an_answer_in_json_says_its_id_and_each_has_another(client: Client, rows: int) -> None:
    body = json.dumps({"instances": [{"size": 3, "colour": "red"}] * rows})
    replies = [client.invoke(body) for _ in range(3)]
    ids = [json.loads(reply.body)["id"] for reply in replies]
    assert len(set(ids)) == 3
    assert all(re.fullmatch("[0-9a-f]{24}", each) for each in ids)
    assert [reply.headers[NAME] for reply in replies] == [f"inference-id={each}" for each in ids]


@pytest.mark.parametrize("kind", [CSV, LINES, PARQUET])
def test_in_types_without_room_the_header_alone_says_it(client: Client, kind: str) -> None:
    reply = client.invoke(GOOD, accept=kind, x_amzn_sagemaker_inference_id="mine")
    assert reply.headers[NAME] == "inference-id=mine"
    assert b"mine" not in reply.body


def test_a_refusal_has_one_in_its_header_too_and_other_routes_have_none(client: Client) -> None:
    assert client.invoke(b"{").headers[NAME].startswith("inference-id=")
    assert b'"id"' not in client.invoke(b"{").body
    assert NAME not in client.ping().headers


def test_an_id_that_json_has_to_escape_is_escaped(client: Client) -> None:
    for body in (GOOD, json.dumps({"instances": [[3, "red"]] * 5000})):
        reply = client.invoke(body, x_amzn_sagemaker_inference_id='a"b\\c')
        assert json.loads(reply.body)["id"] == 'a"b\\c'


@pytest.mark.parametrize(
    ("headers", "identity", "told"),
    [
        ({INFERENCE_ID: b"a"}, "a", b"inference-id=a"),
        ({INFERENCE_ID: b"a", ATTRIBUTES: b"t=7"}, "a", b"t=7;inference-id=a"),
        ({INFERENCE_ID: b"a", ATTRIBUTES: b"inference-id=b"}, "a", b"inference-id=b;inference-id=a"),
        ({ATTRIBUTES: b"inference-id=b"}, "b", b"inference-id=b"),
        ({ATTRIBUTES: b"inference-id=a; inference-id=b ;t=7"}, "b", b"inference-id=a; inference-id=b ;t=7"),
        ({INFERENCE_ID: b"a", ATTRIBUTES: b"x" * 1009}, "a", b"x" * 1009 + b";inference-id=a"),
        ({INFERENCE_ID: b"a", ATTRIBUTES: b"x" * 1010}, "a", b"x" * 1010),
        ({INFERENCE_ID: b"a", ATTRIBUTES: b""}, "a", b"inference-id=a"),
    ],
)
def test_what_the_caller_sent_is_kept_and_the_id_comes_last(
    headers: dict[bytes, bytes], identity: str, told: bytes
) -> None:
    assert Ids().of(headers) == identity
    assert attributes(headers, identity) == told


@pytest.mark.parametrize("given", [b"", b"x" * 65, "é".encode("latin-1")])
def test_what_sagemaker_would_not_take_as_an_id_is_none(given: bytes) -> None:
    assert re.fullmatch("[0-9a-f]{24}", Ids().of({INFERENCE_ID: given}))


def test_the_openapi_document_names_it(client: Client) -> None:
    document = json.loads(client.request("GET", "/openapi.json").body)
    answer = document["paths"]["/invocations"]["post"]["responses"]["200"]["content"][JSON]["schema"]
    assert answer["properties"]["id"]["type"] == "string"
