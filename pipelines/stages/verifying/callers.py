"""The process that puts load on an endpoint: Locust's users, each of which calls once a period, whatever comes.

Runs as a process of its own, because Locust turns the standard library's sockets and locks into gevent's. Reads its
part of the load as JSON from standard input, and writes the tally as JSON.
"""

from __future__ import annotations

import json
import math
import os
import resource
import sys
import time
from typing import Any

import gevent
import locust  # first: it changes what the others import
from locust.env import Environment

# isort: split
import boto3
from botocore.config import Config

from model_server.golden import Golden, GoldenRequest
from pipelines.stages.verifying.asking import Question, Reply, asker
from pipelines.stages.verifying.tally import Tally, bucket

LONGEST_WARM_UP = 60.0
_PATIENCE = 60
"""SageMaker's own limit of an answer, in seconds."""


class Part:
    """What this process has to do, what it has counted, and since when it counts."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given
        self.tally = Tally()
        self.began = time.perf_counter()
        self.counts_from = math.inf
        self.users = 0
        self.warm: set[int] = set()
        self.waiting = 0
        self.golden = Golden(given["tolerance"], (), given["scale"])
        self.questions = [
            (Question(body.encode(), kind, kind), answer and GoldenRequest(kind, kind, body, answer))
            for kind, body, answer in given["questions"]
        ]
        # Without retries, which would hide failures; with a connection for each user.
        config = Config(
            retries={"total_max_attempts": 1},
            max_pool_connections=given["users"],
            connect_timeout=10,
            read_timeout=_PATIENCE,
        )
        self.ask = asker(boto3.client("sagemaker-runtime", config=config), given["endpoint"])

    @property
    def period(self) -> float:
        """Between two calls of one user, in seconds."""
        return self.given["users"] / self.given["rate"]

    def call(self, number: int, user: int) -> None:
        """Asks one question and counts what came of it."""
        question, golden = self.questions[number % len(self.questions)]
        sent = time.perf_counter()
        second = math.floor(sent - self.counts_from) if sent >= self.counts_from else -1
        if second >= self.given["seconds"]:
            return
        counts = second >= 0
        self.waiting += counts
        reply = self.ask(question)
        milliseconds = (time.perf_counter() - sent) * 1000
        self.waiting -= counts
        self.warm.add(user)
        if not counts:
            return
        if problem := reply.failure or self._other_answer(golden, reply):
            self.tally.failed(second, problem)
        else:
            self.tally.answered(second, milliseconds)

    def _other_answer(self, golden: GoldenRequest | None, reply: Reply) -> str:
        try:
            return "another answer than stored" if golden and self.golden.difference(golden, reply.body) else ""
        except ValueError:
            return "an answer that cannot be read"

    def next_slot(self, user: int) -> float:
        """The user's next planned call after now; calls that it had no time for are left out."""
        first = self.began + self.period * user / self.given["users"]
        return first + self.period * max(0, math.ceil((time.perf_counter() - first) / self.period))

    def run(self) -> Tally:
        """Warms up until every user has had an answer, then counts."""
        environment = Environment(user_classes=[_caller(self)])
        runner = environment.create_local_runner()
        runner.start(self.given["users"], spawn_rate=self.given["users"])
        least, most = self.began + self.given["warm_up"], self.began + LONGEST_WARM_UP
        while time.perf_counter() < least or (len(self.warm) < self.given["users"] and time.perf_counter() < most):
            gevent.sleep(0.02)
        used = _cpu()
        self.counts_from = time.perf_counter()
        gevent.sleep(self.given["seconds"])
        self.tally.cpu = (_cpu() - used) / self.given["seconds"]
        deadline = time.perf_counter() + _PATIENCE
        while self.waiting and time.perf_counter() < deadline:
            gevent.sleep(0.02)
        for _ in range(self.waiting):
            self.tally.failed(self.given["seconds"] - 1, "no answer")
        return self.tally


def _caller(part: Part) -> type[locust.User]:
    class Caller(locust.User):
        """Calls in its own place of the period, so that the calls of all are evenly spread."""

        def on_start(self) -> None:
            self.place, self.number = part.users, 0
            part.users += 1
            gevent.sleep(max(0.0, part.next_slot(self.place) - time.perf_counter()))

        def wait_time(self) -> float:
            self.planned = part.next_slot(self.place)
            return max(0.0, self.planned - time.perf_counter())

        @locust.task
        def call(self) -> None:
            if self.number and time.perf_counter() >= part.counts_from:
                part.tally.late[bucket((time.perf_counter() - self.planned) * 1000)] += 1
            part.call(self.place * 7919 + self.number, self.place)
            self.number += 1

    return Caller


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    json.dump(Part(json.load(sys.stdin)).run().to_json(), sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # Locust's own goodbye would take a second
