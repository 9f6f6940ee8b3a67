"""Where a package comes from: its version, commit, data, and what the gate measured."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from config.naming import NOTHING

SHORT = 8


@dataclass(frozen=True)
class Origin:
    """What registry and artifacts say of a package; empty is what they do not say, or not to this caller."""

    package: str
    status: str = ""
    commit: str = ""
    data: str = ""
    metric: str = ""
    registered: datetime | None = None

    @property
    def version(self) -> str:
        """Its number within the model."""
        return self.package.rpartition("/")[2]

    @classmethod
    def read(cls, sagemaker: Any, s3: Any, package: str) -> Self:
        try:
            found = sagemaker.describe_model_package(ModelPackageName=package)
        except (BotoCoreError, ClientError):  # deleted since
            return cls(package)
        metadata = found.get("CustomerMetadataProperties", {})
        evaluation = _evaluation(found)
        commit = metadata.get("commit", "")
        return cls(
            package=package,
            status=found.get("ModelApprovalStatus", ""),
            commit="" if commit in (NOTHING, "unknown") else commit,
            data=metadata.get("data_version") or _read(s3, evaluation, "manifest").get("data_version", ""),
            metric=_metric(_read(s3, evaluation, "evaluation")),
            registered=found.get("CreationTime"),
        )

    def __str__(self) -> str:
        said = [f"version {self.version}"]
        said += [f"commit {self.commit[:SHORT]}"] if self.commit else []
        said += [f"registered {self.registered:%Y-%m-%d %H:%M}"] if self.registered else []
        said += [self.metric] if self.metric else []
        said += [f"data {self.data[:SHORT]}"] if self.data else []
        return ", ".join(said)


def _evaluation(package: dict[str, Any]) -> str:
    statistics = package.get("ModelMetrics", {}).get("ModelQuality", {}).get("Statistics", {})
    return statistics.get("S3Uri", "")


def _read(s3: Any, evaluation: str, name: str) -> dict[str, Any]:
    """A small object of the training run, beside its evaluation; nothing where it cannot be read."""
    bucket, _, key = evaluation.removeprefix("s3://").partition("/")
    run = key.removesuffix("/evaluation/evaluation.json")
    if not bucket or run == key:
        return {}
    try:
        return json.load(s3.get_object(Bucket=bucket, Key=f"{run}/{name}/{name}.json")["Body"])
    except (BotoCoreError, ClientError, ValueError):
        return {}


def _metric(evaluation: dict[str, Any]) -> str:
    promotion = evaluation.get("promotion", {})
    return f"{promotion['metric']} {promotion['value']:.4f}" if "value" in promotion else ""
