"""What a model's policy does with rows that break its schema."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model_server.contract import Request
from model_server.testing import Client
from tests.model_server.cases import CSV, JSON, instances

Make = Callable[..., Client]


@pytest.fixture
def client_with(parcels: Path, tmp_path: Path) -> Make:
    """A client of the parcels model whose training saw no green, with a policy."""

    def make(**policy: str) -> Client:
        package = tmp_path / "-".join(["parcels", *policy.values()])
        shutil.copytree(parcels, package)
        content: dict[str, Any] = json.loads((package / "signature.json").read_text())
        content["policy"] |= policy
        content["features"][1]["seen"] = ["red", "blue"]
        (package / "signature.json").write_text(json.dumps(content))
        return Client(package)

    return make


ROWS = instances([3, "red"], [3, "green"], [3, "pink"], [12, "red"])


def test_by_default_an_unseen_category_is_answered_and_flagged(client_with: Make) -> None:
    red, green = client_with().predict([[3, "red"], [3, "green"]])
    assert "flags" not in red
    (flag,) = green["flags"]
    assert (flag["code"], flag["field"], flag["row"]) == ("category_unseen", "colour", 1)
    assert flag["message"] == "row 1: colour is 'green'; training had none like it, only: red, blue"
    assert 0 < green["probability"] < 1


def test_refuse_refuses_the_whole_request(client_with: Make) -> None:
    reply = client_with(unseen="refuse").invoke(instances([3, "red"], [3, "green"]))
    assert (reply.status, json.loads(reply.body)["code"]) == (422, "category_unseen")


def test_flag_answers_what_the_model_can_and_refuses_the_rest(client_with: Make) -> None:
    client = client_with(invalid="flag")
    told = json.loads(client.invoke(ROWS).body)["predictions"]
    assert [[flag["code"] for flag in each.get("flags", [])] for each in told] == [
        [],
        ["category_unseen"],
        ["category_unknown"],
        ["out_of_range"],
    ]
    assert all("probability" in each for each in told)
    assert client.invoke(instances(["x", "red"])).status == 422
    assert client.invoke(instances([3])).status == 422
    assert client.invoke("3,green\n12,red\n", CSV).body.count(b"\n") == 2


def test_quarantine_leaves_a_row_out_with_its_reason_and_answers_the_others(client_with: Make) -> None:
    client = client_with(invalid="quarantine", unseen="quarantine")
    told = json.loads(client.invoke(ROWS).body)["predictions"]
    assert [each.get("error", {}).get("code") for each in told] == [
        None,
        "category_unseen",
        "category_unknown",
        "out_of_range",
    ]
    assert client.invoke(instances([3], ["x", "red"])).status == 200
    assert client.invoke("3,red\n12,red\n", CSV).body.splitlines()[1] == b","


def test_what_was_done_with_rows_is_counted_by_reason(client_with: Make) -> None:
    client = client_with(unseen="flag", invalid="quarantine")
    (response,) = client.routes.handle_many([Request("POST", "/invocations", JSON, JSON, ROWS)])
    assert sorted(response.findings) == [
        ("category_unknown", "quarantine", 1),
        ("category_unseen", "flag", 1),
        ("out_of_range", "quarantine", 1),
    ]


def test_one_broken_request_costs_its_neighbours_nothing(client_with: Make) -> None:
    client = client_with()
    good = Request("POST", "/invocations", JSON, JSON, instances([3, "red"]))
    broken = [good._replace(body=body) for body in (ROWS, b"{", instances([None, "red"]), instances([99, "blue"]))]
    alone = client.routes.handle(good)
    responses = client.routes.handle_many([good, *broken, good])
    assert [response.status for response in responses] == [200, 422, 400, 200, 422, 200]
    assert responses[0].body == responses[-1].body == alone.body
