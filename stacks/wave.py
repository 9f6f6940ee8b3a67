"""The releases that one commit starts: a state machine that starts so many at a time, and stops where many fail."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from stacks import jobs
from stacks.jsonata import any_of, call, of, when
from stacks.place import Place
from stacks.wave_stopped import Stopped

RUNNING = ("InProgress", "Stopping")
FIRST_LOOK, LONGEST_PAUSE = 15, 600
"""Seconds between two looks at a release. An execution may have 25,000 events and a look has nine, so that they become
rarer: a release that waits for a person for a week is looked at a thousand times."""
LABEL = "Releases"
ALL = ["States.ALL"]


class Wave(Construct):
    """Takes `{"releases": [{"model", "package", "image", "reason"}], "revision", "revision_type"}`.

    Each release is an execution of its own, of a distributed map. Where more of them have failed than project.yaml
    tolerates, no further one starts, those that run end by themselves, and people are told which is which.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        place: Place,
        *,
        pipeline: codepipeline.IPipeline,
        topic: sns.ITopic,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, name)
        self._place, self._pipeline, self._topic = place, pipeline, topic
        self.machine = jobs.machine(
            self,
            place.names.wave,
            self._map(),
            log_retention=place.log_retention,
            comment="Starts the releases of a commit, so many at a time.",
            language=sfn.QueryLanguage.JSONATA,
        )
        key.grant(self.machine, "kms:Decrypt", "kms:GenerateDataKey")  # under which the topic is

    def _map(self) -> sfn.DistributedMap:
        waves = self._place.project.waves
        given = ("revision", "revision_type")
        releases = sfn.DistributedMap.jsonata(
            self,
            "All",
            label=LABEL,
            items=sfn.ProvideItems.jsonata(of("$states.input.releases")),
            item_selector={
                "release": of("$states.context.Map.Item.Value"),
                **{name: of(f"$states.input.{name}") for name in given},
            },
            max_concurrency=waves.at_once,
            tolerated_failure_percentage=waves.tolerated_failures_percent,
        )
        releases.item_processor(self._release())
        why = of("$states.errorOutput.Cause")
        stopped = Stopped(self, "Stopped", self._place, label=LABEL, topic=self._topic)
        releases.add_catch(stopped.begin, errors=ALL, assign={"releases": of("$states.input.releases"), "why": why})
        return releases

    def _release(self) -> sfn.IChainable:
        """Starts one, and looks at it until it has ended; `$model` and `$execution` say which."""
        pause = sfn.Wait.jsonata(
            self,
            "Pause",
            time=sfn.WaitTime.seconds(of("$pause")),
            assign={"pause": of(f"$min([$ceil($pause * 1.2), {LONGEST_PAUSE}])")},
        )
        look = self._call(
            "Look",
            "codepipeline:GetPipelineExecution",
            {"PipelineName": self._pipeline.pipeline_name, "PipelineExecutionId": of("$execution")},
            assign={"status": of("$states.result.PipelineExecution.Status")},
        )
        ended = sfn.Choice.jsonata(self, "Has it ended")
        ended.when(when(f"$status in {any_of(RUNNING)}"), pause)
        well = sfn.Pass.jsonata(
            self, "Released", outputs={"model": of("$model"), "execution": of("$execution"), "status": of("$status")}
        )
        ended.when(when("$status = 'Succeeded'"), well)
        cause = "$model & ': its release ' & $execution & ' is ' & $status"
        ended.otherwise(sfn.Fail.jsonata(self, "Failed", error="ReleaseFailed", cause=of(cause)))
        start = self._start()
        start.next(pause)
        pause.next(look)
        look.next(ended)
        return start

    def _start(self) -> tasks.CallAwsService:
        release = "$states.input.release"
        about = {"model": of(f"{release}.model")}
        variables = [
            {"Name": name, "Value": of(f"{release}.{name.lower()}")} for name in ("MODEL", "PACKAGE", "IMAGE", "REASON")
        ]
        revision = {
            "ActionName": "Source",
            "RevisionType": of("$states.input.revision_type"),
            "RevisionValue": of("$states.input.revision"),
        }
        return self._call(
            "Start",
            "codepipeline:StartPipelineExecution",
            {
                "Name": self._pipeline.pipeline_name,
                "Variables": variables,
                "SourceRevisions": [revision],
                # Asked again after an answer that was lost, CodePipeline starts no second one.
                "ClientRequestToken": of("$states.context.Execution.Name"),
            },
            assign={
                **about,
                "execution": of("$states.result.PipelineExecutionId"),
                "pause": FIRST_LOOK,
            },
            about=about,
        )

    def _call(
        self,
        name: str,
        action: str,
        parameters: Mapping[str, object],
        *,
        assign: Mapping[str, object],
        about: Mapping[str, object] | None = None,
    ) -> tasks.CallAwsService:
        """A call of CodePipeline, again where it is busy; where that fails, the release counts as failed."""
        state = call(self, name, action, parameters, on=[self._pipeline.pipeline_arn], assign=assign)
        state.add_retry(errors=["States.TaskFailed"], max_attempts=6, interval=cdk.Duration.seconds(5))
        said = f"$model & ': {action.partition(':')[2]} failed: ' & $cause"
        failed = sfn.Fail.jsonata(self, f"{name} failed", error="ReleaseFailed", cause=of(said))
        state.add_catch(failed, errors=ALL, assign={"cause": of("$states.errorOutput.Cause"), **(about or {})})
        return state
