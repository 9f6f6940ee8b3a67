"""What every synthesis holds the templates to: AWS's rules, cdk-nag's and our own; one that is broken ends it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import aws_cdk as cdk
import cdk_nag
import jsii
from constructs import IConstruct

from config.project import Project, RulePack
from stacks.acknowledged import ACKNOWLEDGED, Acknowledged

RULES = Path(__file__).parent / "rules"
PACKS: dict[RulePack, type[cdk_nag.AwsSolutionsChecks | cdk_nag.NIST80053R5Checks]] = {
    "aws-solutions": cdk_nag.AwsSolutionsChecks,
    "nist-800-53": cdk_nag.NIST80053R5Checks,
}


def validate(app: cdk.App, project: Project) -> None:
    """Adds the rules to what `app.synth()` checks: stacks/rules/*.guard, and the packs that the project names."""
    cdk.Validations.of(app).add_plugins(
        cdk.CloudFormationValidatePlugin(guard_rules=our_rules(project)),
        *(Reviewed(app, PACKS[pack](), project.name) for pack in project.rules),
    )


def our_rules(project: Project) -> list[cdk.ValidationRuleSource]:
    """The Guard rules, which the CDK runs beside AWS's own."""
    rules = {file.name: file.read_text() for file in sorted(RULES.glob("*.guard"))}
    places = {(place.account, place.region) for place in (project.tooling, *project.environments.values())}
    if len(places) > 1:
        rules["permissions.guard"] = rules["permissions.guard"].replace(_NO_RESOURCE, _NO_RESOURCE + _KEYS_ELSEWHERE)
    return [cdk.ValidationRuleSource(name=name, content=content) for name, content in rules.items()]


_NO_RESOURCE = "let actions_without_a_resource = ["
_KEYS_ELSEWHERE = "'kms:Decrypt', 'kms:GenerateDataKey',"
"""What the CDK allows on every key where it means one of another account or region: it cannot name that one.

The policy of the key, which names the role, is what narrows it.
"""


@jsii.implements(cdk.IPolicyValidationPlugin)
class Reviewed:
    """A pack of cdk-nag's rules that knows what is acknowledged.

    cdk-nag takes acknowledgements by exact id only, and its ids hold names, ARNs and logical ids. So this finds what a
    pattern allows, and then acknowledges just that id on just that resource; cdk.out/validation-report.json has it.
    """

    def __init__(self, app: cdk.App, pack: cdk_nag.NagPack, project: str) -> None:
        self._app, self._pack = app, pack
        self._patterns = [(entry, list(patterns(entry, project))) for entry in ACKNOWLEDGED]

    @property
    def name(self) -> str:
        """The pack's name, which begins the ids of its rules."""
        return self._pack.name

    @property
    def version(self) -> str | None:
        """None; the report needs no version."""
        return None

    @property
    def rule_ids(self) -> list[str] | None:
        """None; a pack does not list them."""
        return None

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:  # noqa: ARG002
        """Runs the pack over the construct tree."""
        report = self._pack.validate_scope(self._app)
        allowed: dict[str, list[cdk.Acknowledgment]] = defaultdict(list)
        for violation in report.violations:
            for resource in violation.violating_resources:
                reason = self._reason(violation.rule_name, resource.construct_path or "")
                if reason:
                    exact = cdk.Acknowledgment(id=f"{self.name}::{violation.rule_name}", reason=reason)
                    allowed[resource.construct_path or ""].append(exact)
        for path, acknowledgements in allowed.items():
            cdk.Validations.of(_construct(self._app, path)).acknowledge(*acknowledgements)
        return report

    def _reason(self, rule: str, path: str) -> str | None:
        finding = readable(rule, path)
        return next(
            (
                entry.reason
                for entry, expressions in self._patterns
                if any(expression.fullmatch(finding) for _, expression in expressions)
            ),
            None,
        )


def _construct(app: cdk.App, path: str) -> IConstruct:
    node: IConstruct = app
    for part in path.split("/"):
        node = node.node.find_child(part)
    return node


_SHORTER: Sequence[tuple[str, str]] = (
    # A bucket or build of this stack, of another stack, and of another account.
    (r"<(\w+?)[0-9A-F]{8}(?:\.Arn)?>", r"<\1>"),
    (r"[\w-]+:ExportsOutput(?:FnGetAtt|Ref)(\w+?)[0-9A-F]{8}(?:Arn)?[0-9A-F]{8}", r"<\1>"),
    (r"arn:(?:<AWS::Partition>|aws[a-z-]*):s3:::[a-z0-9-]+?(artifacts|data|records)[0-9a-f]{20}", r"<\1>"),
    # An ARN of ours, in any region and account that is one.
    (
        r"arn:(?:<AWS::Partition>|aws[a-z-]*):([a-z0-9-]+):(?:<AWS::Region>|[a-z0-9-]*):(?:<AWS::AccountId>|\d*):",
        r"\1:",
    ),
    # An ARN that the CDK takes out of another one.
    (r'\{"Fn::Select":\[6,\{"Fn::Split":\[":",\{"Ref":"(\w+?)[0-9A-F]{8}"\}\]\}\]\}', r"<\1>"),
    (r"(?:/Role)?(?:/DefaultPolicy)?/Resource$", ""),
)


def readable(rule: str, path: str) -> str:
    """A finding as acknowledgements write it: `<path of the construct> <rule>[<detail>]`, without hashes and accounts.

    A model's name has hyphens in stacks and underscores in folders; here it has hyphens.
    """
    finding = rule
    for long, short in _SHORTER[:-1]:
        finding = re.sub(long, short, finding)
    finding = re.sub(r"<\w+>", lambda match: match[0].lower(), finding)
    return f"{re.sub(*_SHORTER[-1], path)} {finding}".replace("_", "-")


def patterns(entry: Acknowledged, project: str) -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every finding that *entry* acknowledges, as it is written and as a pattern.

    A placeholder in braces is a name; the same one twice is the same name twice, so that the role of one team is not
    acknowledged on the folder of another. `{anything}` goes below a name too.
    """
    for path in entry.on:
        for rule in _rules(entry):
            written = f"{path} {rule}"
            yield written, re.compile(_pattern(written.replace("_", "-"), project))


def _rules(entry: Acknowledged) -> Iterable[str]:
    return [f"{entry.rule}[{detail}]" for detail in entry.details] or [entry.rule]


def _pattern(written: str, project: str) -> str:
    seen: set[str] = set()
    parts = []
    for index, part in enumerate(re.split(r"\{(\w+)\}", written)):
        if index % 2 == 0:
            parts.append(re.escape(part))
        elif part == "project":
            parts.append(re.escape(project.replace("_", "-")))
        elif part == "anything":
            parts.append(".+")
        else:
            parts.append(f"(?P={part})" if part in seen else f"(?P<{part}>[A-Za-z0-9-]+)")
            seen.add(part)
    return "".join(parts)
