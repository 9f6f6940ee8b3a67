"""What a request asks for, where MiniStack does not tell its evaluator: then a narrow policy would never allow it.

These are condition keys (the namespace of metrics, the source and type of events, how a key is to sign and by which
alias it is called), the path of parameters, a map's run, and the key behind an alias.
"""

# ruff: noqa: SLF001 - MiniStack's private names, all of them listed and checked in emulator.py

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
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
        target = headers.get("x-amz-target", "")
        if service == "ssm" and target.endswith(".GetParametersByPath"):
            return account.arn("ssm", f"parameter/{json.loads(body or b'{}').get('Path', '').strip('/')}")
        if service == "kms" and (key := account.emulator.kms._resolve_key(json.loads(body or b"{}").get("KeyId"))):
            return key["Arn"]
        if service == "states" and (run := json.loads(body or b"{}").get("mapRunArn")):
            return run
        if service in ("cloudwatch", "monitoring") and (names := _given(account, body).get("AlarmNames")):
            return account.arn("cloudwatch", f"alarm:{_shared(names)}")
        return resource_of(service, method, path, headers, body, *rest)

    actions.request_tag_context = context
    actions.extract_resource_arn = resource


def _keys(account: Account, action: str, body: bytes) -> dict[str, str]:
    if action == "cloudwatch:PutMetricData":
        return {"cloudwatch:namespace": _namespace(account, body)}
    if action.startswith("kms:"):
        return _of_key(json.loads(body or b"{}"))
    if action == "events:PutEvents":
        entries = json.loads(body or b"{}").get("Entries", [])
        return {
            "events:source": _one(entry.get("Source", "") for entry in entries),
            "events:detail-type": _one(entry.get("DetailType", "") for entry in entries),
        }
    return {}


def _of_key(request: Mapping[str, Any]) -> dict[str, str]:
    """Only what the request says: policies tell a call by an alias from one by the key's id."""
    named = request.get("KeyId", "")
    alias = named[named.find("alias/") :] if "alias/" in named else ""
    told = {
        "kms:RequestAlias": alias,
        "kms:SigningAlgorithm": request.get("SigningAlgorithm"),
        "kms:MessageType": request.get("MessageType", "RAW") if "SigningAlgorithm" in request else None,
    }
    return {name.lower(): value for name, value in told.items() if value}


def _namespace(account: Account, body: bytes) -> str:
    found = _given(account, body).get("Namespace", "")
    return found if isinstance(found, str) else found[0]


def _given(account: Account, body: bytes) -> Mapping[str, Any]:
    """The parameters of a request to CloudWatch: in JSON, as a form, or, from current SDKs, in CBOR."""
    if body[:1] == b"{":
        return json.loads(body)
    if body.startswith((b"Action=", b"Version=")):
        form = parse_qs(body.decode())
        alarms = [value for name, values in form.items() if name.startswith("AlarmNames.") for value in values]
        return {**form, "AlarmNames": alarms}
    return account.emulator.cbor.loads(body) if body else {}


def _shared(names: Sequence[str]) -> str:
    """The name of an alarm; of several what they begin with: who may see all that begins so may see them."""
    if len(names) == 1:
        return names[0]
    pairs = zip(min(names), max(names), strict=False)  # what these two begin with, all begin with
    return "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)) + "*"


def _one(values: Iterable[str]) -> str:
    """AWS decides entry by entry; here a request whose entries differ is held to all of their values at once."""
    return ", ".join(sorted(set(values)))
