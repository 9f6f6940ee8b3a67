"""What a request asks for, where MiniStack does not tell its evaluator: then a narrow policy would never allow it.

These are condition keys (the namespace of metrics, the source and type of events) and the path of parameters.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from local_aws.account import Account


def install(account: Account) -> None:
    """Let policies decide by these too."""
    actions = account.emulator.actions
    known, resource_of = actions.request_tag_context, actions.extract_resource_arn

    def context(service: str, action: str, body: bytes, params: Any) -> dict[str, Any]:
        return {**known(service, action, body, params), **_keys(account, action, body)}

    def resource(service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, *rest: Any) -> Any:
        if service == "ssm" and headers.get("x-amz-target", "").endswith(".GetParametersByPath"):
            return account.arn("ssm", f"parameter/{json.loads(body or b'{}').get('Path', '').strip('/')}")
        return resource_of(service, method, path, headers, body, *rest)

    actions.request_tag_context = context
    actions.extract_resource_arn = resource


def _keys(account: Account, action: str, body: bytes) -> dict[str, str]:
    if action == "cloudwatch:PutMetricData":
        return {"cloudwatch:namespace": _namespace(account, body)}
    if action == "events:PutEvents":
        entries = json.loads(body or b"{}").get("Entries", [])
        return {
            "events:source": _one(entry.get("Source", "") for entry in entries),
            "events:detail-type": _one(entry.get("DetailType", "") for entry in entries),
        }
    return {}


def _namespace(account: Account, body: bytes) -> str:
    """PutMetricData comes in JSON, as a form, or, from current SDKs, in CBOR."""
    if body[:1] == b"{":
        return json.loads(body).get("Namespace", "")
    if body.startswith((b"Action=", b"Version=")):
        return parse_qs(body.decode()).get("Namespace", [""])[0]
    return account.emulator.cbor.loads(body).get("Namespace", "")


def _one(values: Iterable[str]) -> str:
    """AWS decides entry by entry; here a request whose entries differ is held to all of their values at once."""
    return ", ".join(sorted(set(values)))
