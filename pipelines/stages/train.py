"""Trains the model that MODEL names, or takes PACKAGE; says whether a package is registered.

With IMAGE=newest, PACKAGE's model is registered again with the newest image, and nothing is trained.
Leaves OUTCOME (registered, refused, nothing), PACKAGE (its ARN), STACK (the serving stacks' common name) and SUMMARY.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from config import Model
from config.naming import NOTHING
from pipelines.stages.patching import patched
from pipelines.stages.registry import Package
from pipelines.stages.running import serving
from pipelines.stages.surroundings import Surroundings
from pipelines.stages.telling import number

LONGEST_PAUSE = 15.0
NOT_CODE = ("__pycache__", ".pyc")


@dataclass(frozen=True)
class Settings:
    """The environment of the build."""

    model: str
    package: str
    artifacts_bucket: str
    retraining: str
    """The id of the retraining that this release is."""
    revision: str
    """The source's revision, by which another release of the same code can be started."""
    revision_type: str
    image: str = NOTHING
    """`newest`, or nothing."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        return cls(
            model=environment["MODEL"],
            package=environment.get("PACKAGE", NOTHING),
            artifacts_bucket=environment["ARTIFACTS_BUCKET"],
            retraining=environment.get("RETRAINING", NOTHING),
            revision=environment.get("REVISION", NOTHING),
            revision_type=environment.get("REVISION_TYPE", NOTHING),
            image=environment.get("IMAGE", NOTHING),
        )


@dataclass(frozen=True)
class Run:
    """An execution of a training pipeline that has ended well."""

    arn: str
    package: str | None
    """ARN of the package that it registered; None when the gate refused."""

    @property
    def identifier(self) -> str:
        return self.arn.rsplit("/", 1)[-1]


def main() -> None:
    around, settings = Surroundings(), Settings.read(os.environ)
    if settings.model == NOTHING:
        around.leave(OUTCOME="nothing", PACKAGE=NOTHING, STACK=NOTHING, SUMMARY="No model was named.")
        print("MODEL is not given: nothing to release.")
        return
    model = around.model(settings.model)
    stack = around.names.stack("serving", model.name)
    if settings.package != NOTHING:
        package, summary = _taken(around, settings, model)
        print(summary)
        around.leave(OUTCOME="registered", PACKAGE=package.arn, STACK=stack, SUMMARY=summary)
        return
    if settings.image != NOTHING:
        sys.exit(f"IMAGE is {settings.image!r} without a PACKAGE: a model that is trained has the newest image anyway.")
    newest = Package.newest_approved(around.client("sagemaker"), around.names.package_group(model.name))
    if is_done(settings.retraining, newest):
        summary = f"Retraining {settings.retraining} has been released before: its event came twice."
        around.leave(OUTCOME="nothing", PACKAGE=NOTHING, STACK=stack, SUMMARY=summary)
        print(summary)
        return
    # What production runs is the champion, also where a newer package is approved whose release has failed.
    champion = serving(around.client("sagemaker"), around.names.endpoint(model.name, "production")) or newest
    run = _train(around, settings, model, champion)
    outcome = "registered" if run.package else "refused"
    evaluation = _evaluation(around.client("s3"), settings, model, run)
    summary = told(evaluation, outcome, settings.retraining, is_error=model.promotion.is_error)
    print(summary)
    around.leave(OUTCOME=outcome, PACKAGE=run.package or NOTHING, STACK=stack, SUMMARY=summary)


def _taken(around: Surroundings, settings: Settings, model: Model) -> tuple[Package, str]:
    """PACKAGE, or its model in the newest image; and the sentence that says so."""
    package = _given(around, model, settings.package)
    if settings.image == NOTHING:
        return package, "An earlier package."
    if settings.image != "newest":
        sys.exit(f"IMAGE is {settings.image!r}; write newest, or leave it out.")
    image = newest_image(around.client("ssm"), around, model.serving.image)
    if package.image == image:
        return package, f"{number(package.arn)} as it is: it has the newest image."
    metadata = {
        "commit": commit(around.root),
        "code": upload_code(around.client("s3"), settings.artifacts_bucket, around.root, model),
        "revision": settings.revision,
        "revision_type": settings.revision_type,
    }
    new = patched(around.client("sagemaker"), package, image, metadata)
    return new, f"{number(new.arn)} is the model of {number(package.arn)} in the image {image.rpartition('@')[2]}."


def _given(around: Surroundings, model: Model, arn: str) -> Package:
    package = Package.describe(around.client("sagemaker"), arn)
    group = around.names.package_group(model.name)
    if package.group != group:
        sys.exit(f"PACKAGE is {arn}: a package of {package.group}, not of {group}; name a package of {model.name}.")
    if package.status != "Approved":
        sys.exit(f"PACKAGE is {arn}: its approval status is {package.status}; approve it in the registry first.")
    return package


def is_done(retraining: str, newest: Package | None) -> bool:
    """Whether the newest package is what this retraining made; EventBridge sends every event at least once."""
    return retraining != NOTHING and newest is not None and newest.metadata.get("retraining") == retraining


def _train(around: Surroundings, settings: Settings, model: Model, champion: Package | None) -> Run:
    sagemaker, parameters = around.client("sagemaker"), around.client("ssm")
    serving, job = (newest_image(parameters, around, target) for target in (model.serving.image, "job"))
    started = sagemaker.start_pipeline_execution(
        PipelineName=around.names.training_pipeline(model.name),
        PipelineParameters=_parameters(
            Code=upload_code(around.client("s3"), settings.artifacts_bucket, around.root, model),
            Commit=commit(around.root),
            JobImage=job,
            ServingImage=serving,
            Champion=champion.model_data if champion else NOTHING,
            Revision=settings.revision,
            RevisionType=settings.revision_type,
            Retraining=settings.retraining,
        ),
    )
    return follow(sagemaker, started["PipelineExecutionArn"])


def newest_image(parameters: Any, around: Surroundings, target: str) -> str:
    """The image of *target* by digest, as the platform pipeline has noted it; exits where there is none yet."""
    image = parameters.get_parameter(Name=around.names.image_parameter(target))["Parameter"]["Value"]
    if image == NOTHING:
        sys.exit(
            f"No {target} image has been built yet: let the platform pipeline pass its Image stage at this commit, "
            "then release again."
        )
    return image


def _parameters(**values: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


def upload_code(s3: Any, bucket: str, root: Path, model: Model) -> str:
    """Puts the model's folder below a name made of its content; gives the S3 URI."""
    folder = root / "model_code" / model.name
    files = {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not any(mark in str(file) for mark in NOT_CODE)
    }
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    prefix = f"{model.team}/{model.name}/code/{digest.hexdigest()[:16]}"
    for name, content in files.items():
        s3.put_object(Bucket=bucket, Key=f"{prefix}/{name}", Body=content)
    return f"s3://{bucket}/{prefix}"


