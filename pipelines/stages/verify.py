"""Holds an endpoint against the package that was released: it runs that very package, and answers as stored.

CloudFormation calls an update a success that SageMaker has rolled back, so what runs is read from SageMaker itself.
"""

from __future__ import annotations

import io
import os
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from model_server.golden import Golden
from pipelines.packaging.archive import extract
from pipelines.stages.registry import Package
from pipelines.stages.surroundings import Surroundings


@dataclass(frozen=True)
class Settings:
    """The environment of the build."""

    model: str
    package: str
    environment: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        return cls(environment["MODEL"], environment["PACKAGE"], environment["ENVIRONMENT"])


def main() -> None:
    around, settings = Surroundings(), Settings.read(os.environ)
    endpoint = around.names.endpoint(around.model(settings.model).name, settings.environment)
    sagemaker = around.client("sagemaker")
    _exit_with(wrong_package(sagemaker, endpoint, settings.package))
    golden = golden_requests(around.client("s3"), Package.describe(sagemaker, settings.package))
    _exit_with(wrong_answers(around.client("sagemaker-runtime"), endpoint, golden))
    summary = f"{endpoint} runs the package and gives its {len(golden.requests)} golden answers."
    print(summary)
    around.leave(SUMMARY=summary)


def _exit_with(problems: list[str]) -> None:
    if problems:
        sys.exit("\n".join(problems))


def wrong_package(sagemaker: Any, endpoint: str, package: str) -> list[str]:
    """Why *endpoint* is not in service with *package*, in sentences; empty when it is."""
    found = sagemaker.describe_endpoint(EndpointName=endpoint)
    if found["EndpointStatus"] != "InService":
        reason = found.get("FailureReason", "no reason given")
        return [f"{endpoint} is {found['EndpointStatus']}, not InService: {reason}"]
    config = sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
    running = {
        sagemaker.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"].get("ModelPackageName", "none")
        for variant in config["ProductionVariants"]
    }
    return (
        [] if running == {package} else [f"{endpoint} runs {', '.join(sorted(running))}, not the released {package}."]
    )


def golden_requests(s3: Any, package: Package) -> Golden:
    """The golden requests in a package's model.tar.gz."""
    bucket, _, key = package.model_data.removeprefix("s3://").partition("/")
    content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=io.BytesIO(content)) as archive:
        extract(archive, Path(folder))
        golden = Golden.read(Path(folder))
    if golden is None:
        sys.exit(f"{package.arn} holds no golden requests, so nothing can be verified; train it again.")
    return golden


def wrong_answers(runtime: Any, endpoint: str, golden: Golden) -> list[str]:
    """What differs from the stored answers, one sentence for each golden request that does."""
    problems = []
    for request in golden.requests:
        answer = runtime.invoke_endpoint(
            EndpointName=endpoint, ContentType=request.content_type, Accept=request.accept, Body=request.body.encode()
        )
        difference = golden.difference(request, answer["Body"].read())
        if difference:
            problems.append(f"{request.content_type} {request.body[:200]}: {difference}")
    return problems


if __name__ == "__main__":
    main()
