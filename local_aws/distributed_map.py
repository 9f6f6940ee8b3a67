"""Distributed maps of state machines, as Step Functions runs them.

MiniStack's runs every item before it looks at the tolerated failures, and reads its items as JSONPath only. Here a map
run fails as soon as more items have failed than it tolerates: what waits is not started, what runs is aborted.
"""

# ruff: noqa: SLF001 - MiniStack's private names, all of them listed and checked in emulator.py

from __future__ import annotations

import contextvars
import copy
import json
import threading
import uuid
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local_aws.errors import AwsError
from local_aws.service import Permission
from local_aws.stepfunctions import role_of_machine

if TYPE_CHECKING:
    from local_aws.account import Account

Json = dict[str, Any]
CHILD: contextvars.ContextVar[Mapping[str, Any] | None] = contextvars.ContextVar("local_aws_child", default=None)
COUNTS = ("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total", "resultsWritten")
MOST_AT_ONCE = 64
LOOK_SECONDS = 0.1


def install(account: Account) -> None:
    """Let distributed maps be ours."""
    functions = account.emulator.functions
    invoke = functions._invoke_resource

    def run(state: Json, given: Any, effective: Any, iterator: Json, execution: Json, context: Json) -> Any:
        _require(account, execution["stateMachineArn"])
        return _MapRun(functions, state, given, effective, iterator, execution, context).run()

    def invoke_unless_aborted(resource: str, given: Any) -> Any:
        child = CHILD.get()
        if child and child["status"] != "RUNNING":
            raise functions._ExecutionError("States.Runtime", f"The execution is {child['status']}.")
        return invoke(resource, given)

    functions._run_distributed_map = run
    functions._invoke_resource = invoke_unless_aborted


def _require(account: Account, machine: str) -> None:
    """A map starts its children as executions of its own machine, under the machine's role."""
    try:
        key = role_of_machine(account).access_key
        account.authorization.require(key, "states", Permission("states:StartExecution", machine))
    except AwsError as error:
        raise account.emulator.functions._ExecutionError("States.Permissions", error.message) from error


