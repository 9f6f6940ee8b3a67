from __future__ import annotations

import pytest

from model_server.errors import BadRequest, NotAcceptable
from model_server.media import CSV, JSON, JSON_LINES, negotiate


@pytest.mark.parametrize(
    ("accept", "asked", "answered"),
    [
        ("", CSV, CSV),
        ("*/*", JSON_LINES, JSON_LINES),
        ("*/*", JSON, JSON),
        ("text/csv", JSON, CSV),
        ("TEXT/CSV; charset=utf-8", JSON, CSV),
        ("application/x-ndjson", CSV, JSON_LINES),
        ("application/*", CSV, JSON),
        ("text/*", JSON, CSV),
        ("image/png, text/csv", JSON, CSV),
        ("text/csv;q=0.5, application/json", CSV, JSON),
        ("application/json;q=0, */*", JSON, JSON_LINES),
        ("*/*;q=0.1, text/csv;q=0.9", JSON, CSV),
        ("text/csv, application/json", JSON, JSON),
    ],
)
def test_the_answer_comes_as_the_caller_prefers_and_else_as_it_asked(accept: str, asked: str, answered: str) -> None:
    assert negotiate(accept, asked) == (answered, False)


@pytest.mark.parametrize("accept", ["image/png", "text/csv;q=0", "application/json;q=0, text/csv;q=0.0"])
def test_a_type_that_no_answer_comes_in_is_refused(accept: str) -> None:
    with pytest.raises(NotAcceptable, match="this model answers in: application/json, application/jsonlines, text/csv"):
        negotiate(accept, JSON)


def test_partial_results_are_a_parameter_of_any_type() -> None:
    assert negotiate("text/csv; q=0.5, application/json; partial=true", CSV) == (JSON, True)
    assert negotiate("*/*;partial=true", CSV) == (CSV, True)
    assert negotiate("text/csv; partial=no", CSV) == (CSV, False)


def test_a_quality_that_is_no_number_is_said() -> None:
    with pytest.raises(BadRequest, match="q is 'high' in Accept; write a number from 0 to 1"):
        negotiate("text/csv;q=high", JSON)
