"""A question to the policies, and the calls that it stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from config.loading import load_models, load_project
from config.naming import Names
from tests.iam import bootstrap
from tests.iam.account import Account, bootstrap_role
from tests.iam.evaluator import Decision, Principal
from tests.iam.resolving import REGION
from tests.synthesis import ROOT

PROJECT = load_project(ROOT)
NAMES = Names(PROJECT.name)
SOMEBODY_ELSES = "444455556666"
"""An account that is none of the project's."""

OF_TOOLING = (
    "codepipeline:",
    "sagemaker:model-package",
    "sagemaker:pipeline/",
    "sagemaker:training-job/pipelines",
    "ssm:parameter/greenlight/images",
)
"""How the resources begin that are in the account of the tools."""

OURS = "the account of the resource"
"""A condition key's value that is filled in."""

SHORT = {
    "data": f"{PROJECT.name}-tooling/Data",
    "artifacts": f"{PROJECT.name}-tooling/Artifacts",
    "images": f"{PROJECT.name}-tooling/Images",
    "releases": f"{PROJECT.name}-delivery/Releases",
}
"""What a resource may begin with instead of a construct's path."""


@dataclass(frozen=True)
class Case:
    """What `{team}`, `{other}`, `{environment}`... in a question mean."""

    team: str
    other: str
    environment: str
    elsewhere: str
    model: str
    their_model: str
    folder: str
    their_folder: str


def cases() -> list[Case]:
    """Each team and environment of the shipped project, beside another team and the other environment."""
    models = {model.team: model.name for model in load_models(ROOT, PROJECT)}
    teams, environments = sorted(models), list(PROJECT.environments)
    found = []
    for at, team in enumerate(teams):
        for place, environment in enumerate(environments):
            ours, theirs = models[team], models[teams[at - 1]]
            found.append(
                Case(
                    team=team,
                    other=teams[at - 1],
                    environment=environment,
                    elsewhere=environments[place - 1],
                    model=ours.replace("_", "-"),
                    their_model=theirs.replace("_", "-"),
                    folder=ours,
                    their_folder=theirs,
                )
            )
    return found


