"""Where CloudFormation's words and the API's differ in more than case."""

from collections.abc import Mapping
from typing import Any

Properties = Mapping[str, Any]


def endpoint_settled(description: Mapping[str, Any], properties: Properties) -> bool:
    """CloudFormation looks at the status alone: an update that SageMaker has rolled back is a success to it."""
    status, wanted = description["EndpointStatus"], properties["EndpointConfigName"]
    if status not in ("InService", "Failed", "UpdateRollbackFailed", "OutOfService"):
        return False
    if status != "InService":
        reason = description.get("FailureReason", f"it is {status}")
        raise ValueError(f"The endpoint did not get to InService with {wanted}: {reason}")
    return True


def pipeline_definition(properties: Properties) -> dict[str, Any]:
    adapted = dict(properties)
    definition = adapted.pop("PipelineDefinition", {})
    if "PipelineDefinitionBody" in definition:
        return {**adapted, "PipelineDefinition": definition["PipelineDefinitionBody"]}
    place = definition["PipelineDefinitionS3Location"]
    location = {"Bucket": place["Bucket"], "ObjectKey": place["Key"], "VersionId": place.get("Version")}
    return {**adapted, "PipelineDefinitionS3Location": {key: value for key, value in location.items() if value}}


def code_pipeline(properties: Properties) -> dict[str, Any]:
    adapted = {name: value for name, value in properties.items() if name != "RestartExecutionOnUpdate"}
    tags = {"Tags": adapted.pop("Tags")} if "Tags" in adapted else {}
    stores = {each["Region"]: each["ArtifactStore"] for each in adapted.pop("ArtifactStores", [])}
    return {"Pipeline": {**adapted, **({"ArtifactStores": stores} if stores else {})}, **tags}


def restart_on_update(name: str, properties: Properties) -> tuple[str, dict[str, Any]] | None:
    """A changed pipeline starts again where the template says so: its run was cancelled by the change."""
    return (
        ("StartPipelineExecution", {"name": name})
        if properties.get("RestartExecutionOnUpdate") in (True, "true")
        else None
    )


def code_build(properties: Properties) -> dict[str, Any]:
    """A webhook and public builds are set by operations of their own, which the local AWS does not have."""
    if properties.get("Visibility") == "PRIVATE":
        return {name: value for name, value in properties.items() if name != "Visibility"}
    return dict(properties)


def scalable_target(_: str, properties: Properties) -> dict[str, Any]:
    if "ScalingTargetId" in properties:
        resource, dimension, namespace = properties["ScalingTargetId"].split("|")
        return {"ResourceId": resource, "ScalableDimension": dimension, "ServiceNamespace": namespace}
    return {name: properties[name] for name in ("ResourceId", "ScalableDimension", "ServiceNamespace")}


def tags_as_map(properties: Properties) -> dict[str, Any]:
    """Application Auto Scaling's tags are a map."""
    return {**properties, "Tags": {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}}


def policy_of_target(properties: Properties) -> dict[str, Any]:
    adapted = {name: value for name, value in properties.items() if name != "ScalingTargetId"}
    return {**adapted, **scalable_target("", properties)}


def schedule(name: str, properties: Properties) -> dict[str, Any]:
    """A schedule's name is its own only within its group."""
    return {"Name": name, **({"GroupName": properties["GroupName"]} if "GroupName" in properties else {})}
