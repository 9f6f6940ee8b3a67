"""Checks each row against the model's schema, and hands on the rows as the model reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from model_server.bodies.table import Column, Table
from model_server.columns import Problem, category, number
from model_server.contract import Finding
from model_server.errors import Violation
from model_server.scoring import Rows
from model_server.signature import Action, Category, Policy, Signature

_FLAGGED = ("category_unknown", "category_unseen", "out_of_range")


@dataclass(frozen=True)
class Checked:
    """The rows of a table that can be scored, and what is wrong with the others.

    `places` are the scored rows' numbers among all `count`; None where all of them are scored. `left_out` holds the
    reason of each row that is not, `flagged` that of each row which is scored although it breaks the schema.
    """

    rows: Rows
    count: int
    places: np.ndarray | None = None
    left_out: Mapping[int, Violation] = field(default_factory=dict)
    flagged: Mapping[int, Violation] = field(default_factory=dict)
    findings: Sequence[Finding] = ()


class _Broken(NamedTuple):
    violation: Violation
    action: Action


def check(signature: Signature, table: Table, *, partial: bool = False) -> Checked:
    """The table's rows, typed.

    Raises the Violation of the first row that is refused by the model's policy, unless *partial* asks to leave it out.
    """
    rows, problems = _typed(signature, table)
    if not problems and not table.misshapen:
        return Checked(rows, table.count)
    broken = _broken(signature.policy, table, problems)
    refused = [row for row, each in broken.items() if each.action == "refuse"]
    if refused and not partial:
        raise broken[min(refused)].violation
    flagged = {row: each.violation for row, each in broken.items() if each.action == "flag"}
    left_out = {row: each.violation for row, each in broken.items() if row not in flagged}
    counted = Counter((each.violation.code, each.action) for each in broken.values())
    findings = [Finding(code, action, count) for (code, action), count in sorted(counted.items())]
    if not left_out:
        return Checked(rows, table.count, flagged=flagged, findings=findings)
    places = np.delete(np.arange(table.count), list(left_out))
    kept = np.searchsorted(_origin(table), places)
    return Checked(Rows(rows.numbers[kept], rows.categories[kept]), table.count, places, left_out, flagged, findings)


def _typed(signature: Signature, table: Table) -> tuple[Rows, list[tuple[Problem, Column]]]:
    height = table.count - len(table.misshapen)
    numbers = np.empty((height, len(signature.numbers)), np.float32)
    categories = np.empty((height, len(signature.categories)), object)
    problems: list[tuple[Problem, Column]] = []
    at_number = at_category = 0
    for feature, values in zip(signature.features, table.columns, strict=True):
        if isinstance(feature, Category):
            categories[:, at_category], found = category(feature, values, textual=table.textual)
            at_category += 1
        else:
            numbers[:, at_number], found = number(feature, values, textual=table.textual)
            at_number += 1
        problems += [(problem, values) for problem in found]
    return Rows(numbers, categories), problems


def _origin(table: Table) -> np.ndarray:
    """The row number of each value in a column."""
    return np.delete(np.arange(table.count), list(table.misshapen))


def _broken(policy: Policy, table: Table, problems: list[tuple[Problem, Column]]) -> dict[int, _Broken]:
    """By row what is wrong first; what leaves it without an answer goes before what flags it."""
    broken = {row: _Broken(violation, _action(policy, violation.code)) for row, violation in table.misshapen.items()}
    origin = _origin(table)
    for problem, values in problems:
        action = _action(policy, problem.code) if problem.answerable else _action(policy, "")
        for place in problem.places.tolist():
            row = int(origin[place])
            if row not in broken or (broken[row].action == "flag" != action):
                broken[row] = _Broken(problem.violation(values, place, row), action)
    return broken


def _action(policy: Policy, code: str) -> Action:
    action = policy.unseen if code == "category_unseen" else policy.invalid
    return "refuse" if action == "flag" and code not in _FLAGGED else action
