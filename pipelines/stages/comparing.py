"""A challenger beside the champion that production runs, on the same held-out rows, as the packages' cards say it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from config.model import ERRORS, Promotion
from config.release import Approval, WhenBetter
from pipelines.stages.registry import Package

EXACT = 1e-12
"""What a difference of two metrics may be off by arithmetic alone."""

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Pair:
    """A metric of both, on some rows; the champion's is None where it was not measured on them."""

    rows: str
    metric: str
    challenger: float
    champion: float | None

    @property
    def gain(self) -> float | None:
        """By how much the challenger is better; negative where it is worse."""
        if self.champion is None:
            return None
        difference = self.challenger - self.champion
        return -difference if self.metric in ERRORS else difference

    def __str__(self) -> str:
        said = f"{self.metric} on {self.rows}: {self.challenger:.4f}"
        if self.champion is None or self.gain is None:
            return f"{said}, the champion was not measured there"
        better = "better" if self.gain >= 0 else "worse"
        return f"{said}, the champion {self.champion:.4f} ({abs(self.gain):.4f} {better})"


@dataclass(frozen=True)
class Comparison:
    """What the training run of the challenger has measured of both."""

    gate: Pair
    metrics: tuple[Pair, ...]
    """The other ones, on the gate's rows."""
    periods: tuple[Pair, ...]
    """The gate's metric in each period after training."""
    rival: str
    """S3 URI of the champion that it was measured beside."""
    reason: str
    """Why the champion was not measured, where it was not."""

    @classmethod
    def of(cls, card: Json) -> Comparison:
        """Reads the card of the challenger."""
        champion, promotion = card["champion"], card["promotion"]
        metric, rows = promotion["metric"], champion["rows"]
        rival = _values(champion["metrics"])
        own = _values(card["metrics"] if rows == "holdout" else card[rows]["metrics"])
        gate = Pair(rows, metric, promotion["compared"], rival.get(metric))
        others = tuple(Pair(rows, name, value, rival.get(name)) for name, value in own.items() if name != metric)
        return cls(gate, others, tuple(_periods(card, metric)), champion["uri"], champion["reason"])


@dataclass(frozen=True)
class Decision:
    """Whether a rule lets the release go on, and what it found."""

    given: bool
    why: str


def decision(
    approval: Approval, promotion: Promotion, champion: Package | None, challenger: Package, found: Comparison
) -> Decision:
    """What `approval` in model.yaml makes of it."""
    if not isinstance(approval, WhenBetter):
        return Decision(given=False, why="A person approves every release of this model (approval.kind: person).")
    if champion is None:
        return Decision(given=False, why="Production runs no package yet; a person approves the first.")
    if challenger.metadata.get("patched_from") == champion.arn:
        return Decision(given=True, why="It is the model that production runs, in a newer image.")
    objection = _objection(approval, promotion, champion, found)
    if objection:
        return Decision(given=False, why=objection)
    gain = found.gate.gain or 0.0
    return Decision(
        given=True, why=f"It beats the champion's {found.gate.metric} by {gain:.4f}, and no period is worse."
    )


def _objection(approval: WhenBetter, promotion: Promotion, champion: Package, found: Comparison) -> str | None:
    if found.rival != champion.model_data:
        return "It was measured beside another package than production runs now, so no rule can tell."
    gain = found.gate.gain
    if gain is None:
        return f"The champion could not be measured on the same rows: {found.reason or 'no reason given'}."
    if gain <= EXACT or gain < approval.margin - EXACT:
        return (
            f"Its {found.gate.metric} is {found.gate.challenger:.4f} and the champion's {found.gate.champion:.4f}; "
            f"without a person it must be better by at least {approval.margin:g}."
        )
    unknown = [pair.rows for pair in found.periods if pair.gain is None]
    if unknown:
        return f"The champion was not measured on the periods {', '.join(unknown)}, so they cannot be compared."
    tolerance = max(0.0, -promotion.margin)
    worse = [pair for pair in found.periods if pair.gain is not None and pair.gain < -tolerance - EXACT]
    if worse:
        worst = min(worse, key=lambda pair: pair.gain or 0.0)
        return f"It is worse in {len(worse)} of {len(found.periods)} periods; {worst}; {tolerance:g} is tolerated."
    return None


def _periods(card: Json, metric: str) -> Iterator[Pair]:
    rivals = card["champion"].get("periods", {})
    for name, own in sorted(card["periods"].items()):
        value = _values(own).get(metric)
        if value is not None:
            yield Pair(name, metric, value, _values(rivals.get(name, {})).get(metric))


def _values(metrics: Json) -> dict[str, float]:
    return {name: found["value"] for name, found in metrics.items()}
