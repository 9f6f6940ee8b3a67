from __future__ import annotations

import pytest

from model_server.golden import Golden, GoldenRequest

JSON, LINES, CSV = "application/json", "application/jsonlines", "text/csv"


@pytest.mark.parametrize(
    ("accept", "stored", "got", "difference"),
    [
        (JSON, '{"a": [0.5, 1]}', b'{"a": [0.5000009, 1]}', None),
        (JSON, '{"a": [0.5, 1]}', b'{"a": [0.50001, 1]}', "the answer.a[0] is 0.50001; stored is 0.5, within 1e-06"),
        (JSON, "[2000.0]", b"[2000.001]", None),
        (JSON, "[2000.0]", b"[2000.003]", "the answer[0] is 2000.003; stored is 2000.0, within 1e-06"),
        (JSON, '{"a": 0}', b'{"a": 1}', "the answer.a is 1; stored is 0, within 1e-06"),
        (JSON, '{"a": 0.5}', b'{"b": 0.5}', "the answer is {'b': 0.5}; stored is {'a': 0.5}, within 1e-06"),
        (JSON, "[1, 2]", b"[1]", "the answer is [1]; stored is [1, 2], within 1e-06"),
        (JSON, '{"a": "late"}', b'{"a": "early"}', "the answer.a is 'early'; stored is 'late', within 1e-06"),
        (JSON, '{"a": 0.0}', b'{"a": null}', "the answer.a is None; stored is 0.0, within 1e-06"),
        (CSV, "0.5,late\n", b"0.5000001,late\n", None),
        (CSV, "0.5,late\n", b"0.5,early\n", "the answer[0][1] is 'early'; stored is 'late', within 1e-06"),
        (LINES, '{"a": 1}\n{"a": 2}\n', b'{"a": 1}\n{"a": 3}\n', "the answer[1].a is 3; stored is 2, within 1e-06"),
    ],
)
def test_an_answer_is_held_against_the_stored_one(accept: str, stored: str, got: bytes, difference: str | None) -> None:
    request = GoldenRequest(JSON, accept, "{}", stored)
    assert Golden(1e-6, (request,)).difference(request, got) == difference


def test_the_id_of_an_answer_is_no_difference() -> None:
    request = GoldenRequest(JSON, JSON, "{}", '{"predictions":[1]}')
    golden = Golden(1e-6, (request,))
    assert golden.difference(request, b'{"predictions":[1],"id":"a"}') is None
    assert golden.difference(request, b'{"predictions":[2],"id":"a"}') is not None


@pytest.mark.parametrize(
    ("scale", "got", "same"), [(200.0, b"[0.0011]", True), (1.0, b"[0.0011]", False), (1e-3, b"[0.00100001]", False)]
)
def test_a_number_near_zero_is_held_to_the_scale_of_its_model(scale: float, got: bytes, same: bool) -> None:
    request = GoldenRequest(JSON, JSON, "{}", "[0.001]")
    assert (Golden(1e-6, (request,), scale).difference(request, got) is None) is same
