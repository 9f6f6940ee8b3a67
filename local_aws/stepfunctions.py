"""State machines act under their role.

MiniStack runs them, but calls other services as the root user and past its own front door; here each call is signed
with credentials of the state machine's role and goes through ours.
"""

# ruff: noqa: SLF001 - MiniStack's private names, all of them listed and checked in emulator.py

from __future__ import annotations

import contextlib
import contextvars
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from botocore import xform_name
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Signer
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError
from botocore.httpsession import URLLib3Session

from local_aws import encryption
from local_aws.authorization import Credentials
from local_aws.errors import AwsError
from local_aws.protocol import service_model
from local_aws.service import Permission

if TYPE_CHECKING:
    from local_aws.account import Account

PRINCIPAL = "states.amazonaws.com"
READ_SECONDS = 900
AWS_SDK = "arn:aws:states:::aws-sdk:"
# What MiniStack has and its state machines do not reach, and what errors of it are called there.
QUERIED = {"cloudformation": "CloudFormation", "s3:putObject": "S3"}
MACHINE: contextvars.ContextVar[Mapping[str, Any] | None] = contextvars.ContextVar(
    "local_aws_state_machine", default=None
)


ENDS = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}
# The integrations that MiniStack does without a request: what AWS asks of the role, by the start of the resource.
PERMISSIONS: dict[str, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
    "lambda:invoke": lambda given: ("lambda:InvokeFunction", given.get("FunctionName", "")),
    "states:startExecution": lambda given: ("states:StartExecution", given.get("StateMachineArn", "")),
    "events:putEvents": lambda _: ("events:PutEvents", "*"),
    "sns:publish": lambda given: ("sns:Publish", given.get("TopicArn", "")),
}


def install(account: Account) -> None:
    """Let state machines reach our services too, and every service only as their role may."""
    functions, app = account.emulator.functions, account.emulator.app
    run, invoke = functions._run_execution, functions._invoke_resource
    for name in account.services:
        prefix = service_model(name).metadata["targetPrefix"]
        functions._AWS_SDK_SERVICE_MAP[name.replace("-", "")] = {
            "target_prefix": prefix,
            "protocol": "json",
            "service_key": name,
        }
        app.SERVICE_HANDLERS[name] = _unreachable
    functions._AWS_SDK_ERROR_PREFIX["sagemaker"] = "SageMaker"

    def run_under_role(execution: str) -> None:
        machine = functions._executions.get(execution, {}).get("stateMachineArn")
        MACHINE.set(functions._state_machines.get(machine, {}))
        run(execution)
        _count(account, functions._executions.get(execution, {}))

    def invoke_if_allowed(resource: str, given: Any) -> Any:
        permission = _permission(account, resource, given)
        if permission:
            try:
                role = role_of_machine(account)
                for needed in (permission, *_of_key(account, permission)):
                    account.authorization.require(role.access_key, needed.action.partition(":")[0], needed)
            except AwsError as error:
                raise functions._ExecutionError("States.Permissions", error.message) from error
        called = resource.removeprefix(AWS_SDK)
        for name, errors in QUERIED.items():
            if called.startswith(name):
                return _queried(account, called, errors, given)
        return _numbers(invoke(resource, given)) if resource.endswith(":s3:listObjectsV2") else invoke(resource, given)

    calls = Calls(account)
    functions._run_execution = run_under_role
    functions._invoke_resource = invoke_if_allowed
    app.call_service_handler_sync = calls.send


def _numbers(listing: dict[str, Any]) -> dict[str, Any]:
    """MiniStack gives the counts of a listing as the texts that its XML has; on AWS they are numbers."""
    return listing | {name: int(listing[name]) for name in ("KeyCount", "MaxKeys") if name in listing}


