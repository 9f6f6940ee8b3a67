"""How a release takes over an endpoint's traffic, and what brings the old one back."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, field_validator

from config.closed import Closed
from config.hosting import Dedicated, Hosting

Watched = Literal["errors_5xx", "errors_4xx", "model_latency", "overhead_latency"]

_SHORTEST = 5
_LONGEST = 7 * 60
"""Minutes that a roll-out may wait in all: SageMaker ends one after eight hours, and new instances take time too."""


class _Rollout(Closed):
    bake_minutes: int = Field(default=10, ge=_SHORTEST, le=60)
    """How long alarms are watched after each shift of traffic, at most an hour. An alarm needs up to three minutes of
    requests, and CloudWatch one more, so less than five watches nothing."""
    keep_minutes: int = Field(default=0, ge=0, le=60)
    """How long the old fleet is kept after the last of it."""
    rollback_on: tuple[Watched, ...] = ("errors_5xx", "model_latency")
    """The endpoint's own alarms that bring the old fleet back while one of them is in alarm."""
    alarms: tuple[Annotated[str, Field(min_length=1, max_length=255)], ...] = ()
    """Names of other CloudWatch alarms that do too; whoever names them has made them."""


class AllAtOnce(_Rollout):
    """All traffic shifts when the new fleet is up."""

    kind: Literal["all-at-once"] = "all-at-once"
    bake_minutes: int = Field(default=0, ge=0, le=60)
    """How long alarms are watched after the shift: five minutes or more, or 0 for not at all."""

    @field_validator("bake_minutes")
    @classmethod
    def _long_enough(cls, minutes: int) -> int:
        if 0 < minutes < _SHORTEST:
            raise ValueError(f"alarms need {_SHORTEST} minutes to see anything; write 0, or {_SHORTEST} to 60")
        return minutes


class Canary(_Rollout):
    """A part of the fleet takes traffic first, then the rest."""

    kind: Literal["canary"]
    percent: int = Field(default=10, ge=1, le=50)
    """The canary's share of the fleet, rounded up to whole instances."""


class Linear(_Rollout):
    """Traffic shifts in equal steps."""

    kind: Literal["linear"]
    percent: int = Field(default=25, ge=10, le=50)
    """Each step's share of the fleet, rounded up to whole instances."""


class Rolling(_Rollout):
    """Instances are replaced in batches, so that no second fleet is needed."""

    kind: Literal["rolling"]
    percent: int = Field(default=25, ge=5, le=50)
    """Each batch's share of the fleet, rounded up to whole instances."""
    keep_minutes: Literal[0] = 0
    """Rolling keeps no old fleet."""


Rollout = Annotated[AllAtOnce | Canary | Linear | Rolling, Field(discriminator="kind")]


def default(hosting: Hosting, environment: str) -> Rollout:
    """What is done where model.yaml says nothing: staging has no users; in production alarms watch every release."""
    if environment == "staging":
        return AllAtOnce()
    many = isinstance(hosting, Dedicated) and hosting.instances > 1
    return Canary(kind="canary") if many else AllAtOnce(bake_minutes=10)


def refusal(rollout: Rollout, hosting: Hosting) -> str | None:
    """Why SageMaker would refuse this roll-out on that hosting, and what to write instead."""
    if isinstance(rollout, AllAtOnce):
        return None
    instead = "write `rollout: {kind: all-at-once, bake_minutes: 10}`"
    if not isinstance(hosting, Dedicated):
        return f"rollout.kind is {rollout.kind!r}, which shifts instances, and serverless hosting has none; {instead}"
    if hosting.instances < 2:
        return (
            f"rollout.kind is {rollout.kind!r} and hosting.instances is {hosting.instances}: SageMaker takes at most "
            f"half of a fleet in a step; write instances: 2 or more, or {instead}"
        )
    steps = _steps(rollout, hosting)
    if (minutes := steps * rollout.bake_minutes + rollout.keep_minutes) > _LONGEST:
        return (
            f"rollout.kind is {rollout.kind!r} with percent {rollout.percent} and bake_minutes {rollout.bake_minutes}: "
            f"{steps} steps wait {minutes} minutes in all, and SageMaker ends a roll-out after 8 hours; write a larger "
            f"percent or fewer bake_minutes, {_LONGEST} minutes in all at most"
        )
    return None


def _steps(rollout: Canary | Linear | Rolling, hosting: Dedicated) -> int:
    """How often traffic shifts; each time at least one instance of a fleet that scaling may have made larger."""
    if isinstance(rollout, Canary):
        return 2
    largest = max(hosting.instances, hosting.scaling.maximum if hosting.scaling else 0)
    return min(math.ceil(100 / rollout.percent), largest)
