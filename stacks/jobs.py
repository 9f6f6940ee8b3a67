"""State machines that run SageMaker jobs: the machine with its log, a call, and the wait for a job's end."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

POLL_SECONDS = 15


def machine(
    scope: Construct,
    name: str,
    begin: sfn.IChainable,
    *,
    log_retention: logs.RetentionDays,
    timeout: cdk.Duration | None = None,
    comment: str | None = None,
    language: sfn.QueryLanguage | None = None,
) -> sfn.StateMachine:
    """A state machine of that name, which logs its errors."""
    log = logs.LogGroup(
        scope,
        "Log",
        log_group_name=f"/aws/vendedlogs/states/{name}",
        removal_policy=cdk.RemovalPolicy.DESTROY,
        retention=log_retention,
    )
    return sfn.StateMachine(
        scope,
        "Machine",
        state_machine_name=name,
        comment=comment,
        definition_body=sfn.DefinitionBody.from_chainable(begin),
        logs=sfn.LogOptions(destination=log, level=sfn.LogLevel.ERROR),
        query_language=language,
        timeout=timeout,
    )


def call(
    scope: Construct,
    name: str,
    action: str,
    parameters: dict[str, object],
    *,
    resources: list[str],
    result_path: str = sfn.JsonPath.DISCARD,
) -> tasks.CallAwsService:
    """A state that calls SageMaker on *resources*; where the parameters tag what it creates, it may do that too."""
    tagged = iam.PolicyStatement(actions=["sagemaker:AddTags"], resources=resources)
    return tasks.CallAwsService(
        scope,
        name,
        service="sagemaker",
        action=action,
        parameters=parameters,
        iam_resources=resources,
        additional_iam_statements=[tagged] if "Tags" in parameters else None,
        result_path=result_path,
    )


def network(vpc_config: Mapping[str, object] | None, instances: int) -> dict[str, object]:
    """The network of a processing job, as its request says it; what its instances say to each other is encrypted."""
    if vpc_config is None:
        return {}
    encrypted = {"EnableInterContainerTrafficEncryption": True} if instances > 1 else {}
    return {"NetworkConfig": {"VpcConfig": vpc_config, **encrypted}}


def until_done(
    scope: Construct, noun: str, look: tasks.CallAwsService, then: sfn.IChainable, *, wait: str, done: str
) -> sfn.Choice:
    """Looks every 15 seconds until a job has ended; where that is not well, the caller says what follows.

    *look* puts the job's description at `$.job`; *noun* is Processing or Transform; *wait* and *done* name the states.
    """
    again = sfn.Wait(scope, wait, time=sfn.WaitTime.duration(cdk.Duration.seconds(POLL_SECONDS)))
    nexts = {"Completed": then, "InProgress": again, "Stopping": again}
    choice = sfn.Choice(scope, done)
    for status, after in nexts.items():
        choice.when(sfn.Condition.string_equals(f"$.job.{noun}JobStatus", status), after)
    again.next(look).next(choice)
    return choice
