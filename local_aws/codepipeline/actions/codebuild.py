"""The build and test actions of AWS CodeBuild."""

from __future__ import annotations

import json
from typing import Any

from local_aws.codebuild import CodeBuild
from local_aws.codebuild.builds import NOT_REHEARSED
from local_aws.codebuild.sources import S3_ARN
from local_aws.codepipeline.actions.action import Action, ActionError
from local_aws.codepipeline.executions import Artifact


def run(action: Action) -> None:
    """Start a build of the project with the action's artifacts and variables, and wait for its end."""
    if action.configuration.get("BatchEnabled", "false") == "true":
        raise ActionError("ConfigurationError", "Batch builds are not rehearsed on the local AWS.")
    client = action.client("codebuild")
    project = action.required("ProjectName")
    revision = action.run.inputs[0].revision if action.run.inputs else ""
    outputs = [action.new_artifact(item["name"], revision) for item in action.run.declaration["outputArtifacts"]]
    started = client.start_build(
        projectName=project,
        idempotencyToken=action.run.id,
        environmentVariablesOverride=_variables(action, revision),
        **_sources(action),
        **_artifacts(outputs),
    )["build"]
    region = action.account.settings.region
    action.run.external_id = started["id"]
    action.run.external_url = (
        f"https://console.aws.amazon.com/codebuild/home?region={region}#/builds/{started['id']}/view/new"
    )
    _await(action, started["id"])
    build = client.batch_get_builds(ids=[started["id"]])["builds"][0]
    _report(action, build)
    action.run.outputs += outputs


def _sources(action: Action) -> dict[str, Any]:
    inputs = {artifact.name: artifact for artifact in action.run.inputs}
    if not inputs:
        raise ActionError("ConfigurationError", f"The action {action.run.name} has no input artifact.")
    primary = action.configuration.get("PrimarySource") or next(iter(inputs))
    if primary not in inputs or (len(inputs) > 1 and "PrimarySource" not in action.configuration):
        raise ActionError(
            "ConfigurationError",
            f"PrimarySource is {action.configuration.get('PrimarySource')!r}; it must be one of {', '.join(inputs)}.",
        )
    others = [artifact for name, artifact in inputs.items() if name != primary]
    return {
        "sourceVersion": _arn(inputs[primary]),
        "secondarySourcesOverride": [{"type": "CODEPIPELINE", "sourceIdentifier": other.name} for other in others],
        "secondarySourcesVersionOverride": [
            {"sourceIdentifier": other.name, "sourceVersion": _arn(other)} for other in others
        ],
    }


def _artifacts(outputs: list[Artifact]) -> dict[str, Any]:
    """One output is the build's artifact; several are its secondary artifacts, by their names."""
    if len(outputs) == 1:
        return {"artifactsOverride": {"type": "CODEPIPELINE", "location": _arn(outputs[0])}}
    return {
        "artifactsOverride": {"type": "CODEPIPELINE"},
        "secondaryArtifactsOverride": [
            {"type": "CODEPIPELINE", "artifactIdentifier": output.name, "location": _arn(output)} for output in outputs
        ],
    }


def _variables(action: Action, revision: str) -> list[dict[str, str]]:
    text = action.configuration.get("EnvironmentVariables", "[]")
    try:
        given = json.loads(text)
    except json.JSONDecodeError as error:
        raise ActionError(
            "ConfigurationError",
            f"EnvironmentVariables is not JSON once its references are filled in ({error}); the value of a variable "
            "cannot have quotes or newlines there. Pass it in an artifact.",
        ) from error
    # The one thing that CodePipeline tells a build and StartBuild has no member for.
    return [*given, {"name": "CODEBUILD_RESOLVED_SOURCE_VERSION", "value": revision}]


def _await(action: Action, identifier: str) -> None:
    service = action.account.services["codebuild"]
    assert isinstance(service, CodeBuild)
    build = service.build(identifier)
    # Waiting here, instead of asking again and again, keeps the build's end quick and the journal of calls short.
    build.on_finish = action.pipeline.wake
    action.wait(build.finished.is_set)


def _report(action: Action, build: dict[str, Any]) -> None:
    action.run.log_stream_arn = build.get("logs", {}).get("cloudWatchLogsArn", "")
    contexts = [(phase["phaseType"], context) for phase in build["phases"] for context in phase.get("contexts", ())]
    notes = [context["message"] for _, context in contexts if context["message"].startswith(NOT_REHEARSED)]
    action.run.summary = "\n".join(dict.fromkeys(notes))
    exported = build.get("exportedEnvironmentVariables", [])
    action.run.variables = {variable["name"]: variable["value"] for variable in exported}
    if build["buildStatus"] == "SUCCEEDED":
        return
    message = f"Build terminated with state: {build['buildStatus']}"
    for phase, context in contexts:
        if context["statusCode"]:
            message += f". Phase: {phase}, Code: {context['statusCode']}, Message: {context['message']}"
            break
    raise ActionError("JobFailed", message)


def _arn(artifact: Artifact) -> str:
    return f"{S3_ARN}{artifact.bucket}/{artifact.key}"
