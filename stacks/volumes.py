"""The storage volumes of endpoints and jobs, and the right that SageMaker needs to put them under a key of ours."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from config.hosting import Dedicated, Hosting
from config.instances import has_own_disks


def hosting_key(key: kms.IKey, hosting: Hosting) -> str | None:
    """The key of an endpoint's volumes; None where it has none: serverless, or disks that their machine encrypts."""
    return key.key_arn if isinstance(hosting, Dedicated) and not has_own_disks(hosting.instance) else None


def grant_encrypt_volumes(key: kms.IKey, role: iam.IGrantable) -> None:
    """Lets SageMaker, as *role*, pass *key* on to the volumes of its instances; the role itself can pass it to nobody.

    This is all that SageMaker documents for a role: what reads and writes a volume acts under the grant.
    """
    role.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["kms:CreateGrant"],
            resources=[key.key_arn],
            conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        )
    )
