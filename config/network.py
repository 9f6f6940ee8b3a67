"""Where the endpoints and jobs of a place have their network: AWS's own, a VPC made for them, or one that exists."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, field_validator

from config.closed import Closed
from config.hosting import Hosting, Serverless

Zone = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d[a-z]$")]
VpcId = Annotated[str, StringConstraints(pattern=r"^vpc-[0-9a-f]{8,17}$")]
SubnetId = Annotated[str, StringConstraints(pattern=r"^subnet-[0-9a-f]{8,17}$")]
SecurityGroupId = Annotated[str, StringConstraints(pattern=r"^sg-[0-9a-f]{8,17}$")]

LARGEST, SMALLEST = 16, 24
"""The prefix lengths of a VPC: AWS allows no larger one; in a smaller one a second fleet would find no addresses."""


class Public(Closed):
    """The network that SageMaker brings: nobody reaches its containers, and those not isolated reach the internet."""

    kind: Literal["public"] = "public"


class Private(Closed):
    """A VPC of the place's own, without a way to the internet, and with endpoints of the AWS services that it needs."""

    kind: Literal["private"]
    cidr: str = Field(default="10.64.0.0/20", examples=["10.64.0.0/20", "172.20.0.0/22"])
    """Its addresses, shared among the zones; only a VPC that is peered with another needs a choice of its own."""
    zones: tuple[Zone, ...] = Field(default=(), max_length=6)
    """The availability zones, where an instance type is not in all of them; empty means the region's first two."""
    flow_logs: bool = True
    """Whether every connection is written to a log group, allowed or not."""

    @field_validator("cidr")
    @classmethod
    def _usable(cls, value: str) -> str:
        try:
            network = ipaddress.IPv4Network(value)
        except ValueError as error:
            raise ValueError(
                f"{value!r} is no range of IPv4 addresses ({error}); write one such as 10.64.0.0/20"
            ) from None
        if not LARGEST <= network.prefixlen <= SMALLEST or not network.is_private:
            raise ValueError(
                f"{value!r} is not usable; write a private range from /{LARGEST} to /{SMALLEST}, such as 10.64.0.0/20"
            )
        return value

    @field_validator("zones")
    @classmethod
    def _several(cls, zones: tuple[str, ...]) -> tuple[str, ...]:
        return _two_or_more(zones)

    def ranges(self) -> list[str]:
        """The addresses of one subnet in each zone."""
        count = len(self.zones) or 2
        parts = ipaddress.IPv4Network(self.cidr).subnets(prefixlen_diff=(count - 1).bit_length())
        return [str(part) for part, _ in zip(parts, range(count), strict=False)]


class Existing(Closed):
    """A VPC that somebody else has made; what it must have is in docs/network.md."""

    kind: Literal["existing"]
    vpc: VpcId
    """The VPC."""
    subnets: tuple[SubnetId, ...] = Field(max_length=16)
    """Its subnets, in two availability zones or more, with two addresses for each instance."""
    security_groups: tuple[SecurityGroupId, ...] = Field(min_length=1, max_length=5)
    """The security groups that the containers get."""
    builds: bool = False
    """Whether builds run there too, in tooling; they need the internet, or a proxy to it, for packages and images."""

    @field_validator("subnets")
    @classmethod
    def _several(cls, subnets: tuple[str, ...]) -> tuple[str, ...]:
        return _two_or_more(subnets, least=2)


Kind = Annotated[Public | Private | Existing, Field(discriminator="kind")]


def _spelled_out(value: Any) -> Any:
    """`network: private` is short for `network: {kind: private}`."""
    if isinstance(value, str):
        return {"kind": value}
    if not isinstance(value, (dict, BaseModel)):
        raise ValueError(f"{value!r} is no network; write public, private, or kind: existing with its vpc")  # noqa: TRY004
    return value


Network = Annotated[Kind, BeforeValidator(_spelled_out, json_schema_input_type=Literal["public", "private"] | Kind)]


def refusal(network: Network, hosting: Hosting) -> str:
    """Why a model with that hosting cannot answer in that network, and what to do; empty where it can."""
    if isinstance(network, Public) or not isinstance(hosting, Serverless):
        return ""
    return (
        f"hosting.kind is 'serverless' and network is '{network.kind}'; SageMaker gives serverless endpoints no VPC; "
        "write hosting of kind dedicated for it, or network: public in project.yaml"
    )


def _two_or_more(names: tuple[str, ...], least: int = 0) -> tuple[str, ...]:
    """SageMaker wants two availability zones even for one instance."""
    if len(set(names)) < len(names):
        raise ValueError(f"{', '.join(names)} names one twice; list each once")
    if len(names) == 1 or len(names) < least:
        raise ValueError(f"{len(names)} is too few; SageMaker wants two or more, each in another availability zone")
    return names
