"""IAM for our own services, the credentials that services act with, and the journal of all decisions."""

# ruff: noqa: SLF001 - MiniStack's private names, all of them listed and checked in emulator.py

import contextvars
import json
import re
import threading
import uuid
from dataclasses import dataclass
from typing import Any

from local_aws.emulator import Emulator
from local_aws.errors import AwsError
from local_aws.journal import Decision, Journal
from local_aws.service import Caller, Permission
from local_aws.settings import Settings

REQUEST = contextvars.ContextVar("local_aws_request", default="")
ACCESS_KEY = contextvars.ContextVar("local_aws_access_key", default="")
CODES_IN_JSON = {"SignatureDoesNotMatch": "InvalidSignatureException"}
DECISIONS = {"Deny": "deny", "ImplicitDeny": "implicit-deny"}
# AWS asks for these on `log-group:<name>:log-stream:`, which a policy on the bare group does not allow; MiniStack does.
OF_LOG_STREAMS = tuple(
    f"logs:{action}"
    for action in (
        *("CreateLogGroup", "CreateLogStream", "DescribeLogStreams"),
        *("FilterLogEvents", "GetLogEvents", "PutLogEvents"),
    )
)


@dataclass(frozen=True)
class Credentials:
    """What a client signs with; no `token` for the root user."""

    access_key: str
    secret_key: str
    token: str | None = None


