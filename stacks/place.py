"""Where a stack goes, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
import jsii
from aws_cdk import aws_logs as logs
from constructs import IConstruct

from config.naming import Names
from config.project import Account, Project
from stacks.trust import OnlyForThisAccount


@dataclass(frozen=True)
class Place:
    """An account and region of the project under its name: tooling, staging, production."""

    project: Project
    name: str
    account: Account

    @property
    def names(self) -> Names:
        return Names(self.project.name)

    @property
    def is_watched(self) -> bool:
        """Whether the models that answer here are judged: staging answers only what a release asks."""
        return self.name == "production"

    @property
    def environment(self) -> cdk.Environment:
        return cdk.Environment(account=self.account.account, region=self.account.region)

    @property
    def removal_policy(self) -> cdk.RemovalPolicy:
        return cdk.RemovalPolicy.RETAIN if self.account.removal == "retain" else cdk.RemovalPolicy.DESTROY

    @property
    def log_retention(self) -> logs.RetentionDays:
        return _RETENTION[self.account.log_retention_days]


_RETENTION = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    5: logs.RetentionDays.FIVE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    120: logs.RetentionDays.FOUR_MONTHS,
    150: logs.RetentionDays.FIVE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    400: logs.RetentionDays.THIRTEEN_MONTHS,
    545: logs.RetentionDays.EIGHTEEN_MONTHS,
    731: logs.RetentionDays.TWO_YEARS,
    1096: logs.RetentionDays.THREE_YEARS,
    1827: logs.RetentionDays.FIVE_YEARS,
    2192: logs.RetentionDays.SIX_YEARS,
    2557: logs.RetentionDays.SEVEN_YEARS,
    2922: logs.RetentionDays.EIGHT_YEARS,
    3288: logs.RetentionDays.NINE_YEARS,
    3653: logs.RetentionDays.TEN_YEARS,
}


class PlacedStack(cdk.Stack):
    """A stack that goes to a place; its name begins with the project's."""

    def __init__(self, scope: cdk.App, place: Place, *parts: str, description: str) -> None:
        name = place.names.stack(*parts)
        boundary = place.project.boundary
        super().__init__(
            scope,
            name,
            stack_name=name,
            env=place.environment,
            description=description,
            permissions_boundary=cdk.PermissionsBoundary.from_name(boundary) if boundary else None,
            tags=dict(place.project.tags),
        )
        self.place = place
        cdk.Aspects.of(self).add(OnlyForThisAccount())


@jsii.implements(cdk.IAspect)
class OnlyWhen:
    """Puts every resource below a construct under one condition."""

    def __init__(self, condition: cdk.CfnCondition) -> None:
        self._condition = condition

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, cdk.CfnResource):
            node.cfn_options.condition = self._condition
