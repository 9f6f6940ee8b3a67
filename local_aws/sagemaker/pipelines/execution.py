"""One execution of a pipeline: its steps run when what they wait for has succeeded, side by side where they can."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local_aws.sagemaker import events
from local_aws.sagemaker.jobs.lifecycle import Jobs
from local_aws.sagemaker.pipelines.definition import Definition, Step
from local_aws.sagemaker.pipelines.steps import StepError, StepRunner, StepStoppedError

if TYPE_CHECKING:
    from local_aws.account import Account

PARALLEL_STEPS = 50
FAILED = "Step failure: One or multiple steps failed."


class Execution:
    """Runs a definition to its end; `steps` shows how far each step that has started is."""

    def __init__(
        self,
        account: Account,
        jobs: Mapping[str, Jobs],
        pipeline: Mapping[str, Any],
        description: Mapping[str, Any],
        definition: Definition,
        parameters: Mapping[str, Any],
    ) -> None:
        self.steps: dict[str, dict[str, Any]] = {}
        self._account = account
        self._description = description
        self._definition = definition
        self._stopping = threading.Event()
        self._properties: dict[str, Any] = {}
        configuration = description.get("ParallelismConfiguration") or pipeline.get("ParallelismConfiguration", {})
        self._parallel = configuration.get("MaxParallelExecutionSteps", PARALLEL_STEPS)
        values = {"Parameters": parameters, "Execution": _variables(pipeline, description), "Steps": self._properties}
        self._runner = StepRunner(account, jobs, pipeline["RoleArn"], definition, values, self._stopping)

    def run(self) -> tuple[str, str | None]:
        """Run it; the status it ends in, and the reason when that is Failed."""
        waiting = set(self._definition.first)
        running: dict[Future[None], str] = {}
        with ThreadPoolExecutor(self._parallel) as pool:
            while True:
                for name in sorted(waiting, key=list(self._definition.steps).index):
                    if self._may_start(name, len(running)):
                        waiting.discard(name)
                        running[pool.submit(self._run_step, self._definition.steps[name])] = name
                if not running:
                    return self._outcome()
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    name = running.pop(future)
                    future.result()
                    waiting |= set(self._chosen(self._definition.steps[name]))

    def stop(self) -> None:
        """Start no further step, and stop the jobs of those that run."""
        self._stopping.set()
        self._runner.stop_jobs()

    def _may_start(self, name: str, running: int) -> bool:
        if self._stopping.is_set() or running >= self._parallel or self._has("Failed"):
            return False
        return all(
            self.steps.get(before, {}).get("StepStatus") == "Succeeded" for before in self._definition.steps[name].after
        )

    def _chosen(self, step: Step) -> tuple[str, ...]:
        """The steps that a condition has decided for."""
        if step.type != "Condition" or self.steps[step.name]["StepStatus"] != "Succeeded":
            return ()
        return step.then if self._properties[step.name]["Outcome"] == "True" else step.otherwise

    def _outcome(self) -> tuple[str, str | None]:
        if self._has("Failed"):
            return "Failed", FAILED
        return ("Stopped" if self._stopping.is_set() else "Succeeded"), None

    def _has(self, status: str) -> bool:
        return any(step["StepStatus"] == status for step in list(self.steps.values()))

    def _run_step(self, step: Step) -> None:
        shown = {"StepName": step.name, "StepType": step.type, "StartTime": datetime.now(UTC), "AttemptCount": 1}
        texts = {"StepDisplayName": step.raw.get("DisplayName"), "StepDescription": step.raw.get("Description")}
        self._show(step, **shown, **texts, StepStatus="Starting")
        try:
            properties = self._runner.run(
                step, lambda metadata: self._show(step, StepStatus="Executing", Metadata=metadata)
            )
            self._properties[step.name] = properties
            self._show(step, StepStatus="Succeeded", EndTime=datetime.now(UTC))
        except StepStoppedError:
            self._show(step, StepStatus="Stopped", EndTime=datetime.now(UTC))
        except StepError as failure:
            self._show(step, StepStatus="Failed", EndTime=datetime.now(UTC), FailureReason=str(failure))
            if step.type == "Fail":
                self.stop()

    def _show(self, step: Step, **members: Any) -> None:
        before = self.steps.get(step.name, {}).get("StepStatus", "Starting")
        self.steps[step.name] = {**self.steps.get(step.name, {}), **members}
        events.step(self._account, self._description, self.steps[step.name], before)


def _variables(pipeline: Mapping[str, Any], description: Mapping[str, Any]) -> dict[str, Any]:
    started = description["CreationTime"].astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "StartDateTime": started,
        "CurrentDateTime": started,
        "PipelineName": pipeline["PipelineName"],
        "PipelineArn": pipeline["PipelineArn"],
        "PipelineExecutionId": description["PipelineExecutionArn"].rsplit("/", 1)[-1],
        "PipelineExecutionArn": description["PipelineExecutionArn"],
    }
