"""The page as a whole."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monitoring.page import facts, naming
from monitoring.page.blocks import section
from monitoring.page.facts import Report
from monitoring.page.lamps import icon, sprite
from monitoring.page.markup import EMPTY, Markup, tag
from monitoring.page.sections import features, glossary, light, performance, quality, segments, tables, whole

NOTHING = "Performance, features and drift are shown here as soon as the model has seen rows of a first period."
HERE = Path(__file__).parent


def page(report: Mapping[str, Any]) -> str:
    """The page of a report.json: HTML that needs nothing from anywhere else."""
    known = facts.read(report)
    return f"<!doctype html>\n{tag('html', _head(known), _body(known), lang='en')}\n"


def _head(report: Report) -> Markup:
    when = f", {naming.period(report.latest.key).full}" if report.latest else ""
    style, script = _file("style.css"), _file("hover.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    metas = [
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", f"{report.tier.upper()}: {report.name or 'a model'}{when}"),
        tag("link", rel="icon", href=icon(report.tier)),
        tag("style", style),
    ]
    return tag("head", *metas)


def _body(report: Report) -> Markup:
    sections = [
        light.strip(report),
        performance.render(report),
        features.render(report),
        quality.render(report),
        segments.render(report),
        whole.render(report),
        tables.render(report),
    ]
    if not report.periods:
        sections = [section("performance", "Nothing to show yet", NOTHING), quality.render(report)]
    contents = _contents(sections) if report.periods else EMPTY
    main = tag("main", light.render(report), contents, *sections)
    return tag("body", sprite(), main, glossary.render(), tag("script", _file("hover.js")))


def _contents(sections: list[Markup]) -> Markup:
    names = {"lights": "Lights over time", "performance": "Performance", "features": "Features"}
    names |= {"quality": "Data quality", "segments": "Segments", "whole": "Drift as a whole", "numbers": "All numbers"}
    found = [(key, name) for key, name in names.items() if any(f'<section id="{key}"' in each for each in sections)]
    links = [tag("a", name, href=f"#{key}") for key, name in [*found, ("words", "What the words mean")]]
    return tag("nav", *links, aria_label="Sections")


def _file(name: str) -> Markup:
    return Markup((HERE / name).read_text(encoding="utf-8"))


def _hash(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
