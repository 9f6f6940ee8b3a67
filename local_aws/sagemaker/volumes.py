"""The key of storage volumes: refused where no volume takes one, and passed on under the role that AWS asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from config.instances import has_own_disks
from local_aws.errors import AwsError
from local_aws.sagemaker import roles
from local_aws.sagemaker.rehearsal import say
from local_aws.service import Permission

if TYPE_CHECKING:
    from local_aws.account import Account

SAID = "Encryption of {}'s volumes is not rehearsed: its instances use this machine's disk. The right to their key is."


def check(key: str | None, instance_types: Iterable[str]) -> None:
    """Refuse a key (AwsError, in AWS's words) for instances whose machine encrypts disks of its own.

    For endpoints AWS's reference said until 2026 that the call fails, and says now that the key does not encrypt such
    disks. Refused here all the same: a template that asks for it would promise what it does not keep.
    """
    if key and any(map(has_own_disks, instance_types)):
        raise AwsError("ValidationException", "KMS key is not supported for NVMe instance storage.")


def grant(account: Account, key: str | None, role: str, what: str) -> None:
    """Asks for the right to pass a key on to the volumes of *what*, under its role; no grant is made.

    What AWS then does with the volumes, it does by the grant, without the role. Raises AwsError where there is no such
    key, it is out of use, or the role may not.
    """
    if not key:
        return
    say(account, SAID.format(what))
    found = _find(account, key)
    session = account.authorization.assume(role, roles.PRINCIPAL, "SageMaker").access_key
    account.authorization.require(session, "kms", Permission("kms:CreateGrant", found["Arn"], _by_aws(account)))
    if found["KeyState"] != "Enabled":
        raise AwsError("KMSInvalidStateException", f"{found['Arn']} is in the state {found['KeyState']}, not Enabled.")


def of_caller(account: Account, key: str | None) -> list[Permission]:
    """What who creates an endpoint configuration must be allowed on the key of its volumes.

    Sources: the handler of AWS::SageMaker::EndpointConfig looks at the key; and for an endpoint of the Inference
    Recommender, whose role calls CreateEndpointConfig, that "will fail ... if the role passed does not have
    kms:CreateGrant permission" (API reference: RecommendationJobInputConfig).
    """
    if not key:
        return []
    arn = _find(account, key)["Arn"]
    by_aws = {**_by_aws(account), "kms:ViaService": f"sagemaker.{account.settings.region}.amazonaws.com"}
    return [Permission("kms:DescribeKey", arn), Permission("kms:CreateGrant", arn, by_aws)]


def _find(account: Account, key: str) -> Mapping[str, Any]:
    found = account.emulator.kms._resolve_key(key)  # noqa: SLF001 - listed and checked in emulator.py
    if found is None:
        raise AwsError("ValidationException", f"Invalid KMS key: key '{key}' does not exist.")
    return found


def _by_aws(account: Account) -> dict[str, str]:
    return {"kms:GrantIsForAWSResource": "true", "kms:CallerAccount": account.settings.account}
