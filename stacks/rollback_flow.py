"""The states of a way back, in order: the stack is quiet, what runs, which package, update, what runs now."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from config.naming import Names
from stacks.jsonata import any_of, call, of, or_nothing, text, when
from stacks.rollback_states import READ_AGAIN, Arns, People, States, failure

LOOK_SECONDS = 15
"""Between two looks at a stack; an execution may have 25,000 events, and a look has about twenty."""
MOVING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
QUIET = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
"""The states of a stack in which CloudFormation takes an update."""


class Flow:
    """Made once; `begin` takes `{"model", "package", "reason"}`, or of an event `{"group", "rejected", "reason"}`.

    What it has read is in variables; `$said` is the sentence that people are told in the end. `$phase` says whether it
    looks before the update or after it.
    """

    def __init__(self, scope: Construct, names: Names, environment: str, *, people: People, arns: Arns) -> None:
        self._scope, self._names, self._environment = scope, names, environment
        self._people, self._arns = people, arns
        self._states = States(scope, environment, people)
        self._wait = sfn.Wait.jsonata(scope, "Wait", time=sfn.WaitTime.duration(cdk.Duration.seconds(LOOK_SECONDS)))
        look = self._stack()
        self._wait.next(look)
        self.begin = self._asked(look)

    def _asked(self, look: sfn.IChainable) -> sfn.Pass:
        """What was asked for, and what everything is called."""
        given = {name: or_nothing(f"$states.input.{name}") for name in ("rejected", "package", "reason")}
        group = f"$substringAfter($states.input.group, '{self._names.project}-')"
        model = "$replace($states.input.model, '_', '-')"
        asked = sfn.Pass.jsonata(
            self._scope,
            "Asked",
            assign={
                **given,
                "teams": dict(self._people.teams),
                "topics": dict(self._people.topics),
                "model": of(f"$exists($states.input.model) ? {model} : {group}"),
                "release": of("$states.context.Execution.StartTime & '/' & $states.context.Execution.Name"),
                "phase": "before",
                "before": "",
            },
        )
        named = sfn.Pass.jsonata(
            self._scope,
            "Named",  # a state of its own, because an assignment does not see the others of its state
            assign={
                "team": or_nothing("$lookup($teams, $model)"),
                "stack": of(text(self._names.stack("serving", "{model}", self._environment))),
                "endpoint": of(text(self._names.endpoint("{model}", self._environment))),
                "group": of(text(self._names.package_group("{model}"))),
            },
        )
        known = sfn.Choice.jsonata(self._scope, "Known")
        known.when(when("$team != ''"), look)
        known.when(when("$rejected != ''"), sfn.Succeed(self._scope, "Not of this project"))
        said = (
            text(f"There is no model {{model}} in {self._environment}; there are: ") + " & $join($keys($teams), ', ')"
        )
        known.otherwise(
            sfn.Fail.jsonata(
                self._scope, "Unknown", error="NotRolledBack", cause=of(f"{said} & $join($keys($teams), ', ')")
            )
        )
        asked.next(named)
        named.next(known)
        return asked

    def _stack(self) -> sfn.IChainable:
        found = "$states.result.Stacks[0]"
        parameter = f"{found}.Parameters[ParameterKey = '{{}}'].ParameterValue"
        stack = call(
            self._scope,
            "Stack",
            "cloudformation:DescribeStacks",
            {"StackName": of("$stack")},
            on=[self._arns.stacks],
            assign={
                "status": of(f"{found}.StackStatus"),
                "why": or_nothing(f"{found}.StackStatusReason"),
                "parameters": of(f"[{found}.Parameters.ParameterKey]"),
                "written": or_nothing(parameter.format("Package")),
                "writer": or_nothing(parameter.format("Release")),
            },
        )
        nothing = sfn.Succeed(self._scope, "Nothing serves")
        there = sfn.Choice.jsonata(self._scope, "Is it there")
        there.when(when("$rejected != '' and $contains($said, 'does not exist')"), nothing).otherwise(
            self._states.failed
        )
        stack.add_retry(errors=["States.TaskFailed"], max_attempts=READ_AGAIN)
        stack.add_catch(there, errors=["States.ALL"], assign={"said": of(failure("DescribeStacks"))})
        endpoint = self._endpoint()
        quiet = sfn.Choice.jsonata(self._scope, "Is it quiet")
        quiet.when(when("$contains($status, /IN_PROGRESS$/) and $status != 'REVIEW_IN_PROGRESS'"), self._wait)
        quiet.when(when("$phase = 'after'"), endpoint)
        quiet.when(when("$written = '' and $rejected != ''"), nothing)
        self._states.refuse(
            quiet,
            f"$not($status in {any_of(QUIET)})",
            "The stack {stack} is {status} ({why}), and CloudFormation takes no update of it. Mend it in the console "
            "of CloudFormation, then start again.",
        )
        self._states.refuse(
            quiet,
            "$written = ''",
            "The stack {stack} has no endpoint: no package was released to it yet, so there is no way back.",
        )
        quiet.otherwise(endpoint)
        stack.next(quiet)
        return stack

    def _endpoint(self) -> sfn.IChainable:
        """Asks SageMaker what runs: CloudFormation calls an update a success that alarms have rolled back."""
        found = "$states.result"
        endpoint = self._states.read(
            "Endpoint",
            "sagemaker:DescribeEndpoint",
            {"EndpointName": of("$endpoint")},
            on=self._arns.endpoints,
            assign={
                "serving": of(f"{found}.EndpointStatus"),
                "config": of(f"{found}.EndpointConfigName"),
                "failure": or_nothing(f"{found}.FailureReason"),
            },
        )
        config = self._states.read(
            "Config",
            "sagemaker:DescribeEndpointConfig",
            {"EndpointConfigName": of("$config")},
            on=self._arns.configs,
            assign={"name": of(f"{found}.ProductionVariants[0].ModelName")},
        )
        running = self._states.read(
            "Model",
            "sagemaker:DescribeModel",
            {"ModelName": of("$name")},
            on=self._arns.models,
            assign={"runs": or_nothing(f"{found}.PrimaryContainer.ModelPackageName")},
        )
        still = sfn.Choice.jsonata(self._scope, "Is it still")
        # Scaling moves an endpoint too, and SageMaker takes no update of one that moves.
        still.when(when(f"$serving in {any_of(MOVING)}"), self._wait).otherwise(config)
        endpoint.next(still)
        config.next(running)
        running.next(self._which())
        return endpoint

    def _which(self) -> sfn.Choice:
        which = sfn.Choice.jsonata(self._scope, "Before or after")
        well = text("{endpoint} runs {#package} again; before it was {#before}. Reason: {reason}")
        is_back = "$phase = 'after' and $runs = $package and $serving = 'InService' and $status = 'UPDATE_COMPLETE'"
        which.when(when(is_back), self._states.well, assign={"said": of(well)})
        self._states.refuse(
            which,
            "$phase = 'after'",
            "{endpoint} did not go back: it runs {#runs}, not {#package}. The stack {stack} is {status} ({why}), the "
            "endpoint {serving} ({failure}).",
        )
        which.when(
            when("$rejected != '' and $runs != $rejected and $written != $rejected"),
            sfn.Succeed(self._scope, "It does not serve"),
        )
        self._states.refuse(
            which,
            "$contains($writer, /^[0-9]/) and $writer > $release",
            "{writer} has written the stack {stack} since this way back was asked for ({release}); {endpoint} runs "
            "{#runs}. Where that is not to stay, start again.",
        )
        package = self._package()
        which.when(when("$package = ''"), self._older(package)).otherwise(package)
        return which

    def _older(self, package: sfn.IChainable) -> sfn.IChainable:
        """The newest approved package that is older than the one to leave: a newer one has not been released yet."""
        version = "$number($split($rejected != '' ? $rejected : $runs, '/')[-1])"
        older = f"$states.result.ModelPackageSummaryList[ModelPackageVersion < {version}][0].ModelPackageArn"
        packages = self._states.read(
            "Packages",
            "sagemaker:ListModelPackages",
            {
                "ModelPackageGroupName": of("$group"),
                "ModelApprovalStatus": "Approved",
                "SortBy": "CreationTime",
                "SortOrder": "Descending",
                "MaxResults": 100,
            },
            on=self._arns.packages,
            assign={"package": or_nothing(older)},
        )
        found = sfn.Choice.jsonata(self._scope, "Is there an older one")
        self._states.refuse(
            found,
            "$package = ''",
            "{endpoint} goes on running {#runs}: {group} has no approved package that is older. Approve one in the "
            "registry and start again, or release the model again.",
        )
        found.otherwise(package)
        packages.next(found)
        return packages

    def _package(self) -> sfn.IChainable:
        package = self._states.read(
            "Package",
            "sagemaker:DescribeModelPackage",
            {"ModelPackageName": of("$package")},
            on=self._arns.packages,
            assign={
                "approval": or_nothing("$states.result.ModelApprovalStatus"),
                "family": or_nothing("$states.result.ModelPackageGroupName"),
                "before": of("$runs"),
            },
        )
        may = sfn.Choice.jsonata(self._scope, "May it serve")
        foreign = "{#package} is of the group {family}; this model has the group {group}."
        self._states.refuse(may, "$family != $group", foreign)
        self._states.refuse(
            may,
            "$approval != 'Approved'",
            "{#package} is {approval} in the registry, and only an Approved package may serve. Choose another one, or "
            "approve it there first.",
        )
        done = sfn.Succeed(self._scope, "Nothing to do", comment="It runs already, and the stack says so too.")
        may.when(when("$runs = $package and $written = $package"), done)
        may.otherwise(self._update())
        package.next(may)
        return package

    def _update(self) -> sfn.IChainable:
        kept = "$parameters[$not($ in ['Package', 'Release', 'Rollout'])].{'ParameterKey': $, 'UsePreviousValue': true}"
        given = {"Package": "$package", "Release": "$release", "Rollout": "'at-once'"}
        new = ", ".join(f"{{'ParameterKey': '{key}', 'ParameterValue': {value}}}" for key, value in given.items())
        update = call(
            self._scope,
            "Update",
            "cloudformation:UpdateStack",
            {
                "StackName": of("$stack"),
                "UsePreviousTemplate": True,
                "Parameters": of(f"$append([{new}], [{kept}])"),
                "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
            },
            on=[self._arns.stacks],
            assign={"phase": "after"},
        )
        busy = sfn.Choice.jsonata(self._scope, "Is it only busy")
        busy.when(when("$contains($cause, 'IN_PROGRESS') or $contains($cause, 'Rate exceeded')"), self._wait)
        busy.otherwise(self._states.failed)
        cause = "$states.errorOutput.Cause"
        said = of(text("CloudFormation does not update {stack}: ") + f" & {cause}")
        update.add_catch(busy, errors=["States.ALL"], assign={"cause": of(cause), "said": said})
        update.next(self._wait)
        return update
