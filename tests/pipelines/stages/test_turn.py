"""Releases of one model take turns: none waits for ever, no two write at once, and the newest is what stays."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.stages.turn import (
    PRODUCTION,
    SETTLED,
    STAGING,
    TOGETHER,
    Action,
    Go,
    Refused,
    Release,
    Verdict,
    Wait,
    decide,
    is_later,
    moment,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def release(name: str, started: float, *actions: tuple[str, str, float], running: bool = True) -> Release:
    return Release(
        name, at(started), running, tuple(Action(stage, status, at(start)) for stage, status, start in actions)
    )


def staging(name: str, started: float, entered: float) -> Release:
    return release(name, started, ("Train", "Succeeded", started), ("Staging", "InProgress", entered))


def verdict(own: Release, *others: Release, written: str = "none", now: float = 1000) -> Verdict:
    return decide(STAGING, own, others, written, at(now))


def test_alone_a_release_goes_on_at_once() -> None:
    assert verdict(staging("b", 0, 5), now=5) == Go()


def test_it_waits_for_an_older_one_and_names_it() -> None:
    said = verdict(staging("b", 1, 6), staging("a", 0, 5))
    assert said == Wait(
        "Release a of 2026-03-01T12:00:00.000Z of the same model is in Staging to Verify; this one comes after it."
    )


def test_an_older_one_in_training_or_waiting_for_a_person_is_overtaken() -> None:
    training = release("a", 0, ("Train", "InProgress", 1))
    asked = release("a", 0, ("Staging", "Succeeded", 1), ("Verify", "Succeeded", 2), ("Approve", "InProgress", 3))
    for older in (training, asked):
        assert verdict(staging("b", 1, 6), older) == Go()
    entered = staging("b", 1, 6)
    assert isinstance(verdict(entered, training, now=7), Wait), "it could still come along"
    assert verdict(entered, asked, now=7) == Go()


def test_an_older_one_that_comes_after_a_newer_one_is_refused_and_names_it() -> None:
    late = staging("a", 0, 100)
    said = verdict(late, staging("b", 1, 50))
    assert isinstance(said, Refused)
    assert said.why.startswith(
        "This is release a of 2026-03-01T12:00:00.000Z. Release b of 2026-03-01T12:00:01.000Z is newer and came into "
        "Staging to Verify before it."
    )
    assert verdict(staging("b", 1, 50), late) == Go()


def test_a_stack_that_was_written_later_refuses() -> None:
    said = verdict(staging("a", 0, 100), written="2026-03-01T12:00:00.001Z/rollback-7")
    assert isinstance(said, Refused)
    assert "the stack was written by release rollback-7 of 2026-03-01T12:00:00.001Z, which is later" in said.why


@pytest.mark.parametrize("written", ["", "none", "2026-03-01T11:59:59.999Z/b", "2026-03-01T12:00:00.000Z/a"])
def test_what_was_written_earlier_by_nobody_or_by_itself_does_not(written: str) -> None:
    assert verdict(staging("a", 0, 100), written=written) == Go()


def test_a_failed_one_holds_no_turn_and_one_that_is_tried_again_does() -> None:
    failed = release("a", 0, ("Staging", "Failed", 5), running=False)
    failing = release("a", 0, ("Staging", "Failed", 5))
    again = release("a", 0, ("Staging", "Failed", 5), ("Staging", "InProgress", 8))
    verifying = release("a", 0, ("Staging", "Succeeded", 5), ("Verify", "Failed", 6), ("Verify", "InProgress", 7))
    own = staging("b", 1, 6)
    assert [type(verdict(own, other)) for other in (failed, failing, again, verifying)] == [Go, Go, Wait, Wait]


def test_the_turns_of_the_environments_are_apart() -> None:
    older = release("a", 0, ("Staging", "Succeeded", 1), ("Verify", "Succeeded", 2), ("Production", "InProgress", 3))
    own = release("b", 1, ("Staging", "Succeeded", 4), ("Verify", "Succeeded", 5), ("Production", "InProgress", 6))
    assert not older.is_within(STAGING)
    assert isinstance(decide(PRODUCTION, own, [older], "none", at(100)), Wait)


def test_moments_sort_as_text_and_have_milliseconds() -> None:
    moments = [moment(at(seconds)) for seconds in (0.0009, 0.001, 0.0101, 1, 61, 86400)]
    assert moments == sorted(moments)
    assert moments[0] == "2026-03-01T12:00:00.000Z"
    assert is_later(moments[1], moments[0])


@dataclass
class Plan:
    """What happens to a release: it starts, trains, its build comes up, it deploys, and perhaps fails."""

    start: float
    training: float
    build: float
    deploying: float
    fails: bool


@dataclass
class World:
    """Executes releases as the pipeline does, one event after the other."""

    plans: list[Plan]
    written: str = "none"
    inside: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    ends: dict[str, str] = field(default_factory=dict)
    releases: dict[str, Release] = field(default_factory=dict)

    def run(self) -> None:
        events = [(plan.start, number, self._release(f"{number:02d}", plan)) for number, plan in enumerate(self.plans)]
        heapq.heapify(events)
        while events:
            self.now, number, steps = heapq.heappop(events)
            assert self.now < 100_000, "somebody waits for ever"
            pause = next(steps, None)
            if pause is not None:
                heapq.heappush(events, (self.now + pause, number, steps))

    def _release(self, name: str, plan: Plan) -> Iterator[float]:
        self.releases[name] = Release(name, at(self.now))
        yield plan.training
        self._act(name, "Staging", "InProgress")
        yield plan.build
        pause = 1.0
        while True:
            others = [other for key, other in self.releases.items() if key != name]
            said = decide(STAGING, self.releases[name], others, self.written, at(self.now))
            if not isinstance(said, Wait):
                break
            yield pause
            pause = min(pause * 1.3, 15)
        if isinstance(said, Refused):
            self._end(name, "refused")
            return
        self.inside.append(name)
        assert len(self.inside) == 1, "two in one turn"
        yield plan.deploying
        self.inside.remove(name)
        if plan.fails:
            self._end(name, "failed")
            return
        self.written = self.releases[name].name
        self.writes.append(self.written)
        self._end(name, "done")

    def _act(self, name: str, stage: str, status: str) -> None:
        self.releases[name] = Release(name, self.releases[name].started, True, (Action(stage, status, at(self.now)),))

    def _end(self, name: str, how: str) -> None:
        self.ends[name] = how
        found = self.releases[name]
        self.releases[name] = Release(name, found.started, False, found.actions)


seconds = st.floats(0, 60) | st.integers(0, 3).map(float)
builds = st.floats(0.01, 60)  # no build is there within the millisecond in which its release started
plans = st.builds(Plan, seconds, seconds, builds, seconds, st.booleans())


@settings(max_examples=400, deadline=None)
@given(st.lists(plans, min_size=1, max_size=6))
@example([Plan(0, 9.5, 0, 20, False), Plan(1, 0, 0, 20, False)])
@example([Plan(0, 30, 0, 20, False), Plan(1, 0, 0, 20, False)])
def test_however_releases_come_they_end_in_order_and_the_newest_stays(found: list[Plan]) -> None:
    world = World(found)
    world.run()
    assert world.ends.keys() == world.releases.keys(), "one was lost"
    assert world.writes == sorted(world.writes)
    newest = max(world.releases.values(), key=lambda each: each.name)
    assert world.ends[newest.execution] != "refused"
    for name, how in world.ends.items():
        newer = [each.execution for each in world.releases.values() if each.name > world.releases[name].name]
        assert how != "refused" or newer


@settings(deadline=None)
@given(st.lists(st.floats(0, 5), min_size=2, max_size=5), st.lists(st.floats(0.01, 4), min_size=5, max_size=5))
def test_of_those_that_come_together_none_is_refused(starts: list[float], builds: list[float]) -> None:
    assert max(starts) + 5 <= TOGETHER.total_seconds() < SETTLED.total_seconds()
    world = World([Plan(start, 0, build, 10, False) for start, build in zip(starts, builds, strict=False)])
    world.run()
    assert set(world.ends.values()) == {"done"}
