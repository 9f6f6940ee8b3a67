"""The roles and policies of a synthesized project, as AWS would hold them after the deployment."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.iam.evaluator import Decision, Document, Principal, Request, decide, listed, statements
from tests.iam.resolving import Resolver, Stack, stacks_of

RESOURCE_POLICIES = {
    "AWS::S3::BucketPolicy": ("Bucket", "PolicyDocument"),
    "AWS::SNS::TopicPolicy": ("Topics", "PolicyDocument"),
    "AWS::SQS::QueuePolicy": ("Queues", "PolicyDocument"),
    "AWS::ECR::Repository": ("", "RepositoryPolicyText"),
    "AWS::KMS::Key": ("", "KeyPolicy"),
    "AWS::Events::EventBusPolicy": ("EventBusName", "Statement"),
    "AWS::SageMaker::ModelPackageGroup": ("", "ModelPackageGroupPolicy"),
    "AWS::SSM::ResourcePolicy": ("ResourceArn", "Policy"),
}
"""By type: the property that names the resource (none: the resource itself), and the one that holds the policy."""


BOOTSTRAP = "cdk-hnb659fds"
DEPLOYING = ("deploy-role", "file-publishing-role", "image-publishing-role", "lookup-role")
"""The roles of the CDK's bootstrap, which its account and that of the tools may be, if their policies let them."""


@dataclass
class Role:
    """A role of ours: `path` is that of its construct, such as greenlight-delivery/Platform/Plan/Project/Role."""

    path: str
    stack: Stack
    arn: str
    trust: Document
    policies: dict[str, Document] = field(default_factory=dict)
    boundary: Document | None = None
    managed: list[str] = field(default_factory=list)
    """AWS's own managed policies, whose text is not in the templates."""
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def principal(self) -> Principal:
        return Principal(self.arn, tuple(self.policies.values()), self.boundary, self.tags)

    @property
    def statements(self) -> Iterator[Mapping[str, Any]]:
        for document in self.policies.values():
            yield from listed(document["Statement"])


