"""Where the pipelines take the code from: one small class for each kind of source, chosen by project.yaml."""

from __future__ import annotations

from typing import Protocol, assert_never

from aws_cdk import Stack
from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from config import project as config

NAMESPACE = "Source"


class Source(Protocol):
    """A place that holds the code."""

    revision: str
    """The pipeline variable that names the revision of a run."""
    revision_type: str
    """How StartPipelineExecution calls such a revision."""

    def action(self, output: codepipeline.Artifact, *, triggers: bool) -> codepipeline.IAction:
        """The source action; *triggers* says whether a push starts the pipeline."""
        ...

    def trigger(self, pipeline: codepipeline.Pipeline) -> None:
        """Whatever else makes a push start *pipeline*."""
        ...

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """What a build needs to clone the repository with its history."""
        ...


def source_of(scope: Construct, source: config.Source, *, artifacts: s3.IBucket) -> Source:
    """The source that project.yaml names."""
    match source:
        case config.CodeConnections():
            return _CodeConnections(source)
        case config.CodeCommit():
            return _CodeCommit(scope, source)
        case config.S3Source():
            return _S3(scope, source, artifacts)
    assert_never(source)


class _CodeConnections:
    revision, revision_type = f"#{{{NAMESPACE}.CommitId}}", "COMMIT_ID"

    def __init__(self, source: config.CodeConnections) -> None:
        self._source = source

    def action(self, output: codepipeline.Artifact, *, triggers: bool) -> codepipeline.IAction:
        owner, repository = self._source.repository.rsplit("/", 1)
        return actions.CodeStarConnectionsSourceAction(
            action_name="Source",
            branch=self._source.branch,
            code_build_clone_output=True,
            connection_arn=self._source.connection,
            output=output,
            owner=owner,
            repo=repository,
            trigger_on_push=triggers,
            variables_namespace=NAMESPACE,
        )

    def trigger(self, pipeline: codepipeline.Pipeline) -> None:
        self.grant_read(pipeline.role)

    def grant_read(self, grantee: iam.IGrantable) -> None:
        # The service was renamed; connections made before and after answer to different actions.
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["codeconnections:UseConnection", "codestar-connections:UseConnection"],
            resource_arns=[self._source.connection],
        )


class _CodeCommit:
    revision, revision_type = f"#{{{NAMESPACE}.CommitId}}", "COMMIT_ID"

    def __init__(self, scope: Construct, source: config.CodeCommit) -> None:
        self._branch = source.branch
        self._repository = codecommit.Repository.from_repository_name(scope, "Repository", source.repository)

    def action(self, output: codepipeline.Artifact, *, triggers: bool) -> codepipeline.IAction:
        return actions.CodeCommitSourceAction(
            action_name="Source",
            branch=self._branch,
            code_build_clone_output=True,
            output=output,
            repository=self._repository,
            trigger=actions.CodeCommitTrigger.EVENTS if triggers else actions.CodeCommitTrigger.NONE,
            variables_namespace=NAMESPACE,
        )

    def trigger(self, pipeline: codepipeline.Pipeline) -> None:
        """Nothing: the action brings its own rule."""

    def grant_read(self, grantee: iam.IGrantable) -> None:
        self._repository.grant_pull(grantee)


class _S3:
    revision, revision_type = f"#{{{NAMESPACE}.VersionId}}", "S3_OBJECT_VERSION_ID"

    def __init__(self, scope: Construct, source: config.S3Source, bucket: s3.IBucket) -> None:
        self._scope, self._key, self._bucket = scope, source.key, bucket

    def action(self, output: codepipeline.Artifact, *, triggers: bool) -> codepipeline.IAction:  # noqa: ARG002  see below
        # Our own rule starts the pipeline: the action's would need a CloudTrail trail.
        return actions.S3SourceAction(
            action_name="Source",
            bucket=self._bucket,
            bucket_key=self._key,
            output=output,
            trigger=actions.S3Trigger.NONE,
            variables_namespace=NAMESPACE,
        )

    def trigger(self, pipeline: codepipeline.Pipeline) -> None:
        events.Rule(
            self._scope,
            "Push",
            description=f"A new {self._key} starts {pipeline.node.id}.",
            event_pattern=events.EventPattern(
                account=[Stack.of(self._scope).account],
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={"bucket": {"name": [self._bucket.bucket_name]}, "object": {"key": [self._key]}},
            ),
            targets=[targets.CodePipeline(pipeline)],
        )

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Nothing: the zip holds the history, and the pipeline hands it on."""
