"""Stars that the CDK's own grants write, and permissions on what AWS gives no resource."""

from __future__ import annotations

from stacks.acknowledged.entry import (
    BUILDS,
    CONFIRM,
    IAM5,
    IMAGE,
    JOB,
    MACHINES,
    NETWORKS,
    PIPELINES,
    PLAN,
    SERVE,
    SERVING,
    WATCH,
    Acknowledged,
)

GRANTS = (
    Acknowledged(
        IAM5,
        on=PIPELINES,
        details=(
            "Action::s3:GetObject*",
            "Action::s3:GetBucket*",
            "Action::s3:List*",
            "Action::s3:Abort*",
            "Action::s3:DeleteObject*",
        ),
        reason="The CDK lets a pipeline use the bucket of its artifacts so, which refuses the deletion of versions.",
    ),
    Acknowledged(
        IAM5,
        on=(*BUILDS, *PIPELINES),
        details=("Action::kms:GenerateDataKey*", "Action::kms:ReEncrypt*"),
        reason="The CDK's grants of a key name these actions so; each is allowed on one key.",
    ),
    Acknowledged(
        IAM5,
        on=(JOB, SERVING, WATCH, *MACHINES, SERVE, CONFIRM, PLAN, IMAGE, *NETWORKS),
        details=("Resource::*",),
        reason="Only actions that AWS gives no resource are allowed so; our rule resources_are_named lists them.",
    ),
)
