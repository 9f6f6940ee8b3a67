from __future__ import annotations

from monitoring.page import page
from monitoring.page.markup import Markup, escape, join, shorten, tag
from tests.monitoring.page.reading import Page
from tests.monitoring.page.reports import employment

EVIL = "<script>alert('x')</script>\"&<!--\u202e\x00\ud800"


def evil_report() -> dict[str, object]:
    """A report in which every text that comes from data would do harm."""
    report = employment()
    report |= {"name": EVIL, "why": [EVIL], "problems": [EVIL], "not_monitored": {EVIL: EVIL}}
    features = report["reference"]["features"]
    features[EVIL] = features.pop("RELP")
    features[EVIL] |= {"kind": EVIL, "bins": [EVIL, *features[EVIL]["bins"][1:]]}
    for body in report["periods"].values():
        body["features"][EVIL] = body["features"].pop("RELP") | {"unseen": {EVIL: 5}, "alerts": ["psi", EVIL]}
        body["why"] = body["problems"] = [EVIL]
        body["segments"][EVIL] = {EVIL: {"n": 3, "estimated": {EVIL: 0.5}, "realized": {}}}
        body["estimated"][EVIL] = body["estimated"]["roc_auc"]
        body["concept_drift"][EVIL] = {"value": 0.1, "lower": 0, "upper": 0.2, "alert": True}
        body["contribution_metric"] = EVIL
        for row in body["ranking"]:
            row["feature"] = EVIL if row["feature"] == "RELP" else row["feature"]
    report["periods"][EVIL] = report["periods"].pop("2018-11")
    report["latest"] = EVIL
    return report


def test_no_text_of_the_data_becomes_markup() -> None:
    source = page(evil_report())
    read = Page(source)
    assert len(read.all("script")) == 1
    assert len(read.all("style")) == 1
    assert source.count("<!--") == 0
    assert "&lt;script&gt;" in source
    known = {each.tag for each in Page(page(employment())).elements}
    assert {each.tag for each in read.elements} <= known


def test_the_page_can_be_written_whatever_the_data_says() -> None:
    source = page(evil_report())
    assert source.encode()
    assert not {"\u202e", "\x00", "\ud800"} & set(source)


def test_text_is_escaped_and_markup_is_not() -> None:
    assert tag("p", "<b>", Markup("<br>"), title='"') == '<p title="&quot;">&lt;b&gt;<br></p>'
    assert join(["<", Markup("<i></i>")], between=" & ") == "&lt; &amp; <i></i>"
    assert tag("svg", viewBox="0 0 1 1", class_="a", stroke_width=2, id=None) == (
        '<svg viewBox="0 0 1 1" class="a" stroke-width="2"></svg>'
    )
    assert escape("a\tb\x07") == "a b\ufffd"
    assert shorten("a long name", 7) == "a long…"
