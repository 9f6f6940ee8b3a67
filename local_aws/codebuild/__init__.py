"""AWS CodeBuild on this machine: buildspecs run as processes under the project's service role."""

from local_aws.codebuild.service import CodeBuild

__all__ = ["CodeBuild"]
