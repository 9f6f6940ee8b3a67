"""Service Quotas: this machine has none, so it lists none, until a test gives the account some."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, ClassVar

from local_aws.service import Caller, Service

if TYPE_CHECKING:
    from local_aws.account import Account


class ServiceQuotas(Service):
    """Lists what `give` has given; what every account gets by default is nothing."""

    name: ClassVar[str] = "servicequotas"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._quotas: dict[str, dict[str, float]] = {}

    def give(self, service: str, **quotas: float) -> None:
        """Let the account have just these quotas of a service, by AWS's names for them."""
        self._quotas[service] = quotas

    def list_service_quotas(self, params: dict[str, Any], _: Caller) -> dict[str, Any]:
        """A page of the quotas that the account has."""
        service, begin = params["ServiceCode"], int(params.get("NextToken", "0"))
        end = begin + params.get("MaxResults", 100)
        found = list(self._quotas.get(service, {}).items())
        return {
            "Quotas": [self._quota(service, name, value) for name, value in found[begin:end]],
            "NextToken": str(end) if end < len(found) else None,
        }

    def list_aws_default_service_quotas(self, params: dict[str, Any], _: Caller) -> dict[str, Any]:  # noqa: ARG002
        """The quotas that every account gets: we know none of AWS's."""
        return {"Quotas": []}

    def _quota(self, service: str, name: str, value: float) -> dict[str, Any]:
        code = f"L-{hashlib.sha256(name.encode()).hexdigest()[:8].upper()}"
        return {
            "ServiceCode": service,
            "QuotaName": name,
            "QuotaCode": code,
            "QuotaArn": self.account.arn("servicequotas", f"{service}/{code}"),
            "Value": value,
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }
