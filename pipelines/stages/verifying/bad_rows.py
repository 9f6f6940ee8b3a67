"""Rows that break a model's schema in every way there is, and what its policy promises to each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from model_server import media
from model_server.signature import Category, Number, Policy, Signature
from pipelines.stages.verifying import outcomes, rows
from pipelines.stages.verifying.asking import Question
from pipelines.stages.verifying.outcomes import Outcome

_UNKNOWN = "~unknown~"
_TOO_LARGE = 1e39
"""Beyond any 32-bit number."""


class Promise(NamedTuple):
    """Something to ask, what it is in words, and what must come of it."""

    what: str
    question: Question
    outcome: Outcome


class _Bad(NamedTuple):
    """A value that is wrong; `answerable` where the model could answer it all the same."""

    what: str
    value: Any
    answerable: bool = False
    unseen: bool = False


def promises(signature: Signature, row: dict[str, Any]) -> Iterator[Promise]:
    """Of *row*, with which nothing is wrong, every feature changed in every way that its schema does not allow."""
    policy = signature.policy
    for feature in signature.features:
        name = feature.name
        without = {other: value for other, value in row.items() if other != name}
        yield Promise(f"{name} left out", Question(rows.instances(without)), outcome(policy))
        bad = _categories(feature) if isinstance(feature, Category) else _numbers(feature)
        for what, value, answerable, unseen in bad:
            body = rows.instances({**row, name: value})
            yield Promise(f"{name}: {what}", Question(body), outcome(policy, answerable=answerable, unseen=unseen))
    yield from _lines(signature, row)


def outcome(policy: Policy, *, answerable: bool = False, unseen: bool = False) -> Outcome:
    """What the policy promises to a single bad row."""
    action = policy.unseen if unseen else policy.invalid
    if action == "quarantine":
        return outcomes.marked("error", "left out with its reason")
    if action == "flag" and answerable:
        return outcomes.marked("flags", "answered and flagged")
    return outcomes.refused(422)


def _numbers(feature: Number) -> Iterator[_Bad]:
    yield _Bad("a text instead of a number", "many")
    yield _Bad("true instead of a number", True)  # noqa: FBT003
    yield _Bad("too large for 32 bits", _TOO_LARGE)
    if not feature.nullable:
        yield _Bad("empty", None)
    if feature.minimum is not None:
        yield _Bad("below its minimum", feature.minimum - 1 - abs(feature.minimum) * 0.01, answerable=True)
    if feature.maximum is not None:
        yield _Bad("above its maximum", feature.maximum + 1 + abs(feature.maximum) * 0.01, answerable=True)


def _categories(feature: Category) -> Iterator[_Bad]:
    yield _Bad("a fraction instead of a text", 1.5)
    yield _Bad("a list instead of a text", [feature.values[0]])
    yield _Bad("a category that model.yaml does not have", _UNKNOWN, answerable=True)
    if not feature.nullable:
        yield _Bad("empty", None)
    unseen = [value for value in feature.values if value not in feature.known]
    if unseen:
        yield _Bad("a category that training never saw", unseen[0], answerable=True, unseen=True)


def _lines(signature: Signature, row: dict[str, Any]) -> Iterator[Promise]:
    """What only CSV can get wrong."""
    line, policy = [row[name] for name in signature.names], outcome(signature.policy)
    absent = f"{media.CSV}; header=absent"
    yield Promise("a line that is too long", Question(rows.as_csv([*line, 1]), absent), policy)
    if len(line) > 1:
        yield Promise("a line that is too short", Question(rows.as_csv(line[:-1]), absent), policy)
        header = rows.as_csv(signature.names[1:], line[1:])
        yield Promise(f"a header without {signature.names[0]}", Question(header, media.CSV), outcomes.refused(422))
    for feature in signature.numbers[:1]:
        for text in ("nan", "inf", "1_000"):
            body = rows.as_csv([text if name == feature.name else row[name] for name in signature.names])
            yield Promise(f"{feature.name}: {text} in CSV", Question(body, absent), policy)
