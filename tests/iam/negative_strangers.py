"""Questions that must be answered no: whom AWS's services and other accounts reach here."""

from __future__ import annotations

from tests.iam.question import OURS, SOMEBODY_ELSES
from tests.iam.question import Question as May
from tests.iam.roles import ASSUME

USE_KEY = ("kms:Decrypt", "kms:GenerateDataKey")
TOPIC = "kms:EncryptionContext:aws:sns:topicArn"
OTHERS = {"aws:SourceAccount": SOMEBODY_ELSES}
PASSED = (
    "a role is passed within its account alone, so another account cannot name it; its trust policy does not say so too"
)


def _for_others(service: str, yet: str = "") -> May:
    sentence = f"{service} does something as a role of ours for another account"
    return May(sentence, f"service:{service}.amazonaws.com", ASSUME, "role:*", OTHERS, yet=yet)


TRUST = (
    _for_others("sagemaker"),
    _for_others("states"),
    _for_others("scheduler"),
    _for_others("events", yet=PASSED),
    _for_others("codebuild", yet=PASSED),
    _for_others("codepipeline", yet=PASSED),
    _for_others("application-autoscaling", yet=PASSED),
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
        yet="the topics' policies let EventBridge in without aws:SourceAccount",
    ),
    May(
        "CloudWatch uses a key of {environment} for another account",
        "service:cloudwatch.amazonaws.com",
        USE_KEY,
        "key:greenlight-{environment}",
        OTHERS,
        yet="the keys' policies let CloudWatch in without aws:SourceAccount",
    ),
    # Not by aws:SourceAccount: where EventBridge writes to an encrypted topic, AWS does not send it (SNS guide).
    May(
        "EventBridge uses a key of {environment} for topics of another account",
        "service:events.amazonaws.com",
        USE_KEY,
        ("key:greenlight-{environment}", "key:greenlight-tooling"),
        {TOPIC: f"arn:aws:sns:eu-west-1:{SOMEBODY_ELSES}:other"},
        yet="the keys' policies do not name the topics (kms:EncryptionContext:aws:sns:topicArn)",
    ),
)