class Account:
    """All accounts of a project, in fact: every stack is where its environment says."""

    def __init__(self, assembly: Path) -> None:
        self.stacks = stacks_of(assembly)
        self._resolver = Resolver(self.stacks)
        self._paths = _paths(json.loads((assembly / "tree.json").read_text())["tree"])
        self._by_path = {
            path: (stack, logical)
            for (stack, logical), path in self._paths.items()
            if logical in self.stacks[stack].template["Resources"]
        }
        self.roles = {role.path: role for role in self._roles()}
        self._attach()
        self.policies = self._resource_policies()
        """The policies of resources, by ARN."""

    def role(self, path: str) -> Role:
        """The role of a construct."""
        if path not in self.roles:
            raise KeyError(f"no role {path!r}; there are:\n" + "\n".join(sorted(self.roles)))
        return self.roles[path]

    def like(self, *paths: str) -> list[Role]:
        """The roles whose construct's path has one of these forms (`*`), each at least once; raises KeyError."""
        found = [[role for path, role in self.roles.items() if fnmatch.fnmatchcase(path, form)] for form in paths]
        for form, roles in zip(paths, found, strict=True):
            if not roles:
                raise KeyError(f"no role {form!r}; there are:\n" + "\n".join(sorted(self.roles)))
        return list({role.path: role for roles in found for role in roles}.values())

    def arn(self, path: str) -> str:
        """The ARN of a construct's resource; raises StopIteration where there is none."""
        name, logical = next(where for where, each in self._paths.items() if each == path)
        return self._resolver.arn(logical, self.stacks[name])

    def name(self, path: str) -> str:
        """The name of a construct's resource; raises KeyError where there is none."""
        stack, logical = self._by_path[path]
        return self._resolver.name(logical, self.stacks[stack])

    def named(self) -> Iterator[tuple[str, str]]:
        """Name and construct path of every resource."""
        for path in self._by_path:
            yield self.name(path), path

    def resources(self, kind: str) -> Iterator[tuple[str, Stack, Mapping[str, Any]]]:
        """Construct path, stack and resolved properties of the resources of a type."""
        for stack in self.stacks.values():
            for logical, resource in stack.template["Resources"].items():
                if resource["Type"] == kind:
                    properties = self._resolver.value(resource.get("Properties", {}), stack)
                    yield self._path(stack, logical), stack, properties

    def policy_of(self, resource: str) -> Document | None:
        """The policy that decides about a resource: an object's is its bucket's, and a role's is its trust policy."""
        if resource.startswith("arn:aws:s3:::"):
            return self.policies.get(resource.partition("/")[0])
        return self.policies.get(resource)

    def owner_of(self, resource: str, otherwise: str) -> str:
        """The account of a resource; an S3 ARN names none, so a bucket of ours is looked up."""
        if resource.startswith("arn:aws:s3:::"):
            return self._buckets.get(resource.partition("/")[0], otherwise)
        return resource.split(":")[4] if resource.count(":") > 3 and resource.split(":")[4] else otherwise

    def may(
        self, who: Principal, action: str, resource: str, context: Mapping[str, str | list[str]] | None = None
    ) -> Decision:
        """What the policies answer to one call."""
        owner = self.owner_of(resource, who.account)
        return decide(who, Request(action, resource, owner, context or {}, self.policy_of(resource)))

    def _path(self, stack: Stack, logical: str) -> str:
        return self._paths[stack.name, logical]

    def _of(self, kind: str) -> Iterator[tuple[Stack, str, Mapping[str, Any]]]:
        for stack in self.stacks.values():
            for logical, resource in stack.template["Resources"].items():
                if resource["Type"] == kind:
                    yield stack, logical, resource["Properties"]

    def _roles(self) -> Iterator[Role]:
        for stack, logical, properties in self._of("AWS::IAM::Role"):
            role = Role(
                self._path(stack, logical),
                stack,
                self._resolver.arn(logical, stack),
                self._resolver.value(properties["AssumeRolePolicyDocument"], stack),
            )
            for inline in properties.get("Policies", []):
                role.policies[inline["PolicyName"]] = self._resolver.value(inline["PolicyDocument"], stack)
            role.managed = [self._resolver.value(each, stack) for each in properties.get("ManagedPolicyArns", [])]
            role.tags = {tag["Key"]: self._resolver.value(tag["Value"], stack) for tag in properties.get("Tags", [])}
            if "PermissionsBoundary" in properties:
                role.managed.append(self._resolver.value(properties["PermissionsBoundary"], stack))
            yield role

    def _attach(self) -> None:
        """Policies are resources of their own, sometimes of another stack than their roles."""
        by_name = {role.arn.rsplit("/", 1)[1]: role for role in self.roles.values()}
        ours = {}
        for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"):
            for stack, logical, properties in self._of(kind):
                document = self._resolver.value(properties["PolicyDocument"], stack)
                path = self._path(stack, logical)
                for name in self._resolver.value(properties.get("Roles", []), stack):
                    by_name[name].policies[path] = document
                if kind == "AWS::IAM::RolePolicy":
                    by_name[self._resolver.value(properties["RoleName"], stack)].policies[path] = document
                if kind == "AWS::IAM::ManagedPolicy":
                    ours[self._resolver.arn(logical, stack)] = document
        for stack, logical, properties in self._of("AWS::IAM::Role"):
            role = self.roles[self._path(stack, logical)]
            boundary = self._resolver.value(properties.get("PermissionsBoundary", ""), stack)
            if boundary in ours:
                role.boundary = ours[boundary]
            role.policies |= {arn: ours[arn] for arn in role.managed if arn in ours and arn != boundary}
            role.managed = [arn for arn in role.managed if arn not in ours]

    def _resource_policies(self) -> dict[str, Document]:
        """Several policies of one resource, such as of an event bus, are one."""
        self._buckets = {
            self._resolver.arn(logical, stack): stack.account for stack, logical, _ in self._of("AWS::S3::Bucket")
        }
        found: dict[str, list[Any]] = {role.arn: statements(role.trust) for role in self.roles.values()}
        found |= self._bootstrap()
        for kind, (of, holds) in RESOURCE_POLICIES.items():
            for stack, logical, properties in self._of(kind):
                if holds in properties:
                    given = self._resolver.value(properties[holds], stack)
                    more = statements(given) if "Statement" in given else [given]
                    for arn in self._about(kind, of, stack, logical, properties):
                        found[arn] = found.get(arn, []) + more
        return {arn: {"Statement": each} for arn, each in found.items()}

    def _bootstrap(self) -> dict[str, list[Any]]:
        """The trust policies of the CDK's bootstrap template, with `--trust` of the account of the tools."""
        tools = next(stack.account for name, stack in self.stacks.items() if name.endswith("-tooling"))
        found: dict[str, list[Any]] = {}
        for stack in self.stacks.values():
            accounts = {"AWS": sorted({stack.account, tools})}
            for name in DEPLOYING:
                found[bootstrap_role(stack, name)] = [
                    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": accounts}
                ]
            found[bootstrap_role(stack, "cfn-exec-role")] = [
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"Service": "cloudformation.amazonaws.com"},
                }
            ]
        return found

    def _about(self, kind: str, of: str, stack: Stack, logical: str, properties: Mapping[str, Any]) -> list[str]:
        """The ARNs of the resources that a policy is about."""
        if kind == "AWS::Events::EventBusPolicy":
            return [stack.arn("events", f"event-bus/{properties.get(of, 'default')}")]
        if not of:
            return [self._resolver.arn(logical, stack)]
        named = listed(self._resolver.value(properties[of], stack))
        return [f"arn:aws:s3:::{each}" if kind == "AWS::S3::BucketPolicy" else each for each in named]


def bootstrap_role(stack: Stack, name: str) -> str:
    """The ARN of a role of the CDK's bootstrap, where a stack goes."""
    return stack.arn("iam", f"role/{BOOTSTRAP}-{name}-{stack.account}-{stack.region}")


def _paths(node: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """The path of each construct by its stack and logical id; a resource has that of the construct it belongs to."""
    found = {}
    logical = node.get("attributes", {}).get("aws:cdk:cloudformation:logicalId")
    if logical:
        found[node["path"].split("/")[0], logical] = node["path"].removesuffix("/Resource")
    for child in node.get("children", {}).values():
        found |= _paths(child)
    return found
