"""What an action works with."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local_aws.codepipeline.declaration import artifact_store
from local_aws.codepipeline.executions import ActionRun, Artifact, Execution
from local_aws.codepipeline.pipelines import Pipeline
from local_aws.codepipeline.roles import Roles

if TYPE_CHECKING:
    from local_aws.account import Account


class ActionError(Exception):
    """An action failed; the code is one of CodePipeline's (JobFailed, ConfigurationError, PermissionError)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class AbandonedError(Exception):
    """Nobody waits for the action any more."""


@dataclass
class Action:
    """One run of an action: what it is told, and how it calls AWS."""

    account: Account
    pipeline: Pipeline
    execution: Execution
    run: ActionRun
    roles: Roles

    @property
    def configuration(self) -> dict[str, str]:
        """The configuration, references filled in."""
        return self.run.configuration

    def required(self, member: str) -> str:
        """A member of the configuration that the action cannot do without."""
        if not self.configuration.get(member):
            raise ActionError("ConfigurationError", f"The action {self.run.name} needs {member} in its configuration.")
        return self.configuration[member]

    @property
    def store(self) -> dict[str, Any]:
        """The artifact store of the pipeline."""
        return artifact_store(self.execution.declaration, self.account.settings.region)

    def client(self, service: str) -> Any:
        """A client under the action's own role, which the pipeline's role assumes, or under the pipeline's role."""
        return self.roles.client(
            service, self.execution.declaration["roleArn"], self.run.declaration.get("roleArn"), self.execution.pipeline
        )

    def new_artifact(self, name: str, revision: str) -> Artifact:
        """A place for an output artifact, named as CodePipeline names it."""
        letters = string.ascii_letters + string.digits
        key = "".join(secrets.choice(letters) for _ in range(7))
        return Artifact(name, self.store["location"], f"{self.execution.pipeline[:20]}/{name[:10]}/{key}", revision)

    def wait(self, done: Any, timeout: float | None = None) -> bool:
        """Wait until `done()`; False after `timeout` seconds, AbandonedError when the execution is not to go on."""
        changed = self.pipeline.changed
        with changed:
            held = changed.wait_for(lambda: done() or self.run.status != "InProgress", timeout)
        if not done() and self.run.status != "InProgress":
            raise AbandonedError
        return held
