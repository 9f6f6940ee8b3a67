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
from stacks.network import CALLED_BY_TRAINING, CALLED_BY_WATCH, network_of
from stacks.place import Place, PlacedStack
from stacks.publishing import let_alarms_encrypt, let_alarms_publish, let_events_encrypt, let_rules_publish
from stacks.recorder import Recorder, roles_of
from stacks.team import JobRole, ServingRole


class ToolingStack(PlacedStack):
    """The account that trains and delivers: data, artifacts, images, and the training roles of each team."""

    def __init__(self, scope: cdk.App, place: Place) -> None:
        super().__init__(scope, place, place.name, description="Data, artifacts, images and training roles.")
        self.key = _key(self, place)
        let_events_encrypt(self.key)  # it tells of failed pipelines
        access_logs = _access_logs(self, place)
        self.data = _bucket(self, "Data", place, self.key, access_logs)
        self.artifacts = _bucket(self, "Artifacts", place, self.key, access_logs)
        _announce_objects(self.artifacts)
        self.artifacts.add_lifecycle_rule(prefix=f"{place.project.name}-", expiration=cdk.Duration.days(30))
        self.images = _images(self, place, self.key)
        signing_keys = [_signing_key(self, place, name) for name in place.project.signing_keys]
        self.signing_key_arn = _signing_key_arn(self, place, place.project.signing_keys[0])
        self.job_roles = {
            team: JobRole(
                self,
                team,
                data=self.data,
                artifacts=self.artifacts,
                images=self.images,
                signing_keys=signing_keys,
                key=self.key,
            ).role
            for team in place.project.teams
        }
        self.network = network_of(
            self, place, key=self.key, buckets=[self.data, self.artifacts], services=CALLED_BY_TRAINING
        )
        if self.network:
            for role in self.job_roles.values():
                self.network.grant_attach(role)
        Recorder(self, "Recorder", place, artifacts=self.artifacts)
        for name, bucket in {"DataBucket": self.data, "ArtifactsBucket": self.artifacts}.items():
            cdk.CfnOutput(self, f"{name}Name", value=bucket.bucket_name)

    def grant_get_public_keys(self, grantee: iam.IGrantable) -> None:
        """Lets a build read the public half of each signing key, also of one that this stack does not have yet."""
        grantee.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["kms:GetPublicKey"],
                resources=[self.format_arn(service="kms", resource="key", resource_name="*")],  # the alias narrows it
                conditions={"StringLike": {"kms:RequestAlias": self.place.names.signing_key("*")}},
            )
        )


class EnvironmentStack(PlacedStack):
    """An account where models answer: records, alert topics, and the serving role of each team."""

    def __init__(self, scope: cdk.App, place: Place, *, tooling: ToolingStack) -> None:
        super().__init__(scope, place, place.name, description=f"Records, alerts and serving roles of {place.name}.")
        self.key = _key(self, place)
        let_alarms_encrypt(self.key)
        if place.is_watched:
            let_events_encrypt(self.key)
        self.records = _bucket(self, "Records", place, self.key, _access_logs(self, place))
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
                key=self.key,
            ).role
            for team in place.project.teams
        }
        self.network = network_of(
            self,
            place,
            key=self.key,
            buckets=[self.records, tooling.artifacts, *([tooling.data] if place.is_watched else [])],
            services=CALLED_BY_WATCH if place.is_watched else (),
        )
        if self.network:
            for role in self.serving_roles.values():
                self.network.grant_attach(role, "ec2:DescribeVpcEndpoints")  # hosting looks at these too
        self.alerts = {team: self._topic(team, place) for team in place.project.teams}
        cdk.CfnOutput(self, "RecordsBucketName", value=self.records.bucket_name)

    def _topic(self, team: str, place: Place) -> sns.Topic:
        topic = sns.Topic(self, f"Alerts-{team}", master_key=self.key, enforce_ssl=True)
        everywhere = place.account.alerts if isinstance(place.account, Environment) else ()
        for address in dict.fromkeys((*place.project.teams[team].owners, *everywhere)):
            topic.add_subscription(subscriptions.EmailSubscription(address))
        let_alarms_publish(topic)
        if place.is_watched:
            let_rules_publish(topic)
        return topic


def _key(scope: Construct, place: Place) -> kms.Key:
    return kms.Key(
        scope,
        "Key",
        alias=place.names.stack(place.name),
        description=f"Everything that {place.project.name} keeps in {place.name}.",
        enable_key_rotation=True,
        removal_policy=place.removal_policy,
    )


def _signing_key(scope: Construct, place: Place, name: str) -> kms.Key:
    return kms.Key(
        scope,
        f"SigningKey-{name}",
        alias=place.names.signing_key(name),
        description=f"Signs the model packages of {place.project.name}.",
        key_spec=kms.KeySpec.ECC_NIST_P256,
        key_usage=kms.KeyUsage.SIGN_VERIFY,
        removal_policy=place.removal_policy,
    )


def _signing_key_arn(scope: Construct, place: Place, name: str) -> str:
    """By its alias, so that no other stack holds on to a key that is to be retired."""
    alias = place.names.signing_key(name).removeprefix("alias/")
    return cdk.Stack.of(scope).format_arn(service="kms", resource="alias", resource_name=alias)


def _bucket(scope: Construct, name: str, place: Place, key: kms.Key, access_logs: s3.IBucket) -> s3.Bucket:
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
        server_access_logs_bucket=access_logs,
        server_access_logs_prefix=f"{name.lower()}/",
        versioned=True,
    )
    bucket.add_lifecycle_rule(
        abort_incomplete_multipart_upload_after=cdk.Duration.days(7),
        noncurrent_version_expiration=cdk.Duration.days(place.account.keep_versions_days),
    )
    _keep_versions(bucket, place)
    return bucket


def _keep_versions(bucket: s3.Bucket, place: Place) -> None:
    """No role of the project deletes a version, whatever it is granted: what it deletes can be brought back."""
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            effect=iam.Effect.DENY,
            actions=["s3:DeleteObjectVersion"],
            principals=[iam.AnyPrincipal()],
            resources=[bucket.arn_for_objects("*")],
            conditions={"ArnLike": {"aws:PrincipalArn": roles_of(place)}},
        )
    )


def _access_logs(scope: Construct, place: Place) -> s3.Bucket:
    """Who read and wrote which object of a place's buckets; S3 delivers such logs only under its own key."""
    return s3.Bucket(
        scope,
        "AccessLogs",
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        lifecycle_rules=[
            s3.LifecycleRule(
                abort_incomplete_multipart_upload_after=cdk.Duration.days(7),
                expiration=cdk.Duration.days(place.account.log_retention_days),
                noncurrent_version_expiration=cdk.Duration.days(7),
            )
        ],
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        removal_policy=place.removal_policy,
        versioned=True,
    )


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
