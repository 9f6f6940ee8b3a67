"""Keeps what the registry knows: AWS has no versions of it, the artifacts bucket has."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks import jobs
from stacks.jsonata import call, of
from stacks.place import Place

TIMEOUT = cdk.Duration.minutes(10)
TRIES = 4


class Recorder(Construct):
    """Writes each package down as the registry describes it, when it is registered, approved, rejected or changed.

    The record is an object with versions, so the past of an approval is there too. Nobody else of the project may write
    it: a restore believes what it says.
    """

    def __init__(self, scope: Construct, name: str, place: Place, *, artifacts: s3.IBucket) -> None:
        super().__init__(scope, name)
        self._place, self._artifacts = place, artifacts
        self.machine = jobs.machine(
            self,
            place.names.recorder,
            self._look(),
            log_retention=place.log_retention,
            timeout=TIMEOUT,
            comment="Writes down what the registry knows of a package.",
            language=sfn.QueryLanguage.JSONATA,
        )
        assert artifacts.encryption_key
        artifacts.encryption_key.grant(self.machine, "kms:GenerateDataKey")
        self._keep_others_out()
        self._when_changed()

    def _look(self) -> sfn.IChainable:
        """Takes `{"package": <arn>}`; what is described is what is true now, not what the event said."""
        packages = cdk.Stack.of(self).format_arn(
            service="sagemaker", resource="model-package", resource_name=f"{self._place.project.name}-*"
        )
        look = call(
            self,
            "Look",
            "sagemaker:DescribeModelPackage",
            {"ModelPackageName": of("$states.input.package")},
            on=[packages],
            assign={"found": of("$states.result")},
        )
        folder = self._place.names.package_records()
        # A group that is made anew may count from 1 again, so the time is in the key besides the version.
        version = "$string($found.ModelPackageVersion) & '-' & $string($found.CreationTime)"
        keep = call(
            self,
            "Keep",
            "s3:PutObject",
            {
                "Bucket": self._artifacts.bucket_name,
                "Key": of(f"'{folder}' & $found.ModelPackageGroupName & '/' & {version} & '.json'"),
                "ContentType": "application/json",
                "Body": of("$found"),
            },
            on=[self._artifacts.arn_for_objects(f"{folder}*")],
        )
        for state in (look, keep):
            state.add_retry(errors=["States.TaskFailed"], max_attempts=TRIES)
        return look.next(keep)

    def _keep_others_out(self) -> None:
        """Pipelines and some builds may write to the whole bucket, and would approve packages by way of a restore."""
        self._artifacts.add_to_resource_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                actions=["s3:PutObject", "s3:DeleteObject"],
                principals=[iam.AnyPrincipal()],
                resources=[self._artifacts.arn_for_objects(f"{self._place.names.package_records()}*")],
                conditions={
                    "ArnLike": {"aws:PrincipalArn": roles_of(self._place)},
                    "ArnNotEquals": {"aws:PrincipalArn": self.machine.role.role_arn},
                },
            )
        )

    def _when_changed(self) -> None:
        given = {"package": events.EventField.from_path("$.detail.ModelPackageArn")}
        events.Rule(
            self,
            "Changed",
            rule_name=self._place.names.recorder,
            description="Writes down what the registry knows of a package.",
            event_pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Model Package State Change"],
                account=[cdk.Stack.of(self).account],
                detail={"ModelPackageGroupName": [{"prefix": f"{self._place.project.name}-"}]},
            ),
            targets=[targets.SfnStateMachine(self.machine, input=events.RuleTargetInput.from_object(given))],
        )


def roles_of(place: Place) -> str:
    """The ARNs of the project's roles, in whatever account: their names begin as their stacks' do."""
    return f"arn:{cdk.Aws.PARTITION}:iam::*:role/{place.project.name}-*"
