"""Conditions of stages.

https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-conditions.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from local_aws.codepipeline.executions import ConditionRun, RuleRun
from local_aws.codepipeline.variables import resolve
from local_aws.errors import AwsError

OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "EQ": lambda variable, value: variable == value,
    "NE": lambda variable, value: variable != value,
    "CONTAINS": lambda variable, value: value in variable,
    "MATCHES": lambda variable, value: re.fullmatch(value, variable) is not None,
}


def check(condition: dict[str, Any], namespaces: Mapping[str, Mapping[str, str]]) -> ConditionRun:
    """Check the rules of a condition: it succeeds when all of them do, and Errored is a rule that cannot be checked."""
    rules = [_check_rule(rule, namespaces) for rule in condition.get("rules", ())]
    failed = [rule for rule in rules if rule.status == "Failed"]
    if not failed:
        return ConditionRun("Succeeded", "", rules)
    errored = any(rule.message.startswith("Error: ") for rule in failed)
    summary = " ".join(f"Rule {rule.declaration['name']}: {rule.message}" for rule in failed)
    return ConditionRun("Errored" if errored else "Failed", summary[:2048], rules)


def _check_rule(rule: dict[str, Any], namespaces: Mapping[str, Mapping[str, str]]) -> RuleRun:
    provider = rule["ruleTypeId"]["provider"]
    if provider != "VariableCheck":
        return RuleRun(rule, {}, "Failed", f"Error: rules of {provider} are not rehearsed on the local AWS.")
    try:
        configuration = resolve(rule.get("configuration", {}), namespaces)
    except AwsError as error:
        return RuleRun(rule, {}, "Failed", f"Error: {error.message}")
    operator, variable, value = (configuration.get(key, "") for key in ("Operator", "Variable", "Value"))
    if operator not in OPERATORS:
        message = f"Error: the operator is {operator!r}; it must be one of {', '.join(OPERATORS)}."
        return RuleRun(rule, configuration, "Failed", message)
    held = OPERATORS[operator](variable, value)
    message = f"{variable!r} {operator} {value!r} is {str(held).lower()}."
    return RuleRun(rule, configuration, "Succeeded" if held else "Failed", message)
