"""Takes an execution through the stages of its pipeline."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local_aws.codepipeline.actions import perform
from local_aws.codepipeline.actions.action import AbandonedError, Action, ActionError
from local_aws.codepipeline.conditions import check
from local_aws.codepipeline.events import Events
from local_aws.codepipeline.executions import HALTED, ActionRun, Artifact, Execution, StageRun, now
from local_aws.codepipeline.pipelines import Pipeline
from local_aws.codepipeline.roles import Roles
from local_aws.codepipeline.variables import PIPELINE, VARIABLES, resolve
from local_aws.errors import AwsError

if TYPE_CHECKING:
    from local_aws.account import Account

LOG = logging.getLogger(__name__)
STATES = {"Succeeded": "SUCCEEDED", "Failed": "FAILED", "Stopped": "STOPPED", "Cancelled": "CANCELED"}


class StageError(Exception):
    """A stage did not succeed; the message says which action or condition, and why."""


class Executor:
    """Runs one execution; every change of state is made under the pipeline's lock, and told to EventBridge."""

    def __init__(self, account: Account, roles: Roles, pipeline: Pipeline, execution: Execution) -> None:
        self._account = account
        self._roles = roles
        self._pipeline = pipeline
        self._execution = execution
        self._events = Events(account)

    def run(self, first: int = 0) -> None:
        """Go through the stages, from number `first` on."""
        execution = self._execution
        self._events.pipeline(execution, "STARTED" if execution.attempt == 1 else "RESUMED")
        try:
            for stage in execution.declaration["stages"][first:]:
                if not self._pipeline.gate.enter(execution, stage["name"]):
                    break
                try:
                    self._stage(stage)
                finally:
                    self._pipeline.gate.leave(execution, stage["name"])
                if execution.halt:
                    break
        except StageError as failure:
            execution.summary = str(failure)
            self._end("Failed")
        except Exception as error:
            LOG.exception("execution %s of %s", execution.id, execution.pipeline)
            execution.summary = f"The local AWS made a mistake: {type(error).__name__}: {error}"
            self._end("Failed")
        else:
            self._end(HALTED[execution.halt] if execution.halt else "Succeeded")

    def _end(self, status: str) -> None:
        with self._pipeline.changed:
            self._execution.status, self._execution.updated = status, now()
            self._pipeline.changed.notify_all()
        self._events.pipeline(self._execution, STATES.get(status, status.upper()))

    def _stage(self, stage: dict[str, Any]) -> None:
        execution = self._execution
        run = execution.stages.setdefault(stage["name"], StageRun(stage["name"]))
        resumed = bool(run.actions)
        with self._pipeline.changed:
            self._pipeline.latest[run.name] = execution
            run.status = "InProgress"
        self._events.stage(execution, run.name, "RESUMED" if resumed else "STARTED")
        try:
            if not resumed and self._condition(stage, "beforeEntry", run) == "SKIP":
                run.status = "Skipped"
                return
            self._actions(stage, run)
            if not execution.halt:
                self._condition(stage, "onSuccess", run)
        except StageError as failure:
            self._end_stage(run, "Failed")
            raise StageError(f"{failure} {self._on_failure(stage, run)}".strip()) from None
        self._end_stage(run, HALTED[execution.halt] if execution.halt else "Succeeded")

    def _end_stage(self, run: StageRun, status: str) -> None:
        run.status = status
        self._execution.updated = now()
        self._events.stage(self._execution, run.name, STATES[status])

    def _condition(self, stage: dict[str, Any], kind: str, run: StageRun) -> str:
        """Check a condition of the stage; SKIP when it did not hold and that is its result, StageError for FAIL."""
        for condition in stage.get(kind, {}).get("conditions", ()):
            found = check(condition, self._namespaces())
            run.conditions[kind] = found
            if found.status == "Succeeded":
                continue
            result = condition.get("result", "FAIL")
            skips = result == "SKIP" and kind == "beforeEntry"
            if skips and found.status == "Failed":
                return "SKIP"
            told = ""
            if skips:
                told = " It could not be checked, so that the stage is not skipped but fails."
            elif result != "FAIL":
                told = f" The result {result} is not rehearsed on the local AWS; the stage fails."
            raise StageError(f"Stage {run.name}: its {kind} condition did not hold. {found.summary}{told}")
        return ""

    def _on_failure(self, stage: dict[str, Any], run: StageRun) -> str:
        """What to add where AWS would do more about a failure than leave it."""
        declared = stage.get("onFailure", {})
        for condition in declared.get("conditions", ()):
            run.conditions["onFailure"] = check(condition, self._namespaces())
        results = {declared.get("result", "FAIL")} | {item.get("result") for item in declared.get("conditions", ())}
        extra = sorted(str(result) for result in results - {"FAIL", None})
        return f"AWS would {' or '.join(extra)} now; that is not rehearsed on the local AWS." if extra else ""

    def _actions(self, stage: dict[str, Any], run: StageRun) -> None:
        done = run.done()
        for order in sorted({action["runOrder"] for action in stage["actions"]}):
            group = [a for a in stage["actions"] if a["runOrder"] == order and a["name"] not in done]
            runs = [ActionRun(run.name, action) for action in group]
            with self._pipeline.changed:
                if self._execution.halt:
                    return
                run.actions += runs
            for action in runs:
                self._account.background(f"{run.name}/{action.name}", lambda action=action: self._act(action))
            with self._pipeline.changed:
                self._pipeline.changed.wait_for(lambda: all(a.status != "InProgress" for a in runs))  # noqa: B023  waits within the turn
            if failed := [action for action in runs if action.status == "Failed"]:
                raise StageError(" ".join(f"Stage {run.name}, action {a.name}: {a.error}" for a in failed))

    def _act(self, run: ActionRun) -> None:
        execution = self._execution
        try:
            run.configuration = resolve(run.declaration["configuration"], self._namespaces())
            run.inputs = [self._artifact(item["name"]) for item in run.declaration["inputArtifacts"]]
            self._events.action(execution, run, "STARTED")
            perform(Action(self._account, self._pipeline, execution, run, self._roles))
        except AbandonedError:
            return
        except (ActionError, AwsError) as error:
            self._end_action(run, "Failed", error.code, error.message)
        except ClientError as error:
            reason = error.response["Error"]
            code = "PermissionError" if reason["Code"].startswith("AccessDenied") else "ConfigurationError"
            call = f"{error.operation_name[:1].lower()}{error.operation_name[1:]}"
            self._end_action(run, "Failed", code, f"Error calling {call}: {reason['Message']} ({reason['Code']})")
        except Exception as error:
            LOG.exception("action %s of %s", run.name, execution.pipeline)
            self._end_action(run, "Failed", "JobFailed", f"The local AWS made a mistake: {error!r}")
        else:
            self._end_action(run, "Succeeded")

    def _end_action(self, run: ActionRun, status: str, code: str = "", message: str = "") -> None:
        with self._pipeline.changed:
            if run.status != "InProgress":
                return
            run.error_code, run.error = code, message
            if message:
                run.summary = "\n".join(filter(None, (message, run.summary)))
            if status == "Succeeded":
                self._execution.artifacts |= {artifact.name: artifact for artifact in run.outputs}
                if "namespace" in run.declaration:
                    self._execution.namespaces[run.declaration["namespace"]] = run.variables
            run.status, run.updated = status, now()
            self._pipeline.changed.notify_all()
        self._events.action(self._execution, run, STATES[status])

    def _artifact(self, name: str) -> Artifact:
        if name not in self._execution.artifacts:
            raise ActionError(
                "ConfigurationError", f"Its input artifact {name!r} is missing: what makes it did not run."
            )
        return self._execution.artifacts[name]

    def _namespaces(self) -> dict[str, dict[str, str]]:
        execution = self._execution
        built_in = {PIPELINE: {"PipelineExecutionId": execution.id}, VARIABLES: execution.variables}
        return execution.namespaces | built_in
