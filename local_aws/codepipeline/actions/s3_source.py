"""The source action for one object of a versioned bucket."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from local_aws.codebuild.builds import NOT_REHEARSED
from local_aws.codepipeline.actions.action import Action, ActionError
from local_aws.codepipeline.executions import Artifact, Revision

SUMMARY = "codepipeline-artifact-revision-summary"


def run(action: Action) -> None:
    """Copy a version of the object (the latest, or the one that the execution asks for) into the artifact store."""
    name = action.run.name
    bucket, key = action.required("S3Bucket"), action.required("S3ObjectKey")
    if wanted := action.execution.override(name, "S3_OBJECT_KEY"):
        if action.configuration.get("AllowOverrideForS3ObjectKey", "false") != "true":
            raise ActionError("ConfigurationError", f"The action {name} does not allow another S3 object key.")
        key = wanted
    s3 = action.client("s3")
    version = action.execution.override(name, "S3_OBJECT_VERSION_ID")
    found = _fetch(s3, bucket, key, version)
    revision = found["VersionId"]
    artifact = action.new_artifact(action.run.declaration["outputArtifacts"][0]["name"], revision)
    _keep(action, s3, artifact, found["Body"].read())
    _report(action, found, bucket, key, artifact)


def _fetch(s3: Any, bucket: str, key: str, version: str) -> dict[str, Any]:
    try:
        if s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
            raise ActionError(
                "ConfigurationError",
                f"The bucket {bucket} has no versioning; a source action needs it, to name what it has found.",
            )
        version = version or s3.head_object(Bucket=bucket, Key=key)["VersionId"]
        return s3.get_object(Bucket=bucket, Key=key, VersionId=version)
    except ClientError as error:
        reason = error.response["Error"]
        if reason["Code"] in ("AccessDenied", "403"):
            raise ActionError(
                "PermissionError",
                "The service role or action role doesn't have the permissions required to access the Amazon S3 bucket "
                f"named {bucket}. Update the IAM role permissions, and then try again. "
                f"Error: Amazon S3:{reason['Code']}:{reason['Message']}",
            ) from error
        raise ActionError(
            "ConfigurationError",
            f"The object with key '{key}'{f', version {version},' if version else ''} of the bucket {bucket} could not "
            f"be read: {reason['Code']}: {reason['Message']}. Put the source there, or correct the action.",
        ) from error


def _keep(action: Action, s3: Any, artifact: Artifact, content: bytes) -> None:
    key = action.store.get("encryptionKey", {}).get("id")
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}
    s3.put_object(Bucket=artifact.bucket, Key=artifact.key, Body=content, **encryption)
    action.run.outputs.append(artifact)


def _report(action: Action, found: dict[str, Any], bucket: str, key: str, artifact: Artifact) -> None:
    version, etag = found["VersionId"], found["ETag"].strip('"')
    run, region = action.run, action.account.settings.region
    run.external_id = version
    run.summary = found.get("Metadata", {}).get(SUMMARY) or f"Amazon S3 version id: {version}"
    if action.configuration.get("PollForSourceChanges", "true") != "false":
        run.summary += f"\n{NOT_REHEARSED}polling the bucket for changes; start the pipeline by an event or by hand"
    run.external_url = f"https://console.aws.amazon.com/s3/object/{bucket}?prefix={key}&region={region}"
    run.variables = {"BucketName": bucket, "ETag": etag, "ObjectKey": key, "VersionId": version}
    action.execution.revisions[run.name] = Revision(
        run.name, artifact.name, version, etag, run.summary, found["LastModified"], run.external_url
    )
