"""Where a model answers: the named kinds of real-time hosting, and the batch fleet."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from config.closed import Closed, InstanceType


class Scaling(Closed):
    """Target tracking on the number of invocations that one instance gets."""

    maximum: int = Field(ge=1, le=1000)
    """The most instances that a busy hour may start."""
    invocations_per_instance: int = Field(ge=1)
    """Invocations per minute that one instance should see; a load test tells this number."""


class Dedicated(Closed):
    """Instances of the model's own, in one variant."""

    kind: Literal["dedicated"]
    instance: InstanceType
    """The instance type; a new account's quota for most types is zero, so ask for it before the first release."""
    instances: int = Field(default=2, ge=1, le=1000)
    """Instances at rest; two or more survive the loss of an availability zone and allow a canary."""
    scaling: Scaling | None = None
    """How the fleet grows; without it the number of instances stays fixed."""

    @model_validator(mode="after")
    def _room_to_grow(self) -> Dedicated:
        if self.scaling and self.scaling.maximum < self.instances:
            raise ValueError(
                f"scaling.maximum is {self.scaling.maximum}, below instances ({self.instances}); "
                "raise it or drop scaling"
            )
        return self


class Serverless(Closed):
    """SageMaker Serverless Inference: no instance at rest, a cold start after silence."""

    kind: Literal["serverless"]
    memory_mb: Literal[1024, 2048, 3072, 4096, 5120, 6144] = 2048
    """Memory of one concurrent execution, in MB; the only sizes that SageMaker offers."""
    concurrency: int = Field(default=20, ge=1, le=200)
    """Requests answered at the same time; more are refused with a 429."""


Hosting = Annotated[Dedicated | Serverless, Field(discriminator="kind")]


class Batch(Closed):
    """The fleet of one batch transform job."""

    instance: InstanceType = "ml.m5.large"
    """The instance type."""
    instances: int = Field(default=1, ge=1, le=100)
    """Instances of one job; they share the input's objects among them."""
    payload_mb: int = Field(default=6, ge=1, le=100)
    """The largest body that one request to the container carries, in MB."""
