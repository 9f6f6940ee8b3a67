"""Conditions that use other functions, such as the Fn::Join in those of the CDK's bootstrap stack."""

# ruff: noqa: SLF001 - MiniStack's private names, all of them listed and checked in emulator.py

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local_aws.account import Account

# MiniStack takes every other function in a condition for a text that is never empty.
UNDERSTOOD = {"Condition", "Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or", "Fn::Select", "Ref"}


def install(account: Account) -> None:
    """Resolve other functions before MiniStack evaluates conditions."""
    emulator = account.emulator
    evaluate, resolve = emulator.engine._evaluate_conditions, emulator.engine._resolve_refs

    def evaluate_resolved(template: dict[str, Any], params: dict[str, Any]) -> Any:
        def resolved(value: Any) -> Any:
            if isinstance(value, list):
                return [resolved(item) for item in value]
            if not isinstance(value, dict):
                return value
            if value.keys() <= UNDERSTOOD:
                return {name: resolved(item) for name, item in value.items()}
            return resolve(value, {}, params, {}, template.get("Mappings", {}), "", "")

        conditions = {name: resolved(condition) for name, condition in template.get("Conditions", {}).items()}
        return evaluate({**template, "Conditions": conditions}, params)

    for module in (emulator.engine, emulator.stacks, emulator.cloudformation_handlers, emulator.change_sets):
        module._evaluate_conditions = evaluate_resolved
