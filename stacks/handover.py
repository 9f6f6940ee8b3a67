"""What the stages of a delivery pipeline hand to each other: objects below its name in the artifacts bucket."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_s3 as s3

from stacks import objects

PIPELINE, ARTIFACT = 20, 10
"""The lengths to which CodePipeline cuts the two names in a key: `<pipeline>/<artifact>/<random>`."""


@dataclass(frozen=True)
class Handover:
    """Where one pipeline keeps its artifacts.

    A build reads what its stage is given and writes what it leaves, and no artifact of another stage: the CDK would let
    it read, and where it leaves something also write, the whole bucket.
    """

    pipeline: str
    bucket: s3.IBucket

    def grant(
        self, project: codebuild.Project, given: codepipeline.Artifact, left: codepipeline.Artifact | None = None
    ) -> None:
        """Lets a build read the artifact *given* and write the one *left*, with the key of the bucket."""
        project.bind_to_code_pipeline(project, artifact_bucket=self.bucket)
        objects.grant_get(self.bucket, project, self._objects(given))
        if left:
            objects.grant_write(self.bucket, project, self._objects(left))

    def _objects(self, artifact: codepipeline.Artifact) -> str:
        assert artifact.artifact_name
        return f"{self.pipeline[:PIPELINE]}/{artifact.artifact_name[:ARTIFACT]}/*"