class _MapRun:
    """One run of a distributed map."""

    def __init__(
        self,
        functions: Any,
        state: Json,
        given: Any,
        effective: Any,
        iterator: Json,
        execution: Json,
        context: Json,
    ) -> None:
        self._functions, self._state, self._given, self._effective = functions, state, given, effective
        self._iterator, self._execution, self._context = iterator, execution, context
        self._is_jsonata = functions._state_query_language(state, context) == "JSONata"
        items = self._items()
        self._waiting = deque(enumerate(items))
        self._results: list[Any] = [None] * len(items)
        self._children: list[Json] = []
        self._changed = threading.Condition()
        _, _, _, region, account, _, machine, *_ = execution["stateMachineArn"].split(":")
        self._at, self._name = f"arn:aws:states:{region}:{account}", f"{machine}/{state.get('Label') or uuid.uuid4()}"
        self._at_once = int(self._number("MaxConcurrency", 0)) or MOST_AT_ONCE
        counts = dict.fromkeys(COUNTS, 0) | {"total": len(items), "pending": len(items)}
        self._run = {
            "mapRunArn": f"{self._at}:mapRun:{self._name}:{uuid.uuid4()}",
            "executionArn": execution["executionArn"],
            "status": "RUNNING",
            "startDate": _now(),
            "maxConcurrency": self._at_once,
            "toleratedFailurePercentage": self._number("ToleratedFailurePercentage", 0),
            "toleratedFailureCount": int(self._number("ToleratedFailureCount", 0)),
            "itemCounts": counts,
            "executionCounts": dict(counts),
            "redriveCount": 0,
            "_stateMachineArn": f"{self._at}:stateMachine:{self._name}",
        }
        functions._map_runs[self._run["mapRunArn"]] = self._run

    def run(self) -> Any:
        """Every item, or as many as are run before it fails; the state's output and the next state."""
        with self._changed:
            for _ in range(min(self._at_once, len(self._waiting))):
                work = contextvars.copy_context().run
                threading.Thread(target=work, args=(self._work,), daemon=True).start()
            while not self._is_over():
                self._changed.wait(LOOK_SECONDS)
            self._end()
        if self._run["status"] == "FAILED":
            raise self._functions._ExecutionError(
                "States.ExceedToleratedFailureThreshold", "The specified tolerated failure threshold was exceeded"
            )
        return self._output()

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._waiting or self._run["status"] != "RUNNING" or self._is_exceeded():
                    return
                place, item = self._waiting.popleft()
                child = self._start(place, item)
            CHILD.set(child)
            outcome = self._outcome(place, item, child)
            with self._changed:
                if child["status"] == "RUNNING":
                    child.update(outcome, stopDate=_now())
                    self._count("running", outcome["status"].lower())
                self._changed.notify_all()

    def _outcome(self, place: int, item: Any, child: Json) -> Json:
        functions, context = self._functions, self._of_item(place, item)
        context["variables"] = {}  # a child sees nothing of its parent's
        context["Execution"] = {
            **context["Execution"],
            "Id": child["executionArn"],
            "Name": child["name"],
            "Input": json.loads(child["input"]),
            "StartTime": child["startDate"],
        }
        try:
            steps, first = self._iterator["States"], self._iterator["StartAt"]
            output = functions._run_sub_machine(steps, first, context["Execution"]["Input"], child, context)
        except functions._ExecutionError as error:
            return {"status": "FAILED", "error": error.error, "cause": error.cause}
        except Exception as error:  # noqa: BLE001 - as MiniStack itself ends an execution that it cannot run
            return {"status": "FAILED", "error": "States.Runtime", "cause": str(error)}
        self._results[place] = output
        return {"status": "SUCCEEDED", "output": json.dumps(output)}

    def _start(self, place: int, item: Any) -> Json:
        name = str(uuid.uuid4())
        child = {
            "executionArn": f"{self._at}:execution:{self._name}:{name}",
            "stateMachineArn": self._run["_stateMachineArn"],
            "name": name,
            "status": "RUNNING",
            "startDate": _now(),
            "stopDate": None,
            "input": json.dumps(self._selected(place, item)),
            "inputDetails": {"included": True},
            "output": None,
            "outputDetails": {"included": True},
            "mapRunArn": self._run["mapRunArn"],
            "events": [],
        }
        self._functions._executions[child["executionArn"]] = child
        self._children.append(child)
        self._count("pending", "running")
        return child

    def _is_over(self) -> bool:
        counts = self._run["itemCounts"]
        done = counts["succeeded"] + counts["failed"] == counts["total"]
        return done or self._is_exceeded() or self._execution["status"] != "RUNNING"

    def _is_exceeded(self) -> bool:
        """Without a threshold, one failed item is too many."""
        failed, total = self._run["itemCounts"]["failed"], self._run["itemCounts"]["total"]
        limits = []
        if "ToleratedFailureCount" in self._state:
            limits.append(failed > self._run["toleratedFailureCount"])
        if "ToleratedFailurePercentage" in self._state:
            limits.append(failed * 100 > self._run["toleratedFailurePercentage"] * total)
        return any(limits) if limits else failed > 0

    def _end(self) -> None:
        stopped = self._execution["status"] != "RUNNING"
        ended = "ABORTED" if stopped else "FAILED" if self._is_exceeded() else "SUCCEEDED"
        self._run.update(status=ended, stopDate=_now())
        for child in self._children:
            if child["status"] == "RUNNING":
                child.update(status="ABORTED", stopDate=_now())
                self._count("running", "aborted")

    def _count(self, before: str, after: str) -> None:
        for counts in (self._run["itemCounts"], self._run["executionCounts"]):
            counts[before] -= 1
            counts[after] += 1

    def _items(self) -> list[Any]:
        functions, state = self._functions, self._state
        if state.get("ItemReader"):
            found = functions._read_map_items(state["ItemReader"], self._effective, self._context)
        elif self._is_jsonata and "Items" in state:
            found = functions._jsonata_state_field(state, "Items", "array", self._given, self._context)
        else:
            found = functions._resolve_path_or_ctx(state.get("ItemsPath", "$"), self._effective, self._context)
        return found if isinstance(found, list) else [found]

    def _number(self, field: str, default: float) -> float:
        if self._is_jsonata and field in self._state:
            return self._functions._jsonata_state_field(self._state, field, "number", self._given, self._context)
        return float(self._state.get(field) or default)

    def _selected(self, place: int, item: Any) -> Any:
        selector = self._state.get("ItemSelector") or self._state.get("Parameters")
        if not selector:
            return item
        if self._is_jsonata:
            return self._functions._apply_jsonata_template(selector, self._given, self._of_item(place, item))
        return self._functions._resolve_params_obj(selector, self._effective, self._of_item(place, item))

    def _of_item(self, place: int, item: Any) -> Json:
        return {**copy.deepcopy(self._context), "Map": {"Item": {"Index": place, "Value": item}}}

    def _output(self) -> Any:
        functions, state, context = self._functions, self._state, self._context
        following = functions._next_or_end(state)
        if self._is_jsonata:
            about = {"result": self._results}
            output = functions._apply_jsonata_output(state, self._given, context, default=self._results, **about)
            functions._apply_state_assign(state, self._given, context, **about)
            return output, following
        selected = functions._apply_result_selector(state, self._results)
        output = functions._apply_result_path(state, self._given, selected)
        return functions._apply_output_path(state, output, context), following


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
