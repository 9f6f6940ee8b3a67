"""What the actions of pipelines do, by category and provider."""

from __future__ import annotations

from collections.abc import Callable

from local_aws.codepipeline.actions import approval, codebuild, s3_source
from local_aws.codepipeline.actions.action import Action, ActionError

PROVIDERS: dict[tuple[str, str], Callable[[Action], None]] = {
    ("Source", "S3"): s3_source.run,
    ("Build", "CodeBuild"): codebuild.run,
    ("Test", "CodeBuild"): codebuild.run,
    ("Approval", "Manual"): approval.run,
}


def perform(action: Action) -> None:
    """Do an action; ActionError says what went wrong."""
    kind = action.run.declaration["actionTypeId"]
    category, provider = kind["category"], kind["provider"]
    if (category, provider) not in PROVIDERS:
        known = ", ".join(" ".join(pair) for pair in PROVIDERS)
        raise ActionError(
            "ConfigurationError",
            f"{category} actions of {provider} are not rehearsed on the local AWS; it has {known}.",
        )
    PROVIDERS[category, provider](action)
