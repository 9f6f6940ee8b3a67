"""`python -m local_aws.chaos.caller`: asks an endpoint at a steady rate until it is ended, and notes each answer.

A program of its own, so that what answers and what asks do not share an interpreter. A request is due at its time
whatever became of those before it; its duration counts from then, so that waiting for a slow answer is not left out.
"""

from __future__ import annotations

import argparse
import itertools
import json
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

CALLERS = 24
NO_RETRIES = Config(retries={"total_max_attempts": 1}, max_pool_connections=CALLERS, read_timeout=30)


class Caller:
    """Asks `endpoint` for one row at a time, in turn those of `bodies`; writes `[due, seconds, outcome]` for each."""

    def __init__(self, endpoint: str, bodies: list[str], rate: float, out: Path) -> None:
        self._runtime: Any = boto3.client("sagemaker-runtime", config=NO_RETRIES)
        self._endpoint, self._bodies, self._rate = endpoint, bodies, rate
        self._out = out.open("a", buffering=1)
        self._turns = itertools.count()
        self._start = time.time()
        self.ended = threading.Event()

    def work(self) -> None:
        """Takes the next request that is due, until the end."""
        while not self.ended.is_set():
            turn = next(self._turns)
            due = self._start + turn / self._rate
            if self.ended.wait(max(0.0, due - time.time())):
                return
            outcome = self._ask(self._bodies[turn % len(self._bodies)])
            self._out.write(json.dumps([round(due, 4), round(time.time() - due, 4), outcome]) + "\n")

    def _ask(self, body: str) -> str:
        try:
            answer = self._runtime.invoke_endpoint(
                EndpointName=self._endpoint, Body=body, ContentType="application/json"
            )
            answer["Body"].read()
        except ClientError as error:
            return f"{error.response['Error']['Code']} {error.response.get('OriginalStatusCode', '')}".strip()
        except BotoCoreError as error:
            return type(error).__name__
        return "ok"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("endpoint")
    parser.add_argument("--rate", type=float, required=True, help="requests per second")
    parser.add_argument("--bodies", type=Path, required=True, help="JSON list of request bodies")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    caller = Caller(given.endpoint, json.loads(given.bodies.read_text()), given.rate, given.out)
    signal.signal(signal.SIGTERM, lambda *_: caller.ended.set())
    threads = [threading.Thread(target=caller.work) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
