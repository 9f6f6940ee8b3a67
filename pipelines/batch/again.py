"""Reconciles a run over the quarantine, and takes out of it what now is scored.

In this order: the numbers are held against each other; the answers are recorded; the summary of the run that a row
came with says that it was scored later; only then the row leaves the quarantine. So no row is ever in neither place. A
row that was scored by a run that ended in between is scored again by the next, and `scored_twice` says so.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.batch.counting import Counts, answers, hold, reasons, total
from pipelines.batch.first import balanced
from pipelines.batch.objects import Json
from pipelines.batch.places import ANSWERS, PENDING
from pipelines.batch.records import Answered
from pipelines.batch.screen import EVIDENCE
from pipelines.batch.task import Task
from pipelines.container import StepError


@dataclass(frozen=True)
class Object:
    """An object in quarantine, and its rows as they were screened."""

    counts: Counts
    sha256: str

    @property
    def name(self) -> str:
        """`<run>/<object>`: the run that it came with."""
        return self.counts.name

    @property
    def run(self) -> str:
        return self.name.partition("/")[0]


def reconcile(task: Task) -> Json:
    """The summary, once all rows are accounted for and those that are scored have left; raises StepError."""
    found = [_object(task, name) for name in sorted(task.objects.names(task.places.again(task.run), EVIDENCE))]
    hold(task.run, [each.counts for each in found])
    for each in found:
        _hold_still(task, each)
    accepted, out = task.places.accepted(task.run), task.places.answers(task.run)
    answered = [
        Answered(each.name, accepted + each.name, f"{out}{each.name}{ANSWERS}") for each in found if each.counts.scored
    ]
    summary = task.finish({**task.heading, "again": True, **total(each.counts for each in found)}, answered)
    for run, objects in _by_run(found).items():
        _tell(task, run, objects)
        for each in objects:
            _take_out(task, each)
    task.objects.put_json(task.places.screened(task.package), {"run": task.run, "at": task.at})
    return summary


def _object(task: Task, name: str) -> Object:
    places, objects = task.places, task.objects
    evidence = objects.json(f"{places.again(task.run)}{name}{EVIDENCE}") or {}
    remaining = reasons(objects, f"{places.again(task.run)}{name}{PENDING}")
    counts = Counts(
        name,
        evidence["accepted"] + evidence["remaining"],
        objects.count(places.accepted(task.run) + name),
        answers(objects, f"{places.answers(task.run)}{name}{ANSWERS}"),
        remaining.total(),
        remaining,
    )
    return Object(counts, evidence["sha256"])


def _hold_still(task: Task, each: Object) -> None:
    digest = hashlib.sha256()
    for chunk in task.objects.chunks(_quarantine(task, each)):
        digest.update(chunk)
    if digest.hexdigest() != each.sha256:
        raise StepError(
            f"{_quarantine(task, each)} has changed since run {task.run} screened it, so nothing was taken out of the "
            "quarantine. Another run over it was on its way, or the run that it came with was started again; start "
            "this one again under a new name if rows are still there"
        )


def _by_run(found: Sequence[Object]) -> Mapping[str, list[Object]]:
    grouped: dict[str, list[Object]] = defaultdict(list)
    for each in found:
        grouped[each.run].append(each)
    return grouped


def _tell(task: Task, run: str, objects: Sequence[Object]) -> None:
    """Lets the summary of the run that rows came with say that they were scored later."""
    place = task.places.summary(run)
    summary = task.objects.json(place)
    scored = sum(each.counts.scored for each in objects)
    if summary is None:
        raise StepError(f"{place} is gone; put its last version back, then start over under a new name")
    if scored:
        summary["scored_later"] = {**summary.get("scored_later", {}), task.run: scored}
    task.objects.put_json(place, balanced(summary, sum(each.counts.quarantined for each in objects)))


def _take_out(task: Task, each: Object) -> None:
    if each.counts.scored:
        task.objects.replace(f"{task.places.again(task.run)}{each.name}{PENDING}", _quarantine(task, each))


def _quarantine(task: Task, each: Object) -> str:
    return f"{task.places.quarantine()}{each.name}{PENDING}"