class Authorization:
    """MiniStack's evaluator, asked for our services too; every decision, ours and MiniStack's, is journalled."""

    def __init__(self, emulator: Emulator, journal: Journal, settings: Settings) -> None:
        self.root = Credentials(settings.account, settings.account)
        self._emulator = emulator
        self._journal = journal
        self._settings = settings
        self._sessions: dict[tuple[str, str, str], Credentials] = {}
        self._lock = threading.Lock()
        self._enforce = emulator.evaluator.enforce
        emulator.evaluator.enforce = self._journalled  # MiniStack's services look it up at every call

    def caller(self, access_key: str) -> Caller:
        """Who signs with this key; an unknown key has no ARN."""
        found = self._emulator.evaluator.resolve_credential(access_key, self._settings.account)
        return Caller(getattr(found, "principal_arn", ""), access_key)

    def credentials(self, access_key: str) -> Credentials:
        """The credentials that belong to an access key."""
        found = self._emulator.evaluator.resolve_credential(access_key, self._settings.account)
        if not hasattr(found, "secret_access_key"):
            raise AwsError(found.code, found.message, 403)
        return Credentials(access_key, found.secret_access_key, found.session_token)

    def require(self, access_key: str, service: str, permission: Permission) -> None:
        """Refuse (AwsError, in AWS's words) a caller that lacks the permission."""
        action, resource, context = permission
        refused = self._emulator.evaluator.enforce(
            access_key, action, service, self._settings.region, resource_arn=resource, service_context=dict(context)
        )
        if isinstance(refused, self._emulator.evaluator.AuthError):
            raise AwsError(CODES_IN_JSON.get(refused.code, refused.code), refused.message, 403)
        if refused is not None:
            why = (
                "with an explicit deny in an identity-based policy"
                if refused.decision == "Deny"
                else f"because no identity-based policy allows the {action} action"
            )
            message = f"User: {refused.principal_arn} is not authorized to perform: {action} on resource: {resource}"
            raise AwsError("AccessDeniedException", f"{message} {why}")

    def assume(self, role: str, service: str, session: str, source_arn: str = "") -> Credentials:
        """The credentials of `role` (an ARN) as an AWS service assumes it: the role's trust policy decides.

        `source_arn` is what the service acts for (aws:SourceArn). The credentials do not expire: a process gets them
        at its start and cannot renew them.
        """
        self._check_trust(role, service, source_arn)
        with self._lock:
            key = (role, service, session)
            if key not in self._sessions:
                self._sessions[key] = self._new_session(role, session)
            return self._sessions[key]

    def _check_trust(self, role: str, service: str, source_arn: str) -> None:
        document = self._emulator.iam._roles.get(role.rsplit("/", 1)[-1])
        if document is None or document["Arn"] != role:
            raise AwsError("AccessDenied", f"{service} cannot assume {role}: there is no such role.", 403)
        trust = _for_service(document["AssumeRolePolicyDocument"], service)
        context = self._emulator.evaluator.EvalContext(
            principal_arn=service,
            principal_type="Service",
            principal_account=self._settings.account,
            action="sts:AssumeRole",
            resource_arn=role,
            region=self._settings.region,
            service_context={"aws:sourceaccount": self._settings.account, "aws:sourcearn": source_arn or None},
        )
        trusted = self._emulator.evaluator.evaluate_trust_policy(trust, service, context)
        decision = "allow" if trusted else "implicit-deny"
        given = {"aws:SourceAccount": self._settings.account} | ({"aws:SourceArn": source_arn} if source_arn else {})
        self._journal.record(Decision(service, "sts", "sts:AssumeRole", role, decision, REQUEST.get(), given))
        if not trusted:
            message = f"User: {service} is not authorized to perform: sts:AssumeRole on resource: {role}"
            raise AwsError("AccessDenied", f"{message}: its trust policy does not let {service} in.", 403)

    def _new_session(self, role: str, session: str) -> Credentials:
        iam, sts = self._emulator.iam, self._emulator.sts
        made = Credentials(iam._gen_session_access_key(), iam._gen_secret(), iam._gen_session_token())
        name = role.rsplit("/", 1)[-1]
        sts.register_session(
            made.access_key,
            {
                "Arn": f"arn:aws:sts::{self._settings.account}:assumed-role/{name}/{session}",
                "UserId": f"{sts._role_id(role)}:{session}",
                "SecretAccessKey": made.secret_key,
                "SessionToken": made.token,
                "AccountId": self._settings.account,
                "PrincipalType": "AssumedRole",
            },
        )
        return made

    def _journalled(
        self,
        access_key: str,
        action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        if action in OF_LOG_STREAMS and ":log-stream:" not in resource_arn:
            resource_arn = f"{resource_arn.removesuffix(':*')}:log-stream:"
        refused = self._enforce(access_key, action, service, region, resource_arn, service_context)
        decision = "allow" if refused is None else getattr(refused, "decision", None) or refused.code
        context = {key: str(value) for key, value in (service_context or {}).items() if value is not None}
        self._journal.record(
            Decision(
                self.caller(access_key).arn or access_key,
                service,
                action,
                resource_arn,
                DECISIONS.get(decision, decision),
                REQUEST.get(),
                context,
            )
        )
        return refused


def new_request(access_key: str) -> str:
    """Begin a request: its id, which the decisions made for it carry."""
    request = str(uuid.uuid4())
    REQUEST.set(request)
    ACCESS_KEY.set(access_key)
    return request


def _for_service(document: str | dict[str, Any], service: str) -> dict[str, Any]:
    """The statements of a trust policy that name this service; MiniStack's evaluator knows only AWS principals."""
    policy = json.loads(document) if isinstance(document, str) else document
    found = policy.get("Statement", [])
    statements = [found] if isinstance(found, dict) else found
    return {"Statement": [{**each, "Principal": "*"} for each in statements if _names(each.get("Principal"), service)]}


def _names(principal: Any, service: str) -> bool:
    """Whether a principal is the service, also by its regional name (states.us-east-1.amazonaws.com)."""
    found = principal.get("Service", []) if isinstance(principal, dict) else []
    named = [found] if isinstance(found, str) else found
    service_alone, _, domain = service.partition(".")
    return any(
        name == service or re.fullmatch(rf"{service_alone}\.[a-z0-9-]+\.{re.escape(domain)}", name) for name in named
    )