def commit(root: Path) -> str:
    """The commit that is checked out."""
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=root, check=True, capture_output=True, text=True
    ).stdout.strip()


def follow(sagemaker: Any, arn: str) -> Run:
    """Waits for an execution, printing each step as it changes; exits when it failed."""
    told: dict[str, str] = {}
    pause = 1.0
    while True:
        status = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        steps = _steps(sagemaker, arn)
        for step in steps:
            if told.get(step["StepName"]) != step["StepStatus"]:
                told[step["StepName"]] = step["StepStatus"]
                print(f"{step['StepName']}: {step['StepStatus']} {step.get('FailureReason', '')}".rstrip(), flush=True)
        match status["PipelineExecutionStatus"]:
            case "Succeeded":
                return Run(arn, _registered(steps))
            case "Failed" | "Stopped" as end:
                sys.exit(f"The training pipeline has {end.lower()}: {status.get('FailureReason', 'no reason given')}")
        time.sleep(pause)
        pause = min(pause * 1.2, LONGEST_PAUSE)


def _steps(sagemaker: Any, arn: str) -> list[dict[str, Any]]:
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=arn, SortOrder="Ascending"
    )
    return [step for page in pages for step in page["PipelineExecutionSteps"]]


def _registered(steps: list[dict[str, Any]]) -> str | None:
    packages = (step.get("Metadata", {}).get("RegisterModel", {}).get("Arn") for step in steps)
    return next((arn for arn in packages if arn), None)


def _evaluation(s3: Any, settings: Settings, model: Model, run: Run) -> dict[str, Any]:
    key = f"{model.team}/{model.name}/runs/{run.identifier}/evaluation/evaluation.json"
    return json.load(s3.get_object(Bucket=settings.artifacts_bucket, Key=key)["Body"])


def told(evaluation: Mapping[str, Any], outcome: str, retraining: str, *, is_error: bool) -> str:
    """What people read before they approve."""
    begins = "" if retraining == NOTHING else f"Retraining {retraining}: "
    verdict = "registered" if outcome == "registered" else "refused by the gate"
    return f"{begins}{sentence(evaluation, is_error=is_error)}: {verdict}."


def sentence(evaluation: Mapping[str, Any], *, is_error: bool) -> str:
    """What the gate was told: the hold-out, and where rows from production were held out, both models on these."""
    promotion, champion = evaluation["promotion"], evaluation["champion"]
    needs = "needs at most" if is_error else "needs"
    whole = f"{promotion['metric']} {promotion['value']:.4f} ({needs} {promotion['bar']:.4f})"
    if champion["rows"] not in evaluation:
        return whole
    recent = f"{whole}; on {evaluation['recent']['rows']:,} recent rows {promotion['compared']:.4f}"
    if not champion["metrics"]:
        return f"{recent}, without a champion"
    return f"{recent}, the champion {champion['value']:.4f} ({needs} {champion['bar']:.4f})"


if __name__ == "__main__":
    main()
