"""AWS CodePipeline on this machine: executions that pass artifacts from stage to stage, under the pipeline's role."""

from local_aws.codepipeline.service import CodePipeline

__all__ = ["CodePipeline"]
