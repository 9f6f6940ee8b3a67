"""What `project.yaml` may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from config.closed import Closed, Email, InstanceType, Slug
from config.network import Existing, Network, Private, Public
from config.vulnerabilities import Vulnerabilities

AccountId = Annotated[str, StringConstraints(pattern=r"^\d{12}$")]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
RulePack = Literal["aws-solutions", "nist-800-53"]
RetentionDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]


class CodeConnections(Closed):
    """GitHub, GitLab or Bitbucket, through AWS CodeConnections."""

    kind: Literal["codeconnections"]
    connection: Annotated[
        str, StringConstraints(pattern=r"^arn:aws[a-z-]*:(codeconnections|codestar-connections):\S+$")
    ]
    """The ARN of a connection that somebody has made and confirmed in the console."""
    repository: Annotated[str, StringConstraints(pattern=r"^[^/\s]+(/[^/\s]+)+$")]
    """Owner and name, as in `octo-org/models`."""
    branch: str = "main"
    """A push to this branch starts the platform pipeline."""


class CodeCommit(Closed):
    """An AWS CodeCommit repository in the tooling account."""

    kind: Literal["codecommit"]
    repository: str
    """The repository's name; it exists already."""
    branch: str = "main"
    """A push to this branch starts the platform pipeline."""


class S3Source(Closed):
    """A zip of the repository that `make push` puts into the artifacts bucket; needs no git host."""

    kind: Literal["s3"]
    key: str = "source/source.zip"
    """The object's key in the artifacts bucket."""


Source = Annotated[CodeConnections | CodeCommit | S3Source, Field(discriminator="kind")]


class Account(Closed):
    """An AWS account and region, and how carefully it treats what it holds."""

    account: AccountId | None = None
    """The account's id; empty means the account of the credentials that deploy."""
    region: Region | None = None
    """The region; empty means the region of the credentials that deploy."""
    removal: Literal["retain", "destroy"] = "retain"
    """What `cdk destroy` does with data, keys and logs."""
    log_retention_days: RetentionDays = 365
    """How long logs are kept."""
    keep_versions_days: int = Field(default=90, ge=7, le=3650)
    """How long `make restore` can bring back what was deleted or overwritten in the buckets."""
    network: Network = Public()
    """Where endpoints and jobs have their network: public, private, or a VPC that exists (docs/network.md)."""

    @model_validator(mode="after")
    def _zones_of_its_region(self) -> Self:
        zones = self.network.zones if isinstance(self.network, Private) else ()
        elsewhere = [zone for zone in zones if self.region and zone[:-1] != self.region]
        if elsewhere:
            raise ValueError(
                f"network.zones names {', '.join(elsewhere)} and region is {self.region}; name its own zones"
            )
        return self


class Environment(Account):
    """A place where models answer: staging, production."""

    alerts: tuple[Email, ...] = ()
    """Who gets the alarms of this environment by e-mail, besides each team's owners."""

    @model_validator(mode="after")
    def _without_builds(self) -> Self:
        if isinstance(self.network, Existing) and self.network.builds:
            raise ValueError("network.builds is true, and builds run in tooling; write it there")
        return self


class Watch(Closed):
    """The job that judges all models of a team in production."""

    schedule: Annotated[str, StringConstraints(pattern=r"^(rate|cron)\(.+\)$")] = "cron(0 5 * * ? *)"
    """When it runs, in UTC, as EventBridge Scheduler writes it: `rate(6 hours)`, `cron(0 5 * * ? *)`."""
    silence_hours: int = Field(default=30, ge=2, le=24 * 7)
    """Hours without a finished run after which an alarm goes off; more than the schedule's longest pause."""
    instance: InstanceType = "ml.m5.large"
    """The instance type."""
    instances: int = Field(default=1, ge=1, le=20)
    """Instances that count; from two on they share the files, and one adds up."""
    volume_gb: int = Field(default=30, ge=1, le=1024)
    """Disk of each instance, in GB."""
    max_minutes: int = Field(default=120, ge=1, le=60 * 24)
    """A job that runs longer is stopped; the next one goes on where it was."""


class Team(Closed):
    """People who own models together; a team has its own roles, so that it cannot read another's data."""

    owners: tuple[Email, ...] = Field(min_length=1)
    """Who answers for the team's models."""
    webhook: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9/_+=.@-]{1,200}$")] | None = None
    """The Secrets Manager secret that holds the address of a chat's incoming webhook, which is told what owners are."""
    watch: Watch = Watch()
    """When and where the team's models are judged."""


class Waves(Closed):
    """How the releases of many models follow each other, where one commit affects them."""

    at_once: int = Field(default=5, ge=1, le=40)
    """Releases that run at the same time; CodePipeline runs 50 in all, those by hand and retrainings among them."""
    tolerated_failures_percent: int = Field(default=10, ge=0, le=100)
    """Where more releases than this share of the wave have failed, no further one starts."""


class Project(Closed):
    """The project as a whole."""

    name: Slug
    """Begins the name of every stack, endpoint and pipeline."""
    source: Source
    """Where the platform pipeline takes the code from."""
    tooling: Account = Account()
    """Where delivery, training, the registry and the images are."""
    staging: Environment = Environment()
    """Where a release is verified."""
    production: Environment = Environment()
    """Where a release serves."""
    teams: Mapping[Slug, Team] = Field(min_length=1)
    """The teams, by name."""
    vulnerabilities: Vulnerabilities = Vulnerabilities()
    """Which known vulnerabilities an image may have."""
    signing_keys: tuple[Slug, ...] = Field(default=("first",), min_length=1, max_length=5)
    """The keys of packages: the first one signs, images trust all; docs/operations.md says how to change it."""
    waves: Waves = Waves()
    """How releases follow each other where a commit affects many models."""
    boundary: Annotated[str, StringConstraints(pattern=r"^[\w+=,.@-]{1,128}$")] | None = None
    """The managed policy that bounds every role of the stacks, made by `make bootstrap` (docs/bootstrap.md)."""
    rules: tuple[RulePack, ...] = ("aws-solutions",)
    """Packs of cdk-nag's rules that end a synthesis, besides the project's own (docs/validation.md)."""
    tags: Mapping[str, str] = {}
    """Put on every resource."""

    @field_validator("signing_keys")
    @classmethod
    def _different_keys(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len({name.replace("_", "-") for name in names}) < len(names):  # as in their aliases
            raise ValueError(f"{', '.join(names)} names a key twice; give each a name of its own")
        return names

    @model_validator(mode="after")
    def _complete_places(self) -> Project:
        places = {"tooling": self.tooling, "staging": self.staging, "production": self.production}
        with_account = [name for name, place in places.items() if place.account]
        if with_account and len(with_account) < len(places):
            missing = ", ".join(sorted(places.keys() - set(with_account)))
            raise ValueError(f"{', '.join(with_account)} names an account and {missing} does not; name all or none")
        return self

    @property
    def environments(self) -> Mapping[str, Environment]:
        """The environments in the order of a release."""
        return {"staging": self.staging, "production": self.production}
