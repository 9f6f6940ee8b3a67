"""Which execution may be in a stage.

https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
"""

from __future__ import annotations

from collections import defaultdict
from threading import Condition

from local_aws.codepipeline.executions import Execution


class Gate:
    """One execution per stage at a time; the others wait before it, in order, or are overtaken by a newer one.

    `changed` is the pipeline's lock; whoever changes an execution's `halt` notifies it.
    """

    def __init__(self, changed: Condition) -> None:
        self._changed = changed
        self._inside: dict[str, Execution] = {}
        self._waiting: defaultdict[str, list[Execution]] = defaultdict(list)

    def enter(self, execution: Execution, stage: str) -> bool:
        """Wait until the execution may enter the stage; False when it was told to end before that."""
        with self._changed:
            if execution.mode == "PARALLEL":
                return not execution.halt
            queue = self._waiting[stage]
            if execution.mode == "SUPERSEDED":
                for overtaken in queue:
                    overtaken.halt = overtaken.halt or "superseded"
                self._changed.notify_all()
            queue.append(execution)
            self._changed.wait_for(lambda: execution.halt or (queue[0] is execution and stage not in self._inside))
            queue.remove(execution)
            if not execution.halt:
                self._inside[stage] = execution
            self._changed.notify_all()
            return not execution.halt

    def leave(self, execution: Execution, stage: str) -> None:
        """Let the next execution in."""
        with self._changed:
            if self._inside.get(stage) is execution:
                del self._inside[stage]
            self._changed.notify_all()

    def waiting(self, stage: str) -> list[Execution]:
        """The executions that wait before a stage."""
        return list(self._waiting[stage])
