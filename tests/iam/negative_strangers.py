"""Questions that must be answered no: whom AWS's services and other accounts reach here."""

from __future__ import annotations

from tests.iam.question import OURS, SOMEBODY_ELSES
from tests.iam.question import Question as May
from tests.iam.roles import ASSUME

USE_KEY = ("kms:Decrypt", "kms:GenerateDataKey")
TOPIC = "kms:EncryptionContext:aws:sns:topicArn"
OTHERS = {"aws:SourceAccount": SOMEBODY_ELSES}
PASSED = (
    "the trust policy in CodePipeline's guide (Create the CodePipeline service role) has no condition, and it names no "
    "key that could be one; a role is passed within its account alone, so another account cannot name it"
)
NO_CONDITION = (
    '"You can\'t use `Condition` blocks in Amazon SNS topic policies for EventBridge" (EventBridge guide, Using '
    "resource-based policies); the policy lets it in to these topics and to no other"
)


def _for_others(service: str, exception: str = "") -> May:
    sentence = f"{service} does something as a role of ours for another account"
    return May(sentence, f"service:{service}.amazonaws.com", ASSUME, "role:*", OTHERS, exception=exception)


TRUST = (
    _for_others("sagemaker"),
    _for_others("states"),
    _for_others("scheduler"),
    _for_others("events"),
    _for_others("codebuild"),
    _for_others("codepipeline", exception=PASSED),
    _for_others("application-autoscaling"),
    May("a role of another account is a role of ours", "stranger:admin", ASSUME, "role:*"),
    May(
        "EC2, Lambda or ECS is a role of ours",
        tuple(f"service:{s}.amazonaws.com" for s in ("ec2", "lambda", "ecs-tasks")),
        ASSUME,
        "role:*",
        {"aws:SourceAccount": OURS},
    ),
    May(
        "a role of another account reads a bucket of {environment}",
        "stranger:admin",
        ("s3:GetObject", "s3:ListBucket"),
        ("data/{team}/a", "artifacts/{team}/a", "records/capture/{team}/a", "records"),
    ),
    May(
        "a role of another account decrypts with a key of {environment}",
        "stranger:admin",
        "kms:Decrypt",
        ("key:greenlight-{environment}", "key:greenlight-tooling"),
    ),
    May(
        "a role of another account writes to alerts of {environment}",
        "stranger:admin",
        ("sns:Publish", "sns:Subscribe"),
        ("releases", "at:greenlight-{environment}/Alerts-{team}"),
    ),
    May(
        "EventBridge writes to alerts of {environment} for another account",
        "service:events.amazonaws.com",
        "sns:Publish",
        ("releases", "at:greenlight-{environment}/Alerts-{team}"),
        OTHERS,
        exception=NO_CONDITION,
    ),
    May(
        "CloudWatch writes to alerts of {environment} for another account",
        "service:cloudwatch.amazonaws.com",
        "sns:Publish",
        ("releases", "at:greenlight-{environment}/Alerts-{team}"),
        OTHERS,
    ),
    May(
        "CloudWatch uses a key of {environment} for another account",
        "service:cloudwatch.amazonaws.com",
        USE_KEY,
        "key:greenlight-{environment}",
        OTHERS,
    ),
    # Not by aws:SourceAccount: where EventBridge writes to an encrypted topic, AWS does not send it (SNS guide).
    May(
        "EventBridge uses a key of {environment} for topics of another account",
        "service:events.amazonaws.com",
        USE_KEY,
        ("key:greenlight-{environment}", "key:greenlight-tooling"),
        {TOPIC: f"arn:aws:sns:eu-west-1:{SOMEBODY_ELSES}:other"},
    ),
    May(
        "EventBridge or CloudWatch uses a key of {environment} for anything but topics",
        ("service:events.amazonaws.com", "service:cloudwatch.amazonaws.com"),
        USE_KEY,
        ("key:greenlight-{environment}", "key:greenlight-tooling"),
        {"aws:SourceAccount": OURS},
    ),
)
