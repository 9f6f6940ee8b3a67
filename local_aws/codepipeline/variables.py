"""`#{namespace.key}` in the configuration of actions and rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from local_aws.errors import AwsError

REFERENCE = re.compile(r"#\{([^{}]*)\}")
PIPELINE = "codepipeline"
VARIABLES = "variables"


def resolve(configuration: Mapping[str, str], namespaces: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """A configuration with all references filled in; AwsError names one that has no value."""

    def value(match: re.Match[str]) -> str:
        namespace, _, key = match[1].partition(".")
        values = namespaces.get(namespace)
        if values is None:
            raise AwsError(
                "ConfigurationError",
                f"The variable {match[0]} has no value: no action has run with the namespace {namespace!r}.",
            )
        if key not in values:
            raise AwsError(
                "ConfigurationError",
                f"The variable {match[0]} has no value: the namespace {namespace!r} has {', '.join(values) or 'none'}.",
            )
        return values[key]

    return {name: REFERENCE.sub(value, text) for name, text in configuration.items()}


def unknown_references(stages: list[dict[str, Any]]) -> Iterator[str]:
    """What is wrong with references: to a namespace that no earlier action has, or without a key."""
    known = {PIPELINE, VARIABLES}
    for stage in stages:
        for order in sorted({action.get("runOrder", 1) for action in stage["actions"]}):
            group = [action for action in stage["actions"] if action.get("runOrder", 1) == order]
            for action in group:
                yield from _unknown(action.get("configuration", {}), stage["name"], action["name"], known)
            known |= {action["namespace"] for action in group if "namespace" in action}


def _unknown(configuration: Mapping[str, str], stage: str, action: str, known: set[str]) -> Iterator[str]:
    for key, text in configuration.items():
        for reference in REFERENCE.findall(text):
            namespace, dot, name = reference.partition(".")
            if dot and name and namespace in known:
                continue
            yield (
                "Valid format for a pipeline execution variable reference is a namespace and a key separated by a "
                "period (.). The following pipeline execution variables are referencing a namespace that does not "
                f"exist. StageName=[{stage}], ActionName=[{action}], ActionConfigurationKey=[{key}], "
                f"VariableReferenceText=[{reference}]"
            )
