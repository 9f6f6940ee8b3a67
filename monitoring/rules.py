"""When a period is yellow, red or unknown: numbers that a model's owner may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from monitoring.errors import MonitoringError


@dataclass(frozen=True)
class Rules:
    """The limits that turn measures into a tier; `monitoring.tier` applies them."""

    min_rows: int = 100
    """A period with fewer rows is unknown."""
    min_labels: int = 100
    """With fewer labels the realized performance decides nothing."""
    label_coverage: float = 0.5
    """The share of a period's rows that have a label, below which realized performance is at most yellow."""
    psi: float = 0.1
    """The population stability index of a feature from which its drift counts, where it is above its threshold too."""
    contribution: float = 0.01
    """The part of the reference's performance that a feature's changed mix must explain for its drift to count."""
    quality: float = 0.01
    """The share of rows that break the schema (missing, unseen, out of range) from which that counts."""
    schema_break: float = 0.5
    """The share of rows without a feature's column, or with values of another type, from which a period is red."""
    periods: int = 2
    """How many periods in a row must look bad before suspicion becomes red."""
    metrics: tuple[str, ...] = ()
    """The metrics that decide; empty for the task's own (roc_auc and accuracy, or mae)."""
    green_without_labels: bool = False
    """Whether a period without labels may be green; an estimate sees only a changed mix of rows."""

    @classmethod
    def parse(cls, body: Any) -> Rules:
        """The rules that a JSON object says; raises MonitoringError where it says something else."""
        known = {each.name: each.default for each in fields(cls)}
        if not isinstance(body, Mapping) or (strange := sorted(set(body) - set(known))):
            said = body if not isinstance(body, Mapping) else ", ".join(strange)
            raise MonitoringError(f"rules says {said}; known are: {', '.join(known)}")
        for name, value in body.items():
            default = known[name]
            fits = isinstance(value, list | tuple) if isinstance(default, tuple) else _number_like(value, default)
            if not fits:
                raise MonitoringError(f"rules.{name} is {value!r}; write something like {default!r}")
        said: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in body.items()
        }
        return cls(**said)

    def body(self) -> dict[str, Any]:
        """The same as a JSON object."""
        return asdict(self) | {"metrics": list(self.metrics)}


def _number_like(value: Any, default: Any) -> bool:
    if isinstance(default, bool):
        return isinstance(value, bool)
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
