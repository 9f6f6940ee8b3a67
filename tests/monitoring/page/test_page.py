from __future__ import annotations

import base64
import hashlib
import re
from itertools import pairwise
from typing import Any

import pytest

from monitoring.page import page
from tests.monitoring.page.reading import Page
from tests.monitoring.page.rents import newcomer, rents, wide
from tests.monitoring.page.reports import employment

REPORTS = {
    "red": employment,
    "yellow": lambda: employment(latest=21),
    "green": lambda: employment(latest=9),
    "unknown": lambda: employment(latest=6),
    "no labels": lambda: employment(labels=False),
    "realized collapse": rents,
    "one period without a time": newcomer,
    "no period": lambda: {**employment(), "periods": {}, "latest": None, "tier": "unknown", "why": []},
    "nothing": dict,
}


@pytest.fixture(params=REPORTS, scope="module")
def source(request: pytest.FixtureRequest) -> str:
    return page(REPORTS[request.param]())


@pytest.fixture(scope="module")
def read(source: str) -> Page:
    return Page(source)


def test_tags_are_balanced_and_ids_are_said_once(read: Page) -> None:
    names = [each.attributes["id"] for each in read.elements if "id" in each.attributes]
    assert len(names) == len(set(names))
    for each in read.elements:
        for key in ("href", "aria-labelledby"):
            target = each.attributes.get(key, "")
            if target and not target.startswith("data:"):
                assert target.removeprefix("#") in names


def test_nothing_comes_from_anywhere_else(source: str, read: Page) -> None:
    without = source.replace("http://www.w3.org/2000/svg", "")
    assert "http:" not in without
    assert "https:" not in without
    policies = [each for each in read.all("meta") if each.attributes.get("http-equiv") == "Content-Security-Policy"]
    policy = policies[0].attributes["content"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (element,) = read.all(tag)
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not [each for each in read.elements if {"src", "style"} & set(each.attributes)]
    assert not [key for each in read.elements for key in each.attributes if key.startswith("on")]


def test_every_drawing_says_what_it_shows(read: Page) -> None:
    for drawing in read.all("svg"):
        if drawing.attributes.get("aria-hidden") != "true":
            assert drawing.attributes["role"] == "img"
            assert drawing.children[0].tag == "title"
            assert drawing.children[0].text == drawing.attributes["aria-label"]


def test_headings_leave_no_level_out(read: Page) -> None:
    levels = [int(each.tag[1]) for each in read.elements if re.fullmatch("h[1-6]", each.tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_no_number_is_written_as_a_machine_would(read: Page) -> None:
    text = read.text
    assert not re.search(r"\b(nan|inf|None|null|True|False)\b", text)
    assert not re.search(r"\d[eE][+-]?\d", text)
    assert not re.search(r"\d\.\d{5,}", text)


@pytest.mark.parametrize("tier", ["green", "yellow", "red", "unknown"])
def test_the_light_is_a_word_and_a_shape_besides_a_colour(tier: str) -> None:
    read = Page(page(employment() | {"tier": tier}))
    assert read.all("strong")[0].text == tier.upper()
    assert read.all("svg", "big")[0].children[0].attributes["href"] == f"#lamp-{tier}"
    shapes = {each.children[0].attributes["d"] + each.children[1].attributes["d"] for each in read.all("symbol")}
    assert len(shapes) == 4
    assert read.all("title")[0].text.startswith(f"{tier.upper()}: employment, November 2018")


def test_the_reasons_stand_first_and_every_period_has_its_light() -> None:
    report = employment()
    read = Page(page(report))
    assert read.all("p", "headline")[0].text == report["why"][0]
    (strip,) = read.all("div", "strip")
    lights = [light.children[2].text.split(": ")[1] for group in strip.children for light in group.children[1].children]
    assert [period["tier"] for period in report["periods"].values()] == lights


def test_metrics_come_in_the_order_of_their_weight() -> None:
    def shown(report: dict[str, Any]) -> list[str]:
        read = Page(page(report))
        return [
            each.children[0].children[0].text for each in read.all("figure") if each.children[0].children[0].tag == "h3"
        ]

    assert shown(employment())[:3] == ["ROC AUC", "Accuracy", "F1"]
    assert shown(rents())[:3] == ["Mean absolute error", "Root mean squared error", "R²"]


def test_features_come_as_the_report_ranks_them() -> None:
    report = employment()
    names = [row["feature"] for row in report["periods"]["2018-11"]["ranking"]]
    listed = Page(page(report)).all("ol", "features")[0]
    assert [row.children[0].children[0].children[1].children[0].text for row in listed.children] == names
    assert "5.8 points of accuracy lost" in listed.children[0].text
    assert "Alerts in every period since" in listed.children[0].text


def test_features_that_nothing_ranks_come_by_alerts_and_psi() -> None:
    report = employment()
    report["periods"]["2018-11"]["ranking"] = None
    listed = Page(page(report)).all("ol", "features")[0]
    assert listed.children[0].children[0].children[0].children[1].children[0].text == "AGEP"
    assert len(listed.children) == 16


def test_a_collapse_that_the_estimate_does_not_see_is_told() -> None:
    text = Page(page(rents())).text
    assert "all 3 estimated metrics are normal; 3 of 3 realized metrics are not normal" in text
    assert "Did their meaning for the label change? Yes, by 3 metrics, in December 2018." in text


def test_data_quality_lists_only_what_has_something_to_say() -> None:
    (table,) = Page(page(employment())).all("table", "rates")
    assert [row.children[0].text for row in table.children[2].children] == ["RELP", "MIL", "SCHL"]
    assert "All is well" in Page(page(newcomer())).text


def test_sizes_stay_small() -> None:
    assert len(page(wide(20, 24)).encode()) < 600_000
    source = page(wide(200, 36))
    assert len(source.encode()) < 1_000_000
    read = Page(source)
    assert len(read.all("ol", "features")[0].children) == 30
    assert "170 more features" in read.text


def test_many_categories_and_many_periods_do_not_swell_the_page() -> None:
    few, many = len(page(wide(4, 6, categories=30))), len(page(wide(4, 6, categories=2000)))
    assert many < few * 1.05
    report = employment()
    bodies = list(report["periods"].values())
    report["periods"] = {f"2018-{1 + day // 28:02}-{1 + day % 28:02}": bodies[day % 23] for day in range(336)}
    assert len(page(report).encode()) < 1_000_000


def test_what_was_captured_is_shown_where_the_report_knows_it() -> None:
    report = employment()
    assert "Captured" not in Page(page(report)).text
    report["periods"]["2018-11"]["capture"] = {"answered": 1000, "captured": 970, "coverage": 0.97}
    report |= {"light": {"since": "2018-12-01T05:00:00Z"}, "package": "arn:aws:sagemaker:x:1:model-package/group/3"}
    (facts,) = Page(page(report)).all("dl", "facts")
    assert "Captured970 of 1,000 answers (97%)" in facts.text
    assert "Like this since2018-12-01" in facts.text
    assert "Packagegroup/3" in facts.text
