"""The names that AWS or another part must know beforehand; everything else is named by CloudFormation."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

NOTHING = "none"
"""What a pipeline variable or parameter says that is not given; CodePipeline knows no empty ones."""

LIGHT_CHANGED, RETRAINING_WANTED, PERSON_NEEDED = (
    "Model Light Changed",
    "Model Retraining Wanted",
    "Model Needs A Person",
)
"""The detail types of the watch's events, which rules look for."""


ENDPOINT_ALARMS = (
    "Errors5xx",
    "Errors4xx",
    "ModelLatency",
    "OverheadLatency",
    "NoInvocations",
    "CPU",
    "Memory",
    "Disk",
)
"""The alarms that an endpoint may have; each is named `<endpoint>-<what>`."""


@dataclass(frozen=True)
class Names:
    """Every deterministic name of a project."""

    LONGEST_ENDPOINT: ClassVar = 63
    ENDPOINT_TAG: ClassVar = "endpoint"
    """The tag of models and endpoint configs that says whose they are, after no stack knows them any more."""
    TEAM_TAG: ClassVar = "team"
    """The tag of what a team's watch looks at; a package has the tags of its group."""

    project: str

    def stack(self, *parts: str) -> str:
        return "-".join((self.project, *parts)).replace("_", "-")

    def endpoint(self, model: str, environment: str) -> str:
        return self.stack(model, environment)

    def package_group(self, model: str) -> str:
        return self.stack(model)

    def package_records(self, model: str = "") -> str:
        """Where the artifacts bucket keeps what the registry knew of a model's packages; no team is called so."""
        return f"_registry/{self.package_group(model)}/" if model else "_registry/"

    @property
    def recorder(self) -> str:
        """The state machine that keeps those records."""
        return self.stack("recorder")

    def training_pipeline(self, model: str) -> str:
        return self.stack(model)

    def batch(self, model: str, environment: str) -> str:
        """The state machine that scores a batch."""
        return self.stack(model, environment, "batch")

    def rollback(self, environment: str) -> str:
        """The state machine that takes a model of an environment back to an earlier package."""
        return self.stack("rollback", environment)

    @property
    def wave(self) -> str:
        """The state machine that starts the releases of many models, so many at a time."""
        return self.stack("wave")

    def watch(self, team: str) -> str:
        """The state machine that judges a team's models, and the schedule that starts it."""
        return _fitting(self.stack("watch", team))

    def watch_rule(self, team: str, kind: str) -> str:
        """A rule on the events of a team's watch."""
        return _fitting(self.stack("watch", team, kind))

    @property
    def watch_source(self) -> str:
        """The source of the watch's events."""
        return f"{self.project}.watch"

    @property
    def watch_namespace(self) -> str:
        """The namespace of the watch's metrics."""
        return f"{self.project}/watch"

    def model_parameter(self, environment: str, team: str, model: str = "") -> str:
        """The parameter that says which endpoint serves a model; without a model, the path of a team's."""
        return "/" + "/".join(filter(None, (self.project, environment, "models", team, model)))

    def dashboard(self, environment: str, model: str = "") -> str:
        """A model's dashboard; without a model, that of all."""
        return self.stack(*filter(None, (model, environment)))

    def delivery_pipeline(self, kind: str) -> str:
        return self.stack(kind)

    def image_parameter(self, target: str) -> str:
        """The parameter that holds the newest image of a target (serving, serving-native, job), by digest."""
        return f"/{self.project}/images/{target}"

    def signing_key(self, key: str) -> str:
        """The alias of a key that packages are signed with."""
        return f"alias/{self.stack('signing', key)}"


_LONGEST = 64
"""What EventBridge allows in the name of a rule or schedule."""


def _fitting(name: str) -> str:
    """The name, or, where it is too long, its beginning and a hash of it."""
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
