"""What a pipeline may be: the structure that CodePipeline refuses, it refuses here."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from typing import Any

from local_aws.codepipeline.variables import unknown_references
from local_aws.errors import AwsError

CONDITIONS = ("beforeEntry", "onSuccess", "onFailure")


def complete(declaration: dict[str, Any], region: str) -> dict[str, Any]:
    """A declaration with its defaults, checked; AwsError says what is wrong."""
    pipeline = deepcopy(declaration)
    pipeline.setdefault("pipelineType", "V1")
    pipeline.setdefault("executionMode", "SUPERSEDED")
    for stage in pipeline["stages"]:
        for action in stage["actions"]:
            for member, default in (("runOrder", 1), ("configuration", {})):
                action.setdefault(member, default)
            for member in ("inputArtifacts", "outputArtifacts"):
                action.setdefault(member, [])
            if action.get("region", region) != region:
                raise _action(action, f"its region {action['region']} is not rehearsed; this account is in {region}")
    _check_kind(pipeline)
    _check_stages(pipeline["stages"])
    _check_artifacts(pipeline["stages"])
    if problem := next(unknown_references(pipeline["stages"]), None):
        raise AwsError("InvalidActionDeclarationException", problem)
    artifact_store(pipeline, region)
    return pipeline


def artifact_store(pipeline: dict[str, Any], region: str) -> dict[str, Any]:
    """Where the pipeline's artifacts are in this region."""
    store = pipeline.get("artifactStore") or pipeline.get("artifactStores", {}).get(region)
    if not store:
        raise AwsError("InvalidStructureException", f"The pipeline has no artifact store in {region}.")
    return store


def _check_kind(pipeline: dict[str, Any]) -> None:
    mode, parallel = pipeline["executionMode"], pipeline["executionMode"] == "PARALLEL"
    only_v2 = {
        f"execution mode {mode}": mode != "SUPERSEDED",
        "variables": pipeline.get("variables"),
        "triggers": pipeline.get("triggers"),
        "stage conditions": any(kind in stage for stage in pipeline["stages"] for kind in CONDITIONS),
    }
    wanted = [name for name, used in only_v2.items() if used]
    if pipeline["pipelineType"] != "V2" and wanted:
        raise AwsError("InvalidStructureException", f"Only pipelines of type V2 have {', '.join(wanted)}.")
    results = [stage.get("onFailure", {}).get("result") for stage in pipeline["stages"]]
    if parallel and "ROLLBACK" in results:
        raise AwsError("InvalidStructureException", "A pipeline in PARALLEL mode cannot roll stages back.")


def _check_stages(stages: list[dict[str, Any]]) -> None:
    if len(stages) < 2:
        raise AwsError(
            "InvalidStructureException",
            f"Pipeline has only {len(stages)} stage(s). There should be a minimum of 2 stages in a pipeline",
        )
    _unique([stage["name"] for stage in stages], "stage")
    for number, stage in enumerate(stages):
        _unique([action["name"] for action in stage["actions"]], f"action in stage {stage['name']}")
        if not stage["actions"]:
            raise AwsError("InvalidStageDeclarationException", f"The stage {stage['name']} has no actions.")
        for action in stage["actions"]:
            source = action["actionTypeId"]["category"] == "Source"
            if source != (number == 0):
                raise AwsError(
                    "InvalidStructureException",
                    "Pipeline should start with a stage that only contains source actions, and have none elsewhere: "
                    f"{action['name']} in {stage['name']} is a {action['actionTypeId']['category']} action.",
                )
    _unique([a["namespace"] for stage in stages for a in stage["actions"] if "namespace" in a], "namespace")


def _check_artifacts(stages: list[dict[str, Any]]) -> None:
    made: set[str] = set()
    for stage in stages:
        for order in sorted({action["runOrder"] for action in stage["actions"]}):
            group = [action for action in stage["actions"] if action["runOrder"] == order]
            for action in group:
                for artifact in action["inputArtifacts"]:
                    if artifact["name"] not in made:
                        raise _action(action, f"no action before it gives its input artifact {artifact['name']!r}")
            for action in group:
                for artifact in action["outputArtifacts"]:
                    if artifact["name"] in made:
                        raise _action(action, f"another action gives its output artifact {artifact['name']!r} too")
                    made.add(artifact["name"])


def _unique(names: list[str], what: str) -> None:
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise AwsError("InvalidStructureException", f"Each {what} needs a name of its own; {twice[0]!r} comes twice.")


def _action(action: dict[str, Any], problem: str) -> AwsError:
    return AwsError("InvalidActionDeclarationException", f"Action {action['name']}: {problem}.")
