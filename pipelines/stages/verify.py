"""Holds staging's endpoint to what its users will rely on, and keeps a report.

It runs the very package that was released, gives its golden answers, treats good and bad input as documented, bears the
load that model.yaml declares, and its alarms are quiet. CloudFormation calls an update a success that SageMaker has
rolled back, so what runs is read from SageMaker itself. Leaves SUMMARY and REPORT (S3 URI).
"""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import boto3
from botocore.config import Config

from config import Model
from model_server.errors import PackageError
from model_server.golden import Golden
from pipelines.stages.registry import Package
from pipelines.stages.surroundings import Surroundings
from pipelines.stages.verifying import contract, keeping, load, quiet, schema
from pipelines.stages.verifying.asking import Question, Reply, asker, giving_up
from pipelines.stages.verifying.findings import Check, Findings, of_sentences
from pipelines.stages.verifying.outcomes import told
from pipelines.stages.verifying.released import Released


@dataclass(frozen=True)
class Settings:
    """The environment of the build."""

    model: str
    package: str
    environment: str
    execution: str
    artifacts_bucket: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        names = ("MODEL", "PACKAGE", "ENVIRONMENT", "EXECUTION", "ARTIFACTS_BUCKET")
        return cls(*(environment[name] for name in names))


def main() -> None:
    around, settings = Surroundings(), Settings.read(os.environ)
    model = around.model(settings.model)
    endpoint = around.names.endpoint(model.name, settings.environment)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    found = Findings(model.name, settings.environment, endpoint, settings.package, settings.execution, at)
    verify(around, model, found)
    for problem in found.problems:  # before the report is kept, should that fail too
        print(problem, flush=True)
    report = keeping.keep(around.client("s3"), settings.artifacts_bucket, model.team, found)
    print(f"{found.summary}\nThe report: {report}", flush=True)
    around.leave(SUMMARY=found.summary, REPORT=report)
    if found.problems:
        sys.exit(f"{endpoint} is not good enough for production: {len(found.problems)} findings, in {report}")


def verify(around: Surroundings, model: Model, found: Findings) -> None:
    """Makes every check; only where the endpoint runs another package, the others would say nothing of this one."""
    sagemaker = around.client("sagemaker")
    wrong = wrong_package(sagemaker, found.endpoint, found.package)
    found.package_checks += of_sentences("what runs", "the released package", wrong)
    if found.problems:
        return
    released = _released(around.client("s3"), Package.describe(sagemaker, found.package))
    wrong_schema = schema.mismatches(model, released.signature)
    found.package_checks += of_sentences("schema", "that of model.yaml", wrong_schema)
    # SageMaker itself waits a minute for an answer.
    patience = Config(read_timeout=65, retries={"total_max_attempts": 2})
    runtime = boto3.client("sagemaker-runtime", config=patience)
    found.golden += golden_checks(runtime, found.endpoint, released.golden, quiet=released.sensitive)
    found.contract += contract.checks(giving_up(asker(runtime, found.endpoint)), released)
    _load(model, released, found)
    found.alarms += quiet.checks(around.client("cloudwatch"), found.endpoint)


def _load(model: Model, released: Released, found: Findings) -> None:
    plan = load.Plan.of(model, found.environment)
    print(f"{plan.rate:.4g} requests/s for {plan.seconds} s from {plan.users} callers ...", flush=True)
    try:
        found.load = load.told(load.run(plan, found.endpoint, released), plan, model.load)
        found.load_checks += load.checks(found.load, plan)
    except load.LoadError as error:
        found.load_checks.append(Check("load", "made", "not made", str(error)))


def wrong_package(sagemaker: Any, endpoint: str, package: str) -> list[str]:
    """Why *endpoint* is not in service with *package*, in sentences; empty when it is."""
    found = sagemaker.describe_endpoint(EndpointName=endpoint)
    reason = found.get("FailureReason", "")
    if found["EndpointStatus"] != "InService":
        return [f"{endpoint} is {found['EndpointStatus']}, not InService: {reason or 'no reason given'}"]
    config = sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
    running = {
        sagemaker.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"].get("ModelPackageName", "none")
        for variant in config["ProductionVariants"]
    }
    if running == {package}:
        return []
    why = f" SageMaker went back to it: {reason}" if reason else ""
    return [f"{endpoint} runs {', '.join(sorted(running))}, not the released {package}.{why}"]


def golden_requests(s3: Any, package: Package) -> Golden:
    """The golden requests in a package's model.tar.gz."""
    return _released(s3, package).golden


def _released(s3: Any, package: Package) -> Released:
    try:
        return Released.read(s3, package)
    except PackageError as error:
        sys.exit(str(error))


def wrong_answers(runtime: Any, endpoint: str, golden: Golden) -> list[str]:
    """What differs from the stored answers, one sentence for each golden request that does."""
    return [check.problem for check in golden_checks(runtime, endpoint, golden) if check.problem]


def golden_checks(runtime: Any, endpoint: str, golden: Golden, *, quiet: bool = False) -> list[Check]:
    """A check for each golden request. Their rows are people's, so that their numbers name them, not their bodies."""
    ask = giving_up(asker(runtime, endpoint))
    checks = []
    for number, request in enumerate(golden.requests, 1):
        reply = ask(Question(request.body.encode(), request.content_type, request.accept))
        what = f"golden request {number} ({request.content_type})"
        difference = _difference(golden, number - 1, reply, quiet=quiet)
        problem = f"{what.capitalize()} is not answered as stored: {difference}." if difference else ""
        checks.append(Check(what, f"as stored, within {golden.tolerance:g}", difference or "as stored", problem))
    return checks


def _difference(golden: Golden, place: int, reply: Reply, *, quiet: bool) -> str | None:
    if reply.status != 200:
        return f"got {told(reply, quiet=quiet)}"
    try:
        difference = golden.difference(golden.requests[place], reply.body)
        return difference and textwrap.shorten(difference, 300)
    except ValueError as error:
        return f"the answer cannot be read: {error}"


if __name__ == "__main__":
    main()
