"""The roles of pipelines and actions, as CodePipeline assumes them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local_aws.authorization import Credentials
from local_aws.errors import AwsError

if TYPE_CHECKING:
    from local_aws.account import Account

PRINCIPAL = "codepipeline.amazonaws.com"
FRESH_SECONDS = 30 * 60  # half of what a session lasts


class Roles:
    """Clients under a pipeline's role, or under an action's, which the pipeline's role assumes."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._assumed: dict[tuple[str, str, str], tuple[float, Credentials]] = {}
        self._lock = threading.Lock()

    def client(self, service: str, pipeline_role: str, action_role: str | None, pipeline: str) -> Any:
        """A client; the session of the role is named after the pipeline."""
        session = pipeline[:64]
        if not action_role or action_role == pipeline_role:
            return self._account.client(service, pipeline_role, service_principal=PRINCIPAL, session=session)
        return self._account.client_as(service, self._assume(pipeline_role, action_role, session))

    def check(self, role: str) -> None:
        """AwsError when CodePipeline cannot assume the role."""
        try:
            self._account.environment(role, service_principal=PRINCIPAL)
        except AwsError as error:
            raise AwsError(
                "InvalidStructureException",
                f"CodePipeline is not authorized to perform AssumeRole on role {role}. {error.message}",
            ) from error

    def _assume(self, pipeline_role: str, action_role: str, session: str) -> Credentials:
        with self._lock:
            since, credentials = self._assumed.get((pipeline_role, action_role, session), (0.0, None))
            if credentials and time.monotonic() - since < FRESH_SECONDS:
                return credentials
            sts = self._account.client("sts", pipeline_role, service_principal=PRINCIPAL, session=session)
            try:
                given = sts.assume_role(RoleArn=action_role, RoleSessionName=session)["Credentials"]
            except ClientError as error:
                reason = error.response["Error"]
                raise AwsError("PermissionError", f"{reason['Code']}: {reason['Message']}") from error
            made = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
            self._assumed[pipeline_role, action_role, session] = (time.monotonic(), made)
            return made
