"""Confirms that production runs the released package, and deletes what earlier releases have left.

A roll-out that alarms have rolled back is a success to CloudFormation: the endpoint serves what it served before, and
only SageMaker says so. That fails the release here, and TOPIC hears which package serves. Leaves SUMMARY.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from pipelines.stages.running import Running
from pipelines.stages.serve import Settings
from pipelines.stages.surroundings import Surroundings
from pipelines.stages.sweeping import same, sweep
from pipelines.stages.telling import number, pipeline_link, tell
from pipelines.stages.verify import golden_requests, wrong_answers, wrong_package
from pipelines.stages.written import Written, resources

CONFIG, MODEL = "AWS::SageMaker::EndpointConfig", "AWS::SageMaker::Model"


def main() -> None:
    around, settings = Surroundings(), Settings.read(os.environ)
    model = around.model(settings.model).name
    endpoint = around.names.endpoint(model, settings.environment)
    stack = around.names.stack("serving", model, settings.environment)
    sagemaker, cloudformation = around.client("sagemaker"), around.client("cloudformation")
    problems = [
        *rolled_back(sagemaker, cloudformation, endpoint, stack, settings.package),
        *_wrong_answers(around, endpoint, settings.package),
    ]
    if problems:
        said = "\n".join([*problems, serves(sagemaker, endpoint)])
        print(said, flush=True)  # first of all: telling may fail too
        subject = f"{endpoint} does not run the release of {number(settings.package)}"
        tell(around.client("sns"), settings.topic, subject, f"{said}\n{pipeline_link(around, settings.execution)}")
        sys.exit(said)
    swept = left_behind(sagemaker, cloudformation, endpoint, stack)
    summary = f"{endpoint} runs {number(settings.package)} and gives its golden answers. {swept}"
    print(summary)
    around.leave(SUMMARY=summary)


def rolled_back(sagemaker: Any, cloudformation: Any, endpoint: str, stack: str, package: str) -> list[str]:
    """Why the endpoint does not run what the stack says, in sentences; empty where it does."""
    running = Running.describe(sagemaker, endpoint)
    if running is None:
        return [f"There is no endpoint {endpoint}; read the events of {stack}, then release again."]
    problems = wrong_package(sagemaker, endpoint, package)
    held = [name for name, kind in resources(cloudformation, stack).items() if kind == CONFIG]
    if problems or any(same(name, running.config) for name in held):
        return problems
    why = running.reason or "SageMaker gives no reason"
    return [
        f"{endpoint} runs the package, but with the config {running.config} of an earlier release: SageMaker has "
        f"rolled this one back. {why}"
    ]


def _wrong_answers(around: Surroundings, endpoint: str, package: str) -> list[str]:
    running = Running.describe(around.client("sagemaker"), endpoint)
    serves = running.package(around.client("sagemaker")) if running and running.status == "InService" else None
    if serves is None or serves.arn != package:
        return []  # another package gives other answers
    return wrong_answers(around.client("sagemaker-runtime"), endpoint, golden_requests(around.client("s3"), serves))


def serves(sagemaker: Any, endpoint: str) -> str:
    """Which package serves now, in a sentence."""
    running = Running.describe(sagemaker, endpoint)
    package = running.package(sagemaker) if running else None
    if running is None or package is None:
        return "Nothing serves now: release a package, or go back with make rollback."
    return f"{number(package.arn)} serves now; the endpoint is {running.status}."


def left_behind(sagemaker: Any, cloudformation: Any, endpoint: str, stack: str) -> str:
    """Deletes the models and configs that neither the endpoint nor its stack uses, and says what."""
    running = Running.describe(sagemaker, endpoint)
    written = Written.describe(cloudformation, stack)
    if running is None or running.status != "InService" or written.is_busy:
        return "Nothing is swept, as the endpoint is being updated again."
    held = [name for name, kind in resources(cloudformation, stack).items() if kind in (CONFIG, MODEL)]
    made = sagemaker.describe_endpoint_config(EndpointConfigName=running.config)["CreationTime"]
    configs, models = sweep(sagemaker, endpoint, [*held, *running.models, running.config], made)
    return f"{len(configs)} earlier configs and {len(models)} earlier models are deleted."


if __name__ == "__main__":
    main()
