"""Deletes the stacks of a model whose folder is gone, and what they retain; shows first what goes.

On AWS this cannot be undone: the model's packages and logs go. What is in the shared buckets stays.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from pipelines.by_hand.destroy import KINDS, kept_resources, unless_gone
from pipelines.by_hand.plainly import plainly
from pipelines.stages import gone
from pipelines.stages.gone import has_folder, slug
from pipelines.stages.surroundings import Surroundings
from pipelines.stages.sweeping import tagged_configs, tagged_models
from pipelines.stages.written import Written, why_failed

PAUSES = (0.5, 10.0)
GROUP, LOG = "AWS::SageMaker::ModelPackageGroup", "AWS::Logs::LogGroup"
Kept = list[tuple[str, str]]


def main(arguments: Sequence[str] | None = None) -> None:
    given = _parser().parse_args(arguments)
    around, model = Surroundings(), slug(given.model)
    stacks = stacks_of(around, given.model)
    kept = kept_by(around, model, stacks)
    if not stacks and not kept:
        others = ", ".join(gone.gone(around).models) or "no model"
        sys.exit(f"MODEL is {model!r}: {_here(around)} has no stacks of it; stacks without a folder are of: {others}.")
    print("\n".join(shown(around, model, stacks, kept)), flush=True)
    if slug(given.confirm) != model:
        sys.exit(f"Nothing is deleted yet. To go on: make teardown MODEL={given.model} CONFIRM={given.model}")
    delete(around, model, stacks, kept)
    print(f"{model} is gone: {len(stacks)} stacks, and everything that they kept.")


def stacks_of(around: Surroundings, model: str) -> list[str]:
    """The stacks of a model, those that answer first; exits where its folder is there, or something happens to them."""
    if not model:
        sys.exit("MODEL is empty; say which model's stacks are to go: make teardown MODEL=parcels")
    if has_folder(around, model):
        sys.exit(
            f"MODEL is {model!r}: its folder is in model_code, so the next push would deploy its stacks again. Remove "
            "the folder, commit, and say it again."
        )
    found = gone.stacks_of(around, model)
    busy = [name for name, status in found.items() if status.endswith("IN_PROGRESS")]
    if busy:
        sys.exit(f"{', '.join(busy)}: something is being deployed there just now; say it again when it is through.")
    return sorted(found)  # serving-... comes before training-...


def kept_by(around: Surroundings, model: str, stacks: Sequence[str]) -> Kept:
    """What the stacks hold, or have retained where a teardown was interrupted: then only its name finds it."""
    held = [each for stack in stacks for each in kept_resources(around.client("cloudformation"), stack)]
    known = {identifier.rsplit("/", 1)[-1] if kind == GROUP else identifier for kind, identifier in held}
    group = around.names.package_group(model)
    left = [(LOG, name) for name in _logs(around, model)] + [(GROUP, group)] * _has_group(around, group)
    return [*held, *((kind, name) for kind, name in left if name not in known)]


def shown(around: Surroundings, model: str, stacks: Sequence[str], kept: Kept) -> Iterator[str]:
    """What goes, and what stays, line by line."""
    yield f"Of {model}, in {_here(around)}, these go for ever:"
    yield from (f"  the stack {stack}" for stack in stacks)
    for kind, identifier in kept:
        yield f"  {kind} {identifier}{_held(around, kind, identifier)}"
    yield "  the models and endpoint configs that its earlier releases have left"
    yield "What it has in the shared buckets stays: data, records, runs. Remove it there if it is to go too."
    project = around.project
    accounts = sorted({place.account for place in (project.tooling, *project.environments.values()) if place.account})
    if len(accounts) > 1:
        yield f"The project has several accounts; say it with the credentials of each: {', '.join(accounts)}."


def delete(around: Surroundings, model: str, stacks: Sequence[str], kept: Kept) -> None:
    """Deletes what answers, then the packages, then what holds them, and last what the stacks have retained."""
    cloudformation, training = around.client("cloudformation"), around.names.stack("training", model)
    for stack in stacks:
        if stack == training:
            _empty(around, kept)
        _delete_stack(cloudformation, stack)
    _empty(around, kept)
    for kind, identifier in kept:
        unless_gone(KINDS[kind].delete, around.client, identifier)
    sagemaker = around.client("sagemaker")
    endpoints = _endpoints(around, model)
    for config in list(tagged_configs(sagemaker, endpoints.__contains__)):
        sagemaker.delete_endpoint_config(EndpointConfigName=config)
    for name in list(tagged_models(sagemaker, endpoints.__contains__)):
        sagemaker.delete_model(ModelName=name)


def _empty(around: Surroundings, kept: Kept) -> None:
    for kind, identifier in kept:
        if empty := KINDS[kind].empty:
            unless_gone(empty, around.client, identifier)


def _delete_stack(cloudformation: Any, stack: str) -> None:
    print(f"Deleting {stack} ...", flush=True)
    began, pause = datetime.now(UTC), PAUSES[0]
    cloudformation.delete_stack(StackName=stack)
    while (status := Written.describe(cloudformation, stack).status) not in ("", "DELETE_COMPLETE"):
        if not status.endswith("IN_PROGRESS"):
            why = why_failed(cloudformation, stack, began) or "no reason given"
            sys.exit(f"{stack} is {status}: {why}. Mend that, then say it again: what is gone already is no trouble.")
        time.sleep(pause)
        pause = min(pause * 1.5, PAUSES[1])


def _held(around: Surroundings, kind: str, identifier: str) -> str:
    if kind != GROUP:
        return ""
    pages = around.client("sagemaker").get_paginator("list_model_packages")
    group = identifier.rsplit("/", 1)[-1]
    count = sum(len(page["ModelPackageSummaryList"]) for page in pages.paginate(ModelPackageGroupName=group))
    return f", with {count} packages"


def _has_group(around: Surroundings, group: str) -> bool:
    pages = around.client("sagemaker").get_paginator("list_model_package_groups").paginate(NameContains=group)
    found = (each["ModelPackageGroupName"] for page in pages for each in page["ModelPackageGroupSummaryList"])
    return group in found


def _logs(around: Surroundings, model: str) -> Iterator[str]:
    """The log groups of its endpoints."""
    names = {f"/aws/sagemaker/Endpoints/{endpoint}" for endpoint in _endpoints(around, model)}
    for name in sorted(names):
        found = around.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        yield from (each["logGroupName"] for each in found if each["logGroupName"] == name)


def _endpoints(around: Surroundings, model: str) -> set[str]:
    return {around.names.endpoint(model, environment) for environment in around.project.environments}


def _here(around: Surroundings) -> str:
    client = around.client("sts")
    return f"account {client.get_caller_identity()['Account']}, region {client.meta.region_name}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make teardown", description=__doc__)
    parser.add_argument("model", help="MODEL: the model's name")
    parser.add_argument("confirm", nargs="?", default="", help="CONFIRM: the same name again")
    return parser


if __name__ == "__main__":
    with plainly():
        main()
