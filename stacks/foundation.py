"""What every model shares: in the tooling account, and in each environment."""

from __future__ import annotations

from typing import cast

import aws_cdk as cdk
from aws_cdk import PhysicalName
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from config.project import Environment
from stacks.place import Place, PlacedStack
from stacks.team import ServingRole, TrainingRoles


class ToolingStack(PlacedStack):
    """The account that trains and delivers: data, artifacts, images, and the training roles of each team."""

    def __init__(self, scope: cdk.App, place: Place) -> None:
        super().__init__(scope, place, place.name, description="Data, artifacts, images and training roles.")
        self.key = _key(self, place)
        self.key.grant_encrypt_decrypt(iam.ServicePrincipal("events.amazonaws.com"))  # tells of failed pipelines
        self.data = _bucket(self, "Data", place, self.key)
        self.artifacts = _bucket(self, "Artifacts", place, self.key)
        _announce_objects(self.artifacts)
        self.artifacts.add_lifecycle_rule(prefix=f"{place.project.name}-", expiration=cdk.Duration.days(30))
        self.images = _images(self, place, self.key)
        self.training_roles = {
            team: TrainingRoles(
                self, team, project=place.project.name, data=self.data, artifacts=self.artifacts, images=self.images
            )
            for team in place.project.teams
        }
        for name, bucket in {"DataBucket": self.data, "ArtifactsBucket": self.artifacts}.items():
            cdk.CfnOutput(self, f"{name}Name", value=bucket.bucket_name)


class EnvironmentStack(PlacedStack):
    """An account where models answer: records, alert topics, and the serving role of each team."""

    def __init__(self, scope: cdk.App, place: Place, *, tooling: ToolingStack) -> None:
        super().__init__(scope, place, place.name, description=f"Records, alerts and serving roles of {place.name}.")
        self.key = _key(self, place)
        self._let_publish("cloudwatch")  # alarms
        if place.is_watched:
            self._let_publish("events")  # rules; EventBridge tells a key and a topic nothing that could be a condition
        self.records = _bucket(self, "Records", place, self.key)
        for prefix in ("batch/", "capture/"):
            self.records.add_lifecycle_rule(prefix=prefix, expiration=cdk.Duration.days(90))
        self.serving_roles = {
            team: ServingRole(
                self,
                team,
                project=place.project.name,
                artifacts=tooling.artifacts,
                records=self.records,
                images=tooling.images,
            ).role
            for team in place.project.teams
        }
        self.alerts = {team: self._topic(team, place) for team in place.project.teams}
        cdk.CfnOutput(self, "RecordsBucketName", value=self.records.bucket_name)

    def _topic(self, team: str, place: Place) -> sns.Topic:
        topic = sns.Topic(self, f"Alerts-{team}", master_key=self.key, enforce_ssl=True)
        everywhere = place.account.alerts if isinstance(place.account, Environment) else ()
        for address in dict.fromkeys((*place.project.teams[team].owners, *everywhere)):
            topic.add_subscription(subscriptions.EmailSubscription(address))
        return topic

    def _let_publish(self, service: str) -> None:
        """Lets a service of AWS use our key, under which the topics are."""
        self.key.grant_encrypt_decrypt(iam.ServicePrincipal(f"{service}.amazonaws.com"))


def _key(scope: Construct, place: Place) -> kms.Key:
    return kms.Key(
        scope,
        "Key",
        alias=place.names.stack(place.name),
        description=f"Everything that {place.project.name} keeps in {place.name}.",
        enable_key_rotation=True,
        removal_policy=place.removal_policy,
    )


def _bucket(scope: Construct, name: str, place: Place, key: kms.Key) -> s3.Bucket:
    bucket = s3.Bucket(
        scope,
        name,
        bucket_name=PhysicalName.GENERATE_IF_NEEDED,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        encryption=s3.BucketEncryption.KMS,
        encryption_key=key,
        bucket_key_enabled=True,
        enforce_ssl=True,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        removal_policy=place.removal_policy,
        versioned=True,
    )
    bucket.add_lifecycle_rule(
        abort_incomplete_multipart_upload_after=cdk.Duration.days(7),
        noncurrent_version_expiration=cdk.Duration.days(90),
    )
    return bucket


def _announce_objects(bucket: s3.Bucket) -> None:
    """Sends object events to EventBridge; through the L1, because the L2 adds a Lambda function for it."""
    resource = cast("s3.CfnBucket", bucket.node.default_child)
    resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
    )


def _images(scope: Construct, place: Place, key: kms.Key) -> ecr.Repository:
    return ecr.Repository(
        scope,
        "Images",
        repository_name=PhysicalName.GENERATE_IF_NEEDED,
        empty_on_delete=place.account.removal == "destroy",
        encryption_key=key,
        image_scan_on_push=True,
        image_tag_mutability=ecr.TagMutability.IMMUTABLE,
        lifecycle_rules=[ecr.LifecycleRule(description="Keep the newest images.", max_image_count=200)],
        removal_policy=place.removal_policy,
    )
