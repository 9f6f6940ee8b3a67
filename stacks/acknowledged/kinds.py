"""Rules that are right elsewhere, and how the same is seen to here."""

from __future__ import annotations

from stacks.acknowledged.entry import MACHINES, Acknowledged

NIST = "NIST.800.53.R5"

KINDS = (
    Acknowledged(
        "AwsSolutions-SF1",
        on=MACHINES,
        reason="Step Functions keeps every event of a run for 90 days; the log keeps what failed for longer.",
    ),
    Acknowledged(
        "AwsSolutions-SF2",
        on=MACHINES,
        reason="A run is one chain of calls that its history shows; X-Ray would need permissions on every resource.",
    ),
    Acknowledged(
        f"{NIST}-CloudWatchAlarmAction",
        on=("{project}-serving-{model}/Live/Alarms/{alarm}", "{project}-watch-{environment}/Alarms-{team}/{alarm}"),
        reason="One alarm over these tells the team, once; our rule alarms_reach_somebody sees that it does.",
    ),
    Acknowledged(
        f"{NIST}-CloudWatchLogGroupEncrypted",
        on=("{project}-{stack}/{anything}",),
        reason="CloudWatch encrypts logs under a key of its own; ours would have to be open to it for every group.",
    ),
    Acknowledged(
        f"{NIST}-IAMNoInlinePolicy",
        on=("{project}-{stack}/{anything}",),
        reason="A policy that belongs to one role only comes and goes with it; the CDK's grants write it there.",
    ),
    Acknowledged(
        f"{NIST}-S3BucketReplicationEnabled",
        on=("{project}-{place}/{bucket}",),
        reason="Versions bring back what is deleted or overwritten; a copy in another region is the fork's decision.",
    ),
    Acknowledged(
        f"{NIST}-S3DefaultEncryptionKMS",
        on=("{project}-{place}/AccessLogs",),
        reason="S3 delivers access logs only to a bucket under its own key.",
    ),
    Acknowledged(
        f"{NIST}-SageMakerEndpointConfigurationKMSKeyConfigured",
        on=("{project}-serving-{model}/Live/RealTime/Config",),
        reason="SageMaker takes no key for a serverless endpoint; our rule volumes_are_under_our_key sees all others.",
    ),
)