@dataclass(frozen=True)
class Question:
    """May these roles (paths of constructs, `*`) or this service do one of these actions here?

    Instead of a path `cloudformation` is its role with the execution policy of bootstrap/policies.yaml, and
    `person:POLICY:TEAM` somebody of a team with another policy of that file.

    `resource` is `data/...`, `artifacts/...`, `records/...` (of `{environment}`), `key:STACK`, `role:PATH`, `cdk:ROLE`,
    `at:PATH` (a construct's ARN; `//` and an object's key may follow) or `SERVICE:REST`, an ARN without account and
    region; `role:*` is every role.
    """

    sentence: str
    who: str | tuple[str, ...]
    action: str | tuple[str, ...]
    resource: str | tuple[str, ...]
    context: Mapping[str, str] = field(default_factory=dict)
    but: tuple[str, ...] = ()
    """Who is not asked: those that may."""

    exception: str = ""
    """What AWS documents for which the answer stays yes; a test fails as soon as it is no."""

    environments: tuple[str, ...] = ()
    """Where it is asked; everywhere, if empty."""

    def asked(self) -> Iterator[Question]:
        """The question for each team and environment for which it is another one."""
        seen = set()
        for case in cases():
            if self.environments and case.environment not in self.environments:
                continue
            filled = self._filled(vars(case))
            what = tuple(_where(each) for each in several(filled.resource))
            same = (filled.sentence, filled.who, what, filled.but, tuple(filled.context.items()))
            if same not in seen:
                seen.add(same)
                yield filled

    def _filled(self, values: Mapping[str, str]) -> Question:
        def fill(text: str) -> str:
            return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], text)

        return replace(
            self,
            sentence=fill(self.sentence),
            who=tuple(map(fill, several(self.who))),
            resource=tuple(fill(f"{each}@{{environment}}") for each in several(self.resource)),
            context={key: fill(value) for key, value in self.context.items()},
            but=tuple(map(fill, self.but)),
        )

    def calls(self, account: Account) -> Iterator[tuple[str, Principal, str, str, Mapping[str, str]]]:
        """Every call that it stands for: name of the principal, principal, action, resource, context."""
        for name, who in self._principals(account):
            for text in several(self.resource):
                where, _, environment = text.rpartition("@")
                for resource in _resources(where, environment, account):
                    for action in several(self.action):
                        context = {key: _value(value, resource, account) for key, value in self.context.items()}
                        yield name, who, action, resource, context

    def _principals(self, account: Account) -> Iterator[tuple[str, Principal]]:
        spared = {role.path for role in account.like(*self.but)} if self.but else set()
        for text in several(self.who):
            kind, _, name = text.partition(":")
            if kind in ("cloudformation", "person"):
                yield name or kind, bootstrap.cloudformation() if not name else bootstrap.person(*name.split(":"))
                continue
            if kind in ("service", "stranger"):
                arn = name if kind == "service" else f"arn:aws:iam::{SOMEBODY_ELSES}:role/{name}"
                allows_all = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
                yield name, Principal(arn, () if kind == "service" else (allows_all,))
            else:
                yield from ((r.path, r.principal) for r in account.like(text) if r.path not in spared)

    def allowed(self, account: Account) -> list[str]:
        """The calls that the policies allow, as sentences."""
        return [what for what, decision in self.decided(account) if decision]

    def decided(self, account: Account) -> list[tuple[str, Decision]]:
        """What the policies say to each call."""
        found = [
            (f"{name}: {action} on {resource}", account.may(who, action, resource, context))
            for name, who, action, resource, context in self.calls(account)
        ]
        assert found, f"{self.sentence}: nobody is asked"
        return found


def _where(resource: str) -> str:
    """A resource without the environment that it is asked in, where that is no matter."""
    return resource if resource.startswith(("records", "cdk:")) else resource.rpartition("@")[0]


def several(value: str | tuple[str, ...]) -> tuple[str, ...]:
    """One text or several, as several."""
    return (value,) if isinstance(value, str) else value


def _value(value: str, resource: str, account: Account) -> str:
    """A condition key's value; `at:PATH` is a construct's ARN, `here:SERVICE:REST` one beside the resource."""
    owner = account.owner_of(resource, "")
    if value == OURS:
        return owner
    if value.startswith("here:"):
        _, service, rest = value.split(":", 2)
        return f"arn:aws:{service}:{resource.split(':')[3] or REGION}:{owner}:{rest}"
    return account.arn(value.removeprefix("at:")) if value.startswith("at:") else value


def _place(resource: str, environment: str) -> str:
    """Where a resource is: in the account of the tools, of the environment that its name says, or of the question's."""
    if resource.startswith(OF_TOOLING):
        return "tooling"
    named = [place for place in PROJECT.environments if re.search(rf"[-/]{place}\b", resource)]
    return named[0] if named else environment


def _resources(text: str, environment: str, account: Account) -> list[str]:
    """The ARNs that a question's resource means."""
    here = account.stacks[NAMES.stack(_place(text, environment))]
    kind, _, rest = text.partition(":")
    if kind == "role":
        return [role.arn for role in account.like(rest)]
    special = {
        "cdk": lambda: bootstrap_role(here, rest),
        "key": lambda: account.arn(f"{rest}/Key"),
        "at": lambda: account.arn(rest.partition("//")[0]) + "/".join(("", *rest.split("//")[1:])),
        "*": lambda: "*",
    }
    if kind in special:
        return [special[kind]()]
    first, slash, key = text.partition("/")
    places = SHORT | {"records": f"{here.name}/Records"}
    return [account.arn(places[first]) + slash + key if first in places else here.arn(kind, rest)]
