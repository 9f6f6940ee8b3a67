"""`python -m local_aws.chaos.caller`: asks an endpoint at a steady rate until it is ended, and notes each answer.

A program of its own, so that what answers and what asks do not share an interpreter. A request is due at its time
whatever became of those before it; its duration counts from then, so that waiting for a slow answer is not left out.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import signal
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

CALLERS = 24
PATIENCE_SECONDS = 30


class Asker:
    """One caller's connection to the runtime: signed as boto3 signs, at a sixth of what boto3 costs the processor."""

    def __init__(self, url: str, signer: SigV4Auth) -> None:
        self._url, self._signer = urlsplit(url), signer
        self._connection = http.client.HTTPConnection(self._url.netloc, timeout=PATIENCE_SECONDS)

    def ask(self, body: str) -> str:
        """`ok`, or the error's name and the container's status. Nothing is asked again."""
        request = AWSRequest("POST", self._url.geturl(), {"Content-Type": "application/json"}, body)
        self._signer.add_auth(request)
        try:
            self._connection.request("POST", self._url.path, body, dict(request.headers.items()))
            answer = self._connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return type(error).__name__
        if answer.status == http.client.OK:
            return "ok"
        return f"{answer.headers['x-amzn-errortype']} {json.loads(said).get('OriginalStatusCode', '')}".strip()


class Caller:
    """Asks `endpoint` for one row at a time, in turn those of `bodies`; writes `[due, seconds, outcome]` for each."""

    def __init__(self, endpoint: str, bodies: list[str], rate: float, out: Path) -> None:
        session = boto3.Session()
        runtime, credentials = session.client("sagemaker-runtime"), session.get_credentials()
        assert credentials
        self._url = f"{runtime.meta.endpoint_url}/endpoints/{endpoint}/invocations"
        self._signer = SigV4Auth(credentials.get_frozen_credentials(), "sagemaker", runtime.meta.region_name)
        self._bodies, self._rate = bodies, rate
        self._out = out.open("a", buffering=1)
        self._turns = itertools.count()
        self._start = time.time()
        self.ended = threading.Event()

    def work(self) -> None:
        """Takes the next request that is due, until the end."""
        asker = Asker(self._url, self._signer)
        while not self.ended.is_set():
            turn = next(self._turns)
            due = self._start + turn / self._rate
            if self.ended.wait(max(0.0, due - time.time())):
                return
            outcome = asker.ask(self._bodies[turn % len(self._bodies)])
            self._out.write(json.dumps([round(due, 4), round(time.time() - due, 4), outcome]) + "\n")


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
