"""Reconciles a run over new rows."""

from __future__ import annotations

from pipelines.batch.counting import Counts, answers, every, hold, reasons, total
from pipelines.batch.objects import Json
from pipelines.batch.places import ANSWERS, PENDING
from pipelines.batch.records import Answered
from pipelines.batch.task import Task


def reconcile(task: Task) -> Json:
    """The summary, once all rows are accounted for; raises StepError."""
    counted = _count(task)
    hold(task.run, counted)
    places = task.places
    before = task.objects.json(places.summary(task.run)) or {}
    # A run keeps its time when it is done again: its records are then those that are there.
    task = task.at_time(before.get("at", task.at))
    summary = {**task.heading, **total(counted)}
    summary |= {name: before[name] for name in ("scored_later",) if name in before}
    summary = balanced(summary, summary["quarantined"])
    rows, out = places.accepted(task.run), places.answers(task.run)
    answered = [Answered(each.name, rows + each.name, f"{out}{each.name}{ANSWERS}") for each in counted if each.scored]
    return task.finish(summary, answered)


def balanced(summary: Json, pending: int) -> Json:
    """*summary* with the rows that still wait in quarantine, and how many were scored more than once."""
    later = sum(summary.get("scored_later", {}).values())
    twice = summary["scored"] + later + pending - summary["in"]
    rest = {name: value for name, value in summary.items() if name not in ("pending", "scored_twice")}
    return {**rest, "pending": pending, **({"scored_twice": twice} if twice else {})}


def _count(task: Task) -> list[Counts]:
    objects, places, run = task.objects, task.places, task.run
    names = every(
        objects.names(places.rows(run)),
        objects.names(places.accepted(run)),
        objects.names(places.quarantine(run), PENDING),
        objects.names(places.answers(run), ANSWERS),
    )
    counted = []
    for name in names:
        found = reasons(objects, f"{places.quarantine(run)}{name}{PENDING}")
        counted.append(
            Counts(
                name,
                objects.count(places.rows(run) + name),
                objects.count(places.accepted(run) + name),
                answers(objects, f"{places.answers(run)}{name}{ANSWERS}"),
                found.total(),
                found,
            )
        )
    return counted
