"""What states say in JSONata: expressions, sentences with variables, calls that keep what they were answered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct


def of(expression: str) -> str:
    """The value of an expression."""
    return f"{{% {expression} %}}"


def or_nothing(path: str) -> str:
    """The value of a path, or an empty text: a state fails on a value that is not there."""
    return of(f"$exists({path}) ? {path} : ''")


def when(expression: str) -> sfn.Condition:
    """The condition that an expression is true."""
    return sfn.Condition.jsonata(of(expression))


def text(template: str) -> str:
    """An expression for a text with variables: `{stack}`, or `{#package}` for a package as people call it."""
    parts = re.split(r"\{(#?\w+)\}", template)
    found = [_variable(part) if index % 2 else f"'{part}'" for index, part in enumerate(parts) if part]
    return " & ".join(found)


def any_of(values: Sequence[str]) -> str:
    """A list of constants."""
    return f"[{', '.join(repr(value) for value in values)}]"


def call(
    scope: Construct,
    name: str,
    action: str,
    parameters: Mapping[str, object],
    *,
    on: Sequence[str],
    assign: Mapping[str, object] | None = None,
    outputs: Mapping[str, object] | None = None,
) -> tasks.CallAwsService:
    """A state that does *action* (`sagemaker:DescribeModel`) on the resources *on*, and keeps what *assign* says."""
    service, verb = action.split(":")
    return tasks.CallAwsService.jsonata(
        scope,
        name,
        service=service,
        action=f"{verb[0].lower()}{verb[1:]}",
        iam_action=action,
        iam_resources=list(on),
        parameters=dict(parameters),
        assign=dict(assign) if assign else None,
        outputs=dict(outputs or {}),
    )


def _variable(name: str) -> str:
    if name.startswith("#"):
        arn = f"${name[1:]}"
        return f"({arn} = '' ? 'no package' : $join($split({arn}, '/')[[-2..-1]], ' version '))"
    return f"${name}"
