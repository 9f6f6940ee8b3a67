"""The page that a release keeps."""

from __future__ import annotations

from config.release import Load
from pipelines.stages.verifying import chart, load, page
from pipelines.stages.verifying.chart import Line
from pipelines.stages.verifying.findings import Check, Findings
from tests.pipelines.stages.test_verify_load import PLAN, tally


def findings(**checks: list[Check]) -> Findings:
    found = Findings("parcels", "staging", "post-parcels-staging", "arn:1", "execution-1", "2026-11-25T12:00:00+00:00")
    for name, each in checks.items():
        setattr(found, name, each)
    return found


def test_a_page_shows_figures_and_charts_and_needs_nothing_else() -> None:
    found = findings(golden=[Check("golden request 1", "as stored", "as stored")] * 20)
    found.load = load.told(tally({5: 90, 30: 10}, {"ModelError 500": 1}), PLAN, Load(p99_ms=40))
    written = page.write(found)
    assert written.count("<svg") == 2
    assert "limit of p99: 40 ms" in written
    assert "<summary>20 as promised</summary>" in written
    assert "http" not in written
    assert "<script" not in written


def test_a_page_says_first_what_is_wrong_and_escapes_what_servers_say() -> None:
    found = findings(contract=[Check("an empty body", "refused", "200: <b>", "Input <b> must be refused; got 200.")])
    written = page.write(found)
    assert written.index("Input &lt;b&gt; must be refused; got 200.") < written.index("Good and bad input")
    assert "<b>:" not in written
    assert 'class="verdict bad"' in written


def test_of_many_sentences_of_a_kind_people_are_told_a_few() -> None:
    found = findings(golden=[Check("g", "p", "x", f"Golden request {number} differs.") for number in range(9)])
    assert found.problems[4:] == [
        "Golden request 4 differs.",
        "4 more of the 9 golden answers are not as promised; the report has them.",
    ]
    assert found.summary == "Failed (6 findings): Golden request 0 differs."
    assert "Golden request 8 differs." in str(found.to_json()["golden"])


def test_a_chart_stands_gaps_a_single_second_and_a_limit_far_away() -> None:
    gaps = chart.svg("t", [Line("p50", "a", [1.0, None, 3.0])], limit=500, limit_name="limit")
    assert "limit" not in gaps
    assert "<circle" in chart.svg("t", [Line("p50", "a", [2.0])])
    assert "<path" not in chart.svg("t", [Line("p50", "a", [None, None])])
