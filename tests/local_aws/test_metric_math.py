import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_aws.errors import AwsError
from local_aws.metric_math import Expression

METRICS = {"errors": 3.0, "requests": 60.0, "none": None, "zero": 0.0}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("100 * errors / requests", 5.0),
        ("100*(errors/requests)^2", 0.25),
        ("-errors + 1", -2.0),
        ("IF(requests > 0, errors / requests, 0)", 0.05),
        ("IF(zero > 0, errors / zero, 7)", 7.0),
        ("IF(errors >= 3 AND requests < 61, 1, 0)", 1.0),
        ("IF(errors > 3 || requests == 60, 1, 0)", 1.0),
        ("errors <> 3", 0.0),
        ("FILL(none, 0) + errors", 3.0),
        ("SUM([errors, requests, none])", 63.0),
        ("AVG([errors, requests])", 31.5),
        ("MAX([errors, requests]) - MIN([errors, requests])", 57.0),
        ("CEIL(errors / 2) + FLOOR(errors / 2) + ABS(0 - errors)", 6.0),
    ],
)
def test_expressions_mean_what_they_mean_on_aws(text: str, value: float) -> None:
    assert Expression(text).value(METRICS) == pytest.approx(value)


@pytest.mark.parametrize("text", ["errors + none", "errors / zero", "SUM([none])", "IF(none > 1, 1, 2)"])
def test_there_is_no_value_where_data_is_missing_or_the_division_is_by_zero(text: str) -> None:
    assert Expression(text).value(METRICS) is None


@pytest.mark.parametrize(
    "text", ["RATE(errors)", "SUM(errors)", "SEARCH('x')", "ANOMALY_DETECTION_BAND(errors)", "errors % 2", "1 +"]
)
def test_what_is_not_rehearsed_is_refused_with_what_is(text: str) -> None:
    with pytest.raises(AwsError, match="is not rehearsed on the local AWS") as caught:
        Expression(text)
    assert "IF(condition, then, else)" in caught.value.message


def test_the_metrics_of_an_expression_are_its_names_without_the_functions() -> None:
    assert Expression("IF(requests > 0, SUM([errors, requests]), 0)").names == {"errors", "requests"}


@given(st.floats(0, 1e6), st.floats(1, 1e6))
def test_a_rate_is_a_rate(errors: float, requests: float) -> None:
    computed = Expression("100 * errors / requests").value({"errors": errors, "requests": requests})
    assert computed == pytest.approx(100 * errors / requests)
