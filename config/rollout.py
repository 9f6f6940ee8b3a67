"""How a release takes over an endpoint's traffic, and what brings the old one back."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.closed import Closed
from config.hosting import Dedicated, Hosting

Watched = Literal["errors_5xx", "errors_4xx", "model_latency", "overhead_latency"]


class _Rollout(Closed):
    bake_minutes: int = Field(default=10, ge=0, le=60)
    """How long alarms are watched after each shift of traffic; SageMaker allows an hour."""
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
    """How long alarms are watched after the shift; SageMaker allows an hour."""


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
            f"rollout.kind is {rollout.kind!r} and hosting.instances is {hosting.instances}: SageMaker takes at most half "
            f"of a fleet in a step; write instances: 2 or more, or {instead}"
        )
    return None
