"""What a release must show before users get it, and who lets it go on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.closed import Closed


class Load(Closed):
    """The load that staging must bear: what production is expected to see at its peak."""

    requests_per_second: float = Field(default=50, gt=0, le=10_000)
    """Requests of one row each, per second, that the whole endpoint must answer; scaled down to staging's instances."""
    seconds: int = Field(default=20, ge=5, le=3600)
    """How long, after a warm-up of a few seconds."""
    p99_ms: float = Field(default=500, gt=0, le=60_000)
    """The 99th percentile of the caller's time for one request that is good enough."""
    errors_percent: float = Field(default=0.1, ge=0, le=100)
    """The share of failed requests that is good enough."""


class ByPerson(Closed):
    """A person approves every release for production."""

    kind: Literal["person"] = "person"
    four_eyes: bool = False
    """Whether the one who started the release may not approve it."""


class WhenBetter(Closed):
    """A release goes on by itself when it beats what serves; else a person is asked."""

    kind: Literal["when-better"]
    margin: float = Field(default=0.0, ge=0)
    """How much better promotion.metric must be than the champion's on the same rows."""
    four_eyes: bool = False
    """Whether the one who started the release may not approve it, where a person is asked."""


Approval = Annotated[ByPerson | WhenBetter, Field(discriminator="kind")]