def _queried(account: Account, called: str, errors: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Call a service under the machine's role; an error that its model does not name has the service's own name."""
    service, _, action = called.partition(":")
    client = account.client_as(service, role_of_machine(account))
    if not isinstance(given.get("Body", ""), str):
        given = {**given, "Body": json.dumps(given["Body"])}  # an object's content is written as JSON
    try:
        answer = getattr(client, xform_name(action))(**given)
    except (ClientError, ParamValidationError) as error:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else "States.Runtime"
        named = code if code.endswith("Exception") else f"{errors}Exception"
        message = error.response["Error"]["Message"] if isinstance(error, ClientError) else str(error)
        raise account.emulator.functions._ExecutionError(f"{errors}.{named}", message) from error
    answer.pop("ResponseMetadata", None)
    return _texts(answer)


def _texts(value: Any) -> Any:
    """An answer as Step Functions hands it on: times are texts."""
    match value:
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"
        case dict():
            return {name: _texts(item) for name, item in value.items()}
        case list():
            return [_texts(item) for item in value]
    return value


def _count(account: Account, execution: Mapping[str, Any]) -> None:
    """Publish how an execution has ended, as Step Functions does."""
    if metric := ENDS.get(execution.get("status", "")):
        dimensions = [{"Name": "StateMachineArn", "Value": execution["stateMachineArn"]}]
        now = account.calendar.now()
        datum = {"MetricName": metric, "Dimensions": dimensions, "Timestamp": now, "Value": 1, "Unit": "Count"}
        with contextlib.suppress(EndpointConnectionError):  # the account has ended in the meantime
            account.client("cloudwatch").put_metric_data(Namespace="AWS/States", MetricData=[datum])


class Calls:
    """Requests of state machines, signed with the credentials of their role."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._unsigned = account.emulator.app.call_service_handler_sync
        self._http = URLLib3Session(timeout=READ_SECONDS)

    def send(
        self, handler: Any, method: str, path: str, headers: dict[str, str], body: Any, query: Any, timeout: Any = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Stand in for MiniStack's `call_service_handler_sync`; outside of executions it is MiniStack's own."""
        if not MACHINE.get():
            return self._unsigned(handler, method, path, headers, body, query, timeout)
        service = headers["authorization"].split("/")[3]
        given = {name: value for name, value in headers.items() if name not in ("host", "authorization")}
        url = f"{self._account.url}{quote(path)}" + (f"?{urlencode(query, doseq=True)}" if query else "")
        request = AWSRequest(method, url, given, body)
        credentials = role_of_machine(self._account)
        signer = Signer(credentials.access_key, credentials.secret_key, credentials.token)
        sign = S3SigV4Auth if service == "s3" else SigV4Auth
        sign(signer, service, self._account.settings.region).add_auth(request)
        answer = self._http.send(request.prepare())
        return answer.status_code, dict(answer.headers), answer.content


def role_of_machine(account: Account) -> Credentials:
    """The credentials of the role under which the state machine of this thread acts."""
    machine = MACHINE.get() or {}
    return account.authorization.assume(machine["roleArn"], PRINCIPAL, "stepfunctions", machine["stateMachineArn"])


def _permission(account: Account, resource: str, given: Any) -> Permission | None:
    if resource.startswith(f"arn:aws:lambda:{account.settings.region}:"):
        return Permission("lambda:InvokeFunction", resource)
    for start, needed in PERMISSIONS.items():
        if resource.startswith(f"arn:aws:states:::{start}"):
            action, target = needed(given)
            if action == "lambda:InvokeFunction" and not target.startswith("arn:"):
                target = account.arn("lambda", f"function:{target}")
            return Permission(action, target)
    return None


def _of_key(account: Account, permission: Permission) -> Iterable[Permission]:
    """What writing to an encrypted topic asks besides."""
    return encryption.of_topic(account, permission.resource) if permission.action == "sns:Publish" else ()


async def _unreachable(*_: Any) -> Any:
    raise AwsError("InternalFailure", "A call of ours went round the front; see local_aws/stepfunctions.py.", 500)
