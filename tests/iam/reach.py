"""Which role can act as which: by assuming it, passing it, or by changing what runs under it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.iam.account import Account, Role, bootstrap_role

DEPLOY, EXECUTE = "the CDK's role that deploys", "the CDK's role that CloudFormation acts as"
"""The two roles of the CDK's bootstrap that can do everything in an account."""

PIPELINE, ARTIFACT = 20, 10
"""How long the names are in the key of an artifact, which CodePipeline cuts."""


class Reach:
    """The graph of roles. Starting a pipeline or a state machine is no way: what it does is not the caller's to say."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._by_arn = {role.arn: role.path for role in account.roles.values()}
        self._builds = dict(self._running("AWS::CodeBuild::Project", "ServiceRole"))
        self._run = list(dict.fromkeys(self._sources()))
        self._trainings = dict(self._running("AWS::SageMaker::Pipeline", "RoleArn"))
        self.direct: dict[str, dict[str, str]] = defaultdict(dict)
        """By role: the roles that it can act as in one step, and how."""
        for role in account.roles.values():
            for target, how in self._steps(role):
                self.direct[role.path].setdefault(target, how)

    def ways_to(self, *targets: str) -> dict[str, str]:
        """Every role that can come to act as one of these, with the way there."""
        found: dict[str, str] = {}
        edge = set(targets)
        while edge:
            came = {}
            for role, steps in self.direct.items():
                if role not in found and role not in targets:
                    for target, how in steps.items():
                        if target in edge:
                            came[role] = f"{how} {target}" + (f", which {found[target]}" if target in found else "")
            found |= came
            edge = set(came)
        return found

    def _running(self, kind: str, key: str) -> Iterator[tuple[str, str]]:
        """ARN of a build or pipeline, and the role that it runs under."""
        for path, _, properties in self._account.resources(kind):
            yield self._account.arn(path), self._by_arn[properties[key]]

    def _may(self, role: Role, action: str, resource: str, **context: str) -> bool:
        return bool(self._account.may(role.principal, action, resource, context))

    def _steps(self, role: Role) -> Iterator[tuple[str, str]]:
        yield from self._to_roles(role)
        for project, target in self._builds.items():
            if self._may(role, "codebuild:StartBuild", project):
                yield target, "runs a build, whose commands it may say, as"
        for pipeline, target in self._trainings.items():
            if self._may(role, "sagemaker:StartPipelineExecution", pipeline):
                yield target, "starts training, whose code and image it may say, as"
        for stack in self._account.stacks.values():
            arn = stack.arn("cloudformation", f"stack/{stack.name}/1")
            for action in (
                "cloudformation:UpdateStack",
                "cloudformation:ExecuteChangeSet",
                "cloudformation:CreateStack",
            ):
                if self._may(role, action, arn):
                    yield EXECUTE, "changes a stack as"
        for key, target in self._run:
            if self._may(role, "s3:PutObject", key):
                yield target, "writes what runs as"

    def _to_roles(self, role: Role) -> Iterator[tuple[str, str]]:
        targets = {other.arn: other.path for other in self._account.roles.values() if other is not role}
        for stack in self._account.stacks.values():
            for name, path in (("deploy-role", DEPLOY), ("cfn-exec-role", EXECUTE)):
                targets[bootstrap_role(stack, name)] = path
        for arn, path in targets.items():
            if self._may(role, "sts:AssumeRole", arn):
                yield path, "becomes"
            if self._passes(role, arn):
                yield path, "runs something as"

    def _passes(self, role: Role, arn: str) -> bool:
        """To whatever service."""
        services = ("sagemaker", "codebuild", "codepipeline", "lambda", "states", "ec2", "cloudformation")
        return any(
            self._may(role, "iam:PassRole", arn, **{"iam:PassedToService": f"{service}.amazonaws.com"})
            for service in services
        )

    def _sources(self) -> Iterator[tuple[str, str]]:
        """The objects of the artifacts' bucket that builds run, and the roles that these run under."""
        (path,) = (path for path, _, _ in self._account.resources("AWS::S3::Bucket") if path.endswith("/Artifacts"))
        bucket = self._account.arn(path)
        roles = {arn.rpartition("/")[2]: role for arn, role in self._builds.items()}
        for _, _, pipeline in self._account.resources("AWS::CodePipeline::Pipeline"):
            for action in (each for stage in pipeline["Stages"] for each in stage["Actions"]):
                role = roles.get(action["Configuration"].get("ProjectName", ""))
                if role is not None:
                    yield f"{bucket}/source/source.zip", role
                    for artifact in action["InputArtifacts"]:
                        yield f"{bucket}/{pipeline['Name'][:PIPELINE]}/{artifact['Name'][:ARTIFACT]}/a.zip", role
