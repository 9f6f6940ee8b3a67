"""How a wave of releases stops: what has become of each is read, and people are told."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from stacks.jsonata import call, of
from stacks.place import Place

SETTLE_SECONDS = 15
"""What has just ended is listed a moment later."""
LONGEST_SUBJECT = 100
AT_ONCE = 5
ALL = ["States.ALL"]


class Stopped(Construct):
    """`begin` reads the executions of the map *label*, tells people, and fails.

    `$releases` are those of the wave, and `$why` is what has stopped it. Where the executions cannot be read, people
    are told that at least.
    """

    def __init__(self, scope: Construct, name: str, place: Place, *, label: str, topic: sns.ITopic) -> None:
        super().__init__(scope, name)
        self._place, self._label, self._topic = place, label, topic
        settle = sfn.Wait.jsonata(self, "Settle", time=sfn.WaitTime.duration(cdk.Duration.seconds(SETTLE_SECONDS)))
        run = self._states(
            "Map run",
            "ListMapRuns",
            {"ExecutionArn": of("$states.context.Execution.Id")},
            on=self._arn("execution"),
            assign={"run": of("$states.result.MapRuns[0].MapRunArn")},
        )
        listed = self._states(
            "Executions",
            "ListExecutions",
            {"MapRunArn": of("$run"), "MaxResults": 1000},
            on=self._arn("mapRun", label),
            outputs=of("[$states.result.Executions.ExecutionArn]"),
        )
        each = sfn.Map.jsonata(
            self, "Each", items=sfn.ProvideItems.jsonata(of("$states.input")), max_concurrency=AT_ONCE
        )
        each.item_processor(self._described())
        composed = sfn.Pass.jsonata(self, "Compose", assign={"said": of(self._sentences())})
        tell = self._tell()
        for state in (run, listed, each):
            state.add_catch(tell, errors=ALL, assign={"said": of("$why & '. ' & $states.errorOutput.Cause")})
        settle.next(run)
        run.next(listed)
        listed.next(each)
        each.next(composed)
        composed.next(tell)
        self.begin = settle

    def _described(self) -> tasks.CallAwsService:
        found = "$states.result"
        return self._states(
            "Execution",
            "DescribeExecution",
            {"ExecutionArn": of("$states.input")},
            on=self._arn("execution", self._label),
            outputs={
                "model": of(f"$parse({found}.Input).release.model"),
                "status": of(f"{found}.Status"),
                "cause": of(f"$exists({found}.Cause) ? {found}.Cause : ''"),
            },
        )

    def _sentences(self) -> str:
        tolerated = self._place.project.waves.tolerated_failures_percent
        return (
            "($failed := [$states.input[status = 'FAILED']];"
            " $going := [$states.input[$not(status in ['FAILED', 'SUCCEEDED'])].model];"
            " $seen := [$states.input.model]; $waiting := [$releases.model[$not($ in $seen)]];"
            " 'The wave has stopped: ' & $count($failed) & ' of ' & $count($releases) & ' releases failed, and"
            f" project.yaml tolerates {tolerated} percent. ' & $join($failed.cause, '; ') & '.'"
            " & ($count($going) > 0 ? ' Still under way, and ending by themselves: ' & $join($going, ', ') & '.' : '')"
            " & ($count($waiting) > 0 ? ' Not started: ' & $join($waiting, ', ') & '.' : ''))"
        )

    def _tell(self) -> tasks.CallAwsService:
        """Publishes, and fails the wave with the same sentences."""
        failed = sfn.Fail.jsonata(self, "The wave has stopped", error="WaveStopped", cause=of("$said"))
        subject = f"A wave of releases of {self._place.project.name} has stopped"
        message = {
            "TopicArn": self._topic.topic_arn,
            "Subject": subject[:LONGEST_SUBJECT],
            "Message": of("$said"),
        }
        tell = call(self, "Tell", "sns:Publish", message, on=[self._topic.topic_arn])
        tell.add_catch(failed, errors=ALL)
        tell.next(failed)
        return tell

    def _states(
        self,
        name: str,
        action: str,
        parameters: Mapping[str, object],
        *,
        on: str,
        assign: Mapping[str, object] | None = None,
        outputs: object = None,
    ) -> tasks.CallAwsService:
        """A call of Step Functions itself, which its SDK calls sfn and IAM calls states; again where it is busy."""
        state = tasks.CallAwsService.jsonata(
            self,
            name,
            service="sfn",
            action=f"{action[0].lower()}{action[1:]}",
            iam_action=f"states:{action}",
            iam_resources=[on],
            parameters=dict(parameters),
            assign=dict(assign) if assign else None,
            outputs=outputs,
        )
        state.add_retry(errors=["States.TaskFailed"], max_attempts=6)
        return state

    def _arn(self, resource: str, label: str = "") -> str:
        """Executions of the wave, or what its map has made."""
        return cdk.Stack.of(self).format_arn(
            service="states",
            resource=resource,
            resource_name=f"{self._place.names.wave}{f'/{label}' if label else ''}:*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
