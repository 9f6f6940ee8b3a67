"""Asks an endpoint as any caller does, and tells the container's status from SageMaker's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from model_server import media

_SILENT = 3


class Question(NamedTuple):
    """The body of an invocation, and what the caller says about it."""

    body: bytes
    content_type: str = media.JSON
    accept: str = media.JSON


class Reply(NamedTuple):
    """The container's status (0 where none came) and body; `failure` names the kind of error."""

    status: int
    body: bytes
    failure: str = ""

    @property
    def text(self) -> str:
        """The body for people."""
        return self.body[:300].decode(errors="replace")


Ask = Callable[[Question], Reply]


def asker(runtime: Any, endpoint: str) -> Ask:
    """A function that asks *endpoint*, and raises nothing where it refuses or fails."""

    def ask(question: Question) -> Reply:
        try:
            answer = runtime.invoke_endpoint(
                EndpointName=endpoint,
                ContentType=question.content_type,
                Accept=question.accept,
                Body=question.body,
            )
            return Reply(200, answer["Body"].read())
        except (ClientError, BotoCoreError) as error:
            return _failed(error)

    return ask


def giving_up(ask: Ask) -> Ask:
    """*ask*, until three questions got no reply: a model that hangs would take a minute for each."""
    silent = 0

    def impatient(question: Question) -> Reply:
        nonlocal silent
        if silent >= _SILENT:
            return Reply(0, b"not asked, because three others got no reply", "no reply")
        reply = ask(question)
        silent += reply.status == 0
        return reply

    return impatient


def _failed(error: ClientError | BotoCoreError) -> Reply:
    """A ModelError is the container's, whose status and words it carries; any other error is of the way there."""
    if isinstance(error, BotoCoreError):
        return Reply(0, str(error).encode(), type(error).__name__)
    response: dict[str, Any] = {**error.response}
    code = response["Error"]["Code"]
    if code == "ModelError":
        status = response.get("OriginalStatusCode", 0)
        return Reply(status, response.get("OriginalMessage", "").encode(), f"ModelError {status}")
    return Reply(response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"].encode(), code)
