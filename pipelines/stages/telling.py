"""Tells people what a release does, by a topic."""

from __future__ import annotations

from typing import Any

from pipelines.stages.surroundings import Surroundings

LONGEST_SUBJECT = 100


def tell(sns: Any, topic: str, subject: str, text: str) -> None:
    """Publishes *text*; a subject that is too long for an e-mail ends in dots."""
    plain = " ".join(subject.encode("ascii", "replace").decode().split())
    short = plain if len(plain) <= LONGEST_SUBJECT else f"{plain[: LONGEST_SUBJECT - 3]}..."
    sns.publish(TopicArn=topic, Subject=short, Message=text)


def number(package: str) -> str:
    """A package as people call it: its group and version."""
    return " version ".join(package.rsplit("/", 2)[-2:]) if package.startswith("arn:") else package


def pipeline_link(around: Surroundings, execution: str) -> str:
    """Where people see the release."""
    region = around.client("codepipeline").meta.region_name
    name = around.names.delivery_pipeline("release")
    return (
        f"https://{region}.console.aws.amazon.com/codesuite/codepipeline/pipelines/{name}/executions/{execution}"
        f"/timeline?region={region}"
    )
