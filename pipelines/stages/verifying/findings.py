"""What Verify has found: the checks that it made, and the sentences of those that failed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from config.naming import NOTHING

_TOLD = 5
"""Sentences of one kind that people are told; the report has them all."""
_LONGEST = 400
"""Of the line for people, in characters; the message of an approval takes a thousand."""


@dataclass(frozen=True)
class Check:
    """One thing that was asked: what, what was promised, what came, and, where it is not that, a sentence."""

    what: str
    promised: str
    got: str
    problem: str = ""


@dataclass
class Findings:
    """Everything about one endpoint; `load` is empty where no load was made."""

    model: str
    environment: str
    endpoint: str
    package: str
    execution: str = NOTHING
    at: str = ""
    """When it began, UTC."""
    package_checks: list[Check] = field(default_factory=list)
    """That the endpoint runs the package, and the package has the schema of model.yaml."""
    golden: list[Check] = field(default_factory=list)
    contract: list[Check] = field(default_factory=list)
    load: dict[str, Any] = field(default_factory=dict)
    load_checks: list[Check] = field(default_factory=list)
    alarms: list[Check] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """Every failed check in a sentence; of many of one kind the first few."""
        groups = {
            "checks of the package": self.package_checks,
            "golden answers": self.golden,
            "inputs": self.contract,
            "checks of the load": self.load_checks,
            "alarms": self.alarms,
        }
        return [sentence for kind, checks in groups.items() for sentence in _few(kind, checks)]

    @property
    def summary(self) -> str:
        """One line for people."""
        problems = self.problems
        if problems:
            count = f" ({len(problems)} findings)" if len(problems) > 1 else ""
            return textwrap.shorten(f"Failed{count}: {problems[0]}", _LONGEST)
        parts = [f"{len(self.golden)} golden answers", f"{len(self.contract)} inputs answered or refused as promised"]
        return ", ".join([*parts, self.load.get("summary", "no load"), "alarms quiet" if self.alarms else "no alarms"])

    def to_json(self) -> dict[str, Any]:
        """The content of `verify.json`."""
        problems = self.problems
        return {"passed": not problems, "summary": self.summary, "problems": problems, **asdict(self)}


def of_sentences(what: str, promised: str, sentences: Sequence[str]) -> list[Check]:
    """A check that held, or one for each sentence of what did not."""
    return [Check(what, promised, sentence, sentence) for sentence in sentences] or [Check(what, promised, promised)]


def failed(checks: Iterable[Check]) -> list[Check]:
    """Those that did not hold."""
    return [check for check in checks if check.problem]


def _few(kind: str, checks: Sequence[Check]) -> list[str]:
    sentences = [check.problem for check in failed(checks)]
    more = len(sentences) - _TOLD
    if more <= 0:
        return sentences
    return [*sentences[:_TOLD], f"{more} more of the {len(checks)} {kind} are not as promised; the report has them."]
