"""The calls that roles make, each once: what a policy has to allow."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_aws.permissions.lived import JOURNAL, Lived, Scene
from local_aws.permissions.plain import Plain

SESSION = re.compile(r"arn:aws:sts::\d+:assumed-role/([^/]+)/")
SERVICE = re.compile(r"[a-z0-9-]+\.amazonaws\.com")
SAME_EVERYWHERE = ("s3:max-keys", "kms:calleraccount")
ALWAYS_ALLOWED = ("sts:GetCallerIdentity",)
"""AWS asks no policy for these."""

OF_A_STACK = "aws:cloudformation:"
"""In the names of tags that CloudFormation gives to what it makes."""


@dataclass(frozen=True)
class Call:
    """One call of a role (the path of its construct) or of a service of AWS (`service:` and its name)."""

    who: str
    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()


class Record:
    """Calls, with the scenes in which they were made and how often."""

    def __init__(self) -> None:
        self._scenes: dict[Call, Counter[str]] = {}
        self.denied: Counter[Call] = Counter()
        self.others: Counter[str] = Counter()
        """Decisions about callers that are no roles of the stacks: people, and the CDK's own roles."""

    def read(self, lived: Lived) -> None:
        """Add the calls of a life."""
        plain = Plain(lived.paths, *lived.place)
        for line in (lived.home / JOURNAL).read_text().splitlines():
            decision = json.loads(line)
            who = _who(decision["caller"], lived.roles)
            if who is None:
                self.others[decision["caller"].rpartition("/")[0] or decision["caller"]] += 1
            elif decision["action"] not in ALWAYS_ALLOWED:
                call = Call(who, decision["action"], plain.resource(decision["resource"]), _context(decision, plain))
                if decision["decision"] == "allow":
                    counts = self._scenes.setdefault(call, Counter())
                    counts[_scene(lived.scenes, decision["time"])] += 1
                else:
                    self.denied[call] += 1

    def lines(self) -> Iterator[str]:
        """JSON, sorted; a count is told by its first digit, so that another run changes few lines."""
        for call in sorted(self._scenes, key=lambda call: (call.who, call.action, call.resource, call.context)):
            line: dict[str, Any] = {"who": call.who, "action": call.action, "resource": call.resource}
            if call.context:
                line["context"] = dict(call.context)
            line["calls"] = {scene: magnitude(count) for scene, count in sorted(self._scenes[call].items())}
            yield json.dumps(line)


def magnitude(count: int) -> int:
    """The power of ten that a count has reached: 1, 10, 100..."""
    return 10 ** (len(str(count)) - 1)


def _scene(scenes: Sequence[Scene], time: float) -> str:
    """The scene of a moment."""
    begun = [scene.name for scene in sorted(scenes, key=lambda scene: scene.begin) if scene.begin <= time]
    return begun[-1] if begun else scenes[0].name


def _who(caller: str, roles: Mapping[str, str]) -> str | None:
    if SERVICE.fullmatch(caller):
        return f"service:{caller}"
    session = SESSION.match(caller)
    return roles.get(session[1]) if session else None


def _context(decision: Mapping[str, Any], plain: Plain) -> tuple[tuple[str, str], ...]:
    kept = {
        key: plain.text(value)
        for key, value in decision["context"].items()
        if key.lower() not in SAME_EVERYWHERE and OF_A_STACK not in key.lower()
    }
    return tuple(sorted(kept.items()))
