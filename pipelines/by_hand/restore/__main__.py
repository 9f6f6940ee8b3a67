"""Brings back what was deleted or overwritten of a model: its objects, and its packages in the registry.

Shows first what it would do. It deletes nothing, not even a version; said twice it does nothing more.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence

from config import Model
from pipelines.by_hand.plainly import plainly
from pipelines.by_hand.restore import objects, registry
from pipelines.by_hand.restore.places import moment
from pipelines.by_hand.restore.plan import Plan
from pipelines.stages.surroundings import Surroundings
from pipelines.stages.telling import number
from pipelines.stages.written import Written


def main(arguments: Sequence[str] | None = None) -> None:
    given = _parser().parse_args(arguments)
    around, at = Surroundings(), moment(given.at)
    model = around.model(given.model)
    plan = Plan.make(around, model, at)
    if plan.is_empty:
        then = f"was there at {given.at} is as it was" if at else "is kept is there"
        print(f"There is nothing to bring back of {model.name}: all that {then}.")
        print("\n".join([*plan.remarks(), *stale(around, model, plan, earlier(plan))]), flush=True)
        return
    print("\n".join(plan.lines()), flush=True)
    if given.confirm != model.name:
        again = f"make restore MODEL={model.name}{f' AT={given.at}' if at else ''} CONFIRM={model.name}"
        sys.exit(f"Nothing is brought back yet. To go on: {again}")
    arns = carry_out(around, model, plan)
    print("\n".join([f"{model.name} is back.", *stale(around, model, plan, arns)]), flush=True)


def carry_out(around: Surroundings, model: Model, plan: Plan) -> dict[str, str]:
    """Does what is planned, the objects first; gives the new ARN of each package by its earlier ones."""
    s3, sagemaker = around.client("s3"), around.client("sagemaker")
    for version in plan.objects:
        objects.bring_back(s3, version)
    if plan.there is None and plan.returns:
        sagemaker.create_model_package_group(
            ModelPackageGroupName=plan.group, ModelPackageGroupDescription=model.description
        )
    arns = earlier(plan)
    for coming in plan.returns:
        arn = registry.register(sagemaker, plan.group, coming, arns)
        arns |= {coming.package.arn: arn, coming.package.root: arn}
        print(f"{number(coming.package.arn)} is {number(arn)}, {coming.status}.", flush=True)
    return arns


def earlier(plan: Plan) -> dict[str, str]:
    """The ARN of each package that is there, by the one that it was first registered under."""
    return {each.root: each.arn for each in plan.there or ()}


def stale(around: Surroundings, model: Model, plan: Plan, arns: Mapping[str, str]) -> Iterator[str]:
    """How the environments come to serve what is back under another number: their stacks name what was deleted."""
    there = {each.arn for each in plan.there or ()} | set(arns.values())
    pipeline = around.names.delivery_pipeline("release")
    for environment in around.project.environments:
        stack = around.names.stack("serving", model.name, environment)
        package = (Written.describe(around.client("cloudformation"), stack).parameters or {}).get("Package", "")
        if package not in there and package in arns:
            release = f"--name {pipeline} --variables name=MODEL,value={model.name} name=PACKAGE,value={arns[package]}"
            yield f"{stack} names {number(package)}, which is {number(arns[package])} now; release that:"
            yield f"  aws codepipeline start-pipeline-execution {release}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make restore", description=__doc__)
    parser.add_argument("model", help="MODEL: the model's name")
    parser.add_argument("--at", default="", help="AT: as it was then; by default what is deleted, as it was last")
    parser.add_argument("--confirm", default="", help="CONFIRM: the model's name again")
    return parser


if __name__ == "__main__":
    with plainly():
        main()
